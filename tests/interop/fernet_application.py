"""The application's side of a hand-over, as its own credential manager does it, with the `cryptography` package.

    ENCRYPTION_PASSWORD=… python3 fernet_application.py read x.db    # prints every login as JSON; or the URL of a server
    ENCRYPTION_PASSWORD=… python3 fernet_application.py write x.db   # rewrites every login, as a login there does
"""

import base64
import json
import os
import sys

from engines import open_engine

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC


def manager():
    password = os.environ.get("ENCRYPTION_PASSWORD") or os.environ["SECRET_KEY"]
    salt = os.environ.get("ENCRYPTION_SALT", "fossawork-salt-v1").encode()
    salt = salt[:16].ljust(16, b"0")
    kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=100000)
    return Fernet(base64.urlsafe_b64encode(kdf.derive(password.encode())))


def decrypt(fernet, text):
    if not text:
        return ""
    return fernet.decrypt(base64.b64decode(text.encode(), validate=True)).decode()


def encrypt(fernet, text):
    return base64.b64encode(fernet.encrypt(text.encode())).decode() if text else ""


def main(action, path):
    fernet, database = manager(), open_engine(path)
    rows = [list(row.values()) for row in database.rows(
        "SELECT id, user_id, service_name, encrypted_username, encrypted_password FROM user_credentials ORDER BY id")]
    logins = [[user, service, decrypt(fernet, name), decrypt(fernet, password)] for _, user, service, name, password in rows]
    if action == "write":
        for (row, *_), (_, _, name, password) in zip(rows, logins):
            database.run("UPDATE user_credentials SET encrypted_username = ?, encrypted_password = ? WHERE id = ?",
                             [encrypt(fernet, name), encrypt(fernet, password), row])
        database.commit()
    json.dump(logins, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
