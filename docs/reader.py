"""Opens one credential that treelift sealed: an example to embed in an application.

    pip install cryptography argon2-cffi && python3 reader.py app.db passphrase.txt TABLE COLUMN KEY_VALUE...
"""
import base64, json, sqlite3, struct, sys
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

def unbase64(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

def associated(*parts):
    return b"".join(struct.pack(">I", len(part.encode())) + part.encode() for part in parts)

def decrypt(key, sealed, about):  # raises InvalidTag: a wrong secret, or something was changed or moved
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], about)

def data_key(db, key_id, secret):
    kdf, wrapped = db.execute("SELECT kdf, wrapped_key FROM treelift_keys WHERE id = ?", [key_id]).fetchone()
    if kdf == "hkdf-sha256":
        derived = HKDF(SHA256(), 64, None, b"treelift-key-1").derive(unbase64(secret.removeprefix("treelift-key-1.")))
    else:
        numbers, salt = kdf.removeprefix("$argon2id$v=19$").split("$")
        m, t, p = (int(number[2:]) for number in numbers.split(","))
        assert 8192 <= m <= 1048576 and 1 <= t <= 16 and 1 <= p <= 16, "absurd cost"
        salt = base64.b64decode(salt + "=" * (-len(salt) % 4))
        derived = hash_secret_raw(secret.encode(), salt, t, m, p, 64, Type.ID)
    return decrypt(derived[:32], unbase64(wrapped), associated("tl1-wrap", key_id, kdf))

def credential(db, secret, table, column, *key):
    row = db.execute("SELECT key_columns FROM treelift_sealed_columns WHERE table_name = ? AND column_name = ?", [table, column])
    names = json.loads(row.fetchone()[0])
    where = " AND ".join(f'"{name}" = ?' for name in names)
    token, = db.execute(f'SELECT "{column}" FROM "{table}" WHERE {where}', key).fetchone()
    form, key_id, sealed = token.split(".")  # tl1, of an earlier version, does not cover the names
    parts = key if form == "tl1" else [part for pair in zip(names, key) for part in pair]
    return decrypt(data_key(db, key_id, secret), unbase64(sealed), associated(form, key_id, table, column, *parts)).decode()

if __name__ == "__main__":  # keep the data key rather than derive it for every value
    with open(sys.argv[2], encoding="utf-8") as file:
        print(credential(sqlite3.connect(sys.argv[1]), file.read().removesuffix("\n"), *sys.argv[3:]))
