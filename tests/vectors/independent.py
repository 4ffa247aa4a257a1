"""Opens what treelift seals, and seals what treelift opens. Written from docs/credentials.md alone.

    pip install cryptography argon2-cffi
    python3 independent.py check treelift-tl2.json   # opens every key and value of a file of vectors
    python3 independent.py write independent-tl2.json
"""

import base64
import hmac
import json
import os
import re
import struct
import sys

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_ID = re.compile("[0-9a-f]{16}")
ARGON2ID = re.compile(r"\$argon2id\$v=19\$m=(0|[1-9][0-9]*),t=(0|[1-9][0-9]*),p=(0|[1-9][0-9]*)\$([A-Za-z0-9+/]+)")


class Refused(Exception):
    """Carries the reason as the vectors name it."""


def lp(*parts):
    encoded = [part.encode() for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)


def encode(data, alphabet=b"-_"):
    return base64.b64encode(data, alphabet).rstrip(b"=").decode()


def decode(text, reason, alphabet=b"-_"):
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), alphabet, validate=True)
    except ValueError:
        raise Refused(reason) from None
    if encode(data, alphabet) != text:
        raise Refused(reason)
    return data


def derive(kdf, secret):
    if kdf == "hkdf-sha256":
        if "key_file" not in secret:
            raise Refused("wrong-kind")
        material = decode(secret["key_file"].removeprefix("treelift-key-1."), "not a key file")
        return HKDF(SHA256(), 64, salt=None, info=b"treelift-key-1").derive(material)
    match = ARGON2ID.fullmatch(kdf)
    if not match:
        raise Refused("unknown-kdf")
    salt = decode(match[4], "unknown-kdf", b"+/")
    if len(salt) != 16:
        raise Refused("unknown-kdf")
    m, t, p = map(int, match.groups()[:3])
    if not (8192 <= m <= 1048576 and 1 <= t <= 16 and 1 <= p <= 16):
        raise Refused("absurd-cost")
    if "passphrase" not in secret:
        raise Refused("wrong-kind")
    return hash_secret_raw(secret["passphrase"].encode(), salt, t, m, p, 64, Type.ID)


def gcm_open(key, envelope, associated):
    try:
        return AESGCM(key).decrypt(envelope[:12], envelope[12:], associated)
    except InvalidTag:
        return None


def gcm_seal(key, plain, associated):
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated)


def unlock(row, secret):
    if not KEY_ID.fullmatch(row["id"]) or row["state"] not in ("active", "retired") or row["seal_count"] < 0:
        raise Refused("damaged")
    derived = derive(row["kdf"], secret)
    if not re.fullmatch("[0-9a-f]{64}", row["key_check"]):
        raise Refused("damaged")
    envelope = decode(row["wrapped_key"], "damaged")
    if len(envelope) != 60:
        raise Refused("damaged")
    same = hmac.compare_digest(derived[32:], bytes.fromhex(row["key_check"]))
    data_key = gcm_open(derived[:32], envelope, lp("tl1-wrap", row["id"], row["kdf"]))
    if same and data_key:
        return data_key
    raise Refused("damaged" if same or data_key else "wrong-secret")


def associated(format_, key_id, table, column, names, key):
    """None where the place does not have one name for each value."""
    if format_ == "tl1":
        return lp("tl1", key_id, table, column, *key)
    if names is None or len(names) != len(key):
        return None
    return lp("tl2", key_id, table, column, *(part for pair in zip(names, key) for part in pair))


def registry_hmac(key_id, data_key, keys, columns, counts):
    """Keys are (id, state); columns have the texts of treelift_sealed_columns."""
    label = "treelift-registry-1"
    parts = [label, key_id, str(len(keys)), *(part for row in sorted(keys) for part in row), str(len(columns))]
    rows = [(c["table_name"], c["column_name"], c["row_filter"] or "", c["key_columns"], c["format"]) for c in columns]
    for row in sorted(rows, key=lambda row: [part.encode() for part in row]):
        parts.extend(row)
    mac_key = HKDF(SHA256(), 32, salt=None, info=label.encode()).derive(data_key)
    return hmac.new(mac_key, lp(*parts, counts), "sha256").hexdigest()


def open_value(key_id, data_key, value):
    format_, *rest = value["sealed"].split(".", 2)
    if format_ not in ("tl1", "tl2") or len(rest) != 2 or not KEY_ID.fullmatch(rest[0]):
        raise Refused("unknown-format")
    if rest[0] != key_id:
        raise Refused("other-key")
    envelope = decode(rest[1], "encoding")
    if len(envelope) < 28:
        raise Refused("too-short")
    about = associated(format_, key_id, value["table"], value["column"], value.get("key_columns"), value["key"])
    plain = about and gcm_open(data_key, envelope, about)
    if plain is None:
        raise Refused("not-authentic")
    return plain.decode()


def check(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    keys = {v["name"]: (v["row"]["id"], unlock(v["row"], v["secret"])) for v in vectors["keys"]}
    count = len(keys)
    for value in vectors["values"]:
        assert open_value(*keys[value["key_name"]], value) == value["text"], value["name"]
        count += 1
    for vector in vectors.get("registries", []):
        pairs = [(row["id"], row["state"]) for row in vector["keys"]]
        found = registry_hmac(*keys[vector["key_name"]], pairs, vector["columns"], vector["sealed_counts"])
        assert found == vector["hmac"], vector["key_name"]
        count += 1
    damaged = [(v, lambda v: unlock(v["row"], v["secret"])) for v in vectors.get("refused_keys", [])]
    damaged += [(v, lambda v: open_value(*keys[v["key_name"]], v)) for v in vectors.get("refused_values", [])]
    for vector, attempt in damaged:
        try:
            attempt(vector)
        except Refused as refused:
            # The second format was unknown when vectors of the first were written.
            known_now = "key_columns" not in vector and vector.get("sealed", "").startswith("tl2.")
            reason = "not-authentic" if known_now else vector["reason"]
            assert str(refused) == reason, (vector["name"], str(refused))
        else:
            raise AssertionError(vector["name"] + " was not refused")
        count += 1
    print(f"{count} vectors passed")


def write(path):
    document = {"about": "Written once by independent.py. Invented values, no working secret.", "keys": [], "values": [], "registries": []}
    secrets = [
        ("passphrase", {"passphrase": "a passphrase from Python, çà et là"}),
        ("key file", {"key_file": "treelift-key-1." + encode(os.urandom(32))}),
    ]
    for name, secret in secrets:
        key_id, data_key = os.urandom(8).hex(), os.urandom(32)
        kdf = "hkdf-sha256"
        if "passphrase" in secret:
            kdf = "$argon2id$v=19$m=65536,t=3,p=4$" + encode(os.urandom(16), b"+/")
        derived = derive(kdf, secret)
        wrapped = gcm_seal(derived[:32], data_key, lp("tl1-wrap", key_id, kdf))
        row = {"id": key_id, "state": "active", "kdf": kdf, "key_check": derived[32:].hex(), "wrapped_key": encode(wrapped),
               "seal_count": 4, "created_at": "2024-02-29 12:00:00.000000", "retired_at": None}
        document["keys"].append({"name": name, "secret": secret, "row": row})
        for text, names, key in [
            ("", ["id"], ["1"]), ("s3cret", ["region", "number"], ["north", "-7"]),
            ("zwölf \U0001f511", ["mark", "größe"], ["00ff", ""]), ("long " * 50, ["id"], ["ä\n"]),
        ]:
            about = associated("tl2", key_id, "accounts", "password", names, key)
            sealed = gcm_seal(data_key, text.encode(), about)
            document["values"].append({
                "name": f"{name}: {len(text.encode())} bytes", "key_name": name, "table": "accounts", "column": "password",
                "key_columns": names, "key": key, "sealed": f"tl2.{key_id}.{encode(sealed)}", "text": text})
        pairs, counts = [(key_id, "active"), ("ffeeddccbbaa9988", "retired")], '{"accounts":4}'
        columns = [
            {"table_name": "b", "column_name": "pin", "key_columns": '["id"]', "row_filter": '{"kind":"2"}', "format": "tl2"},
            {"table_name": "accounts", "column_name": "password", "key_columns": '["id", "x"]', "row_filter": None, "format": "tl2"},
        ]
        document["registries"].append({
            "key_name": name, "keys": [{"id": id_, "state": state} for id_, state in pairs], "columns": columns,
            "sealed_counts": counts, "hmac": registry_hmac(key_id, data_key, pairs, columns, counts)})
    with open(path, "x", encoding="utf-8") as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    {"check": check, "write": write}[sys.argv[1]](sys.argv[2])
