"""Encryption, blind index and key files of the ISP Suite; needs only ``cryptography``.

Stored secrets look like ``v1:<key id>:<base64(nonce + ciphertext + tag)>``: AES-256-GCM with a
random 96-bit nonce, bound by its additional data to the model, field and record it belongs to.

The keys come from the environment variable ``ISP_KEYS`` (JSON) or from a key file (``ISP_KEY_FILE``
or ``key_file`` in section ``[isp]`` of odoo.conf), never from a database.  This file is also a
small command: ``python crypto.py generate|check|add-key|drop-key PATH``.
"""

import argparse
import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
import sys
import tempfile
import unicodedata
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = "v1"
ENV_KEYS = "ISP_KEYS"
ENV_KEY_FILE = "ISP_KEY_FILE"

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_IV_BYTES = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TOKEN = re.compile(r"v1:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]+={0,2})")


class KeyringError(Exception):
    """The keys cannot be used; the text says what to do and never holds a key."""


class KeyringMissing(KeyringError):
    """No keys are configured, or the configured file is not there."""


class DecryptError(Exception):
    """A stored secret cannot be read: damaged, altered, or it belongs to another record."""


class UnknownKey(DecryptError):
    """A stored secret names a key that is not in the keyring."""

    def __init__(self, key_id):
        super().__init__(f"key {key_id!r} is not in the keyring")
        self.key_id = key_id


def record_aad(model, field, res_id):
    """Return the additional data that ties a secret to one field of one record."""
    return f"{model}|{field}|{res_id}"


def token_key_id(token):
    """Return the id of the key that encrypted ``token``."""
    return _parse_token(token)[0]


def fold(value):
    """Reduce a value to what exact search compares: NFKC, letters and digits only, upper case.

    Digits of any script become ASCII digits and vowel signs are kept, so that Bengali values
    neither differ from their Latin form nor collapse into each other.
    """
    kept = "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char
        for char in _fold_case(value)
        if unicodedata.category(char)[0] in "LNM"
    )
    # Once more: with a character gone, its neighbours may compose.
    return _fold_case(kept) or _fold_case(value)


def _fold_case(value):
    """Apply NFKC and upper case until stable: a few letters change again in the second round."""
    for _round in range(4):
        previous, value = value, unicodedata.normalize("NFKC", value).upper()
        if value == previous:
            break
    return value


class Keyring:
    """The keys of one installation: the active one, older ones, index and RADIUS key."""

    def __init__(self, active, keys, index, radius):
        if active not in keys:
            raise KeyringError(f"The active key {active!r} is not among the keys.")
        self.active = active
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._raw = (*keys.values(), index, radius)
        self._index = index
        self._radius = radius

    def __repr__(self):
        return f"<Keyring active={self.active} keys={','.join(self.key_ids)}>"

    @property
    def key_ids(self):
        """Ids of all keys, the active one included."""
        return sorted(self._ciphers)

    @classmethod
    def from_json(cls, text, source):
        """Build a keyring from its JSON form; ``source`` names it in error messages."""
        try:
            data = json.loads(text)
            keys = {key_id: _decode_key(key) for key_id, key in data["keys"].items()}
            index, radius = _decode_key(data["index"]), bytes.fromhex(data["radius"])
            active = data["active"]
        except KeyError as error:
            raise KeyringError(f"{source} lacks the entry {error.args[0]!r}.") from None
        except (ValueError, TypeError, AttributeError):
            # `from None`: the original exception may quote the document, keys included.
            raise KeyringError(f"{source} does not hold valid keys.") from None
        if len(radius) != _KEY_BYTES:
            raise KeyringError(f"{source}: 'radius' must be {_KEY_BYTES * 2} hex digits.")
        if not all(_KEY_ID.fullmatch(key_id) for key_id in keys):
            raise KeyringError(f"{source}: key ids are letters, digits, '-' and '_' only.")
        return cls(active, keys, index, radius)

    @classmethod
    def from_file(cls, path):
        """Read a key file, refusing one that other users could read."""
        try:
            with open(path, encoding="utf-8") as stream:
                _check_private(os.fstat(stream.fileno()), path)
                text = stream.read()
        except FileNotFoundError:
            raise KeyringMissing(f"The key file {path} does not exist.") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise KeyringError(f"The key file {path} cannot be read: {reason}.") from None
        return cls.from_json(text, f"The key file {path}")

    def encrypt(self, plain, aad):
        """Encrypt text with the active key, bound to ``aad``."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self.active].encrypt(nonce, plain.encode(), aad.encode())
        return f"{VERSION}:{self.active}:{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, token, aad):
        """Return the text of ``token``; raise :class:`DecryptError` when it is not genuine."""
        key_id, blob = _parse_token(token)
        if key_id not in self._ciphers:
            raise UnknownKey(key_id)
        try:
            nonce, sealed = blob[:_NONCE_BYTES], blob[_NONCE_BYTES:]
            return self._ciphers[key_id].decrypt(nonce, sealed, aad.encode()).decode()
        except (InvalidTag, UnicodeDecodeError):
            raise DecryptError("altered, or it belongs to another record") from None

    def is_active(self, token):
        """Tell whether ``token`` was encrypted with the active key."""
        return token_key_id(token) == self.active

    def blind_index(self, context, value):
        """Return 32 hex digits that are equal for equal (folded) values of one context."""
        message = f"{context}|{fold(value)}".encode()
        return hmac.new(self._index, message, hashlib.sha256).hexdigest()[:32]

    def radius_encrypt(self, text):
        """Encrypt for the RADIUS schema: hex of IV and AES-256-CBC, readable by pgcrypto."""
        iv = secrets.token_bytes(_IV_BYTES)
        padder = padding.PKCS7(algorithms.AES.block_size).padder()
        padded = padder.update(text.encode()) + padder.finalize()
        encryptor = Cipher(algorithms.AES(self._radius), modes.CBC(iv)).encryptor()
        return (iv + encryptor.update(padded) + encryptor.finalize()).hex()

    def radius_decrypt(self, token):
        """Return the text of :meth:`radius_encrypt`."""
        try:
            blob = bytes.fromhex(token)
            cipher = Cipher(algorithms.AES(self._radius), modes.CBC(blob[:_IV_BYTES]))
            decryptor = cipher.decryptor()
            padded = decryptor.update(blob[_IV_BYTES:]) + decryptor.finalize()
            unpadder = padding.PKCS7(algorithms.AES.block_size).unpadder()
            return (unpadder.update(padded) + unpadder.finalize()).decode()
        except (ValueError, TypeError):
            raise DecryptError("not a RADIUS secret of this installation") from None

    def radius_key_hex(self):
        """Return the RADIUS key in the form FreeRADIUS' configuration takes."""
        return self._radius.hex()

    def is_leaked_in(self, text):
        """Tell whether ``text`` holds one of the keys, as hex digits or as base64."""
        return any(
            form in text
            for key in self._raw
            for form in (key.hex(), key.hex().upper(), base64.b64encode(key).decode().rstrip("="))
        )


def _parse_token(token):
    match = _TOKEN.fullmatch(token or "")
    if not match:
        raise DecryptError("not an encrypted value")
    try:
        blob = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise DecryptError("not an encrypted value") from None
    if len(blob) < _NONCE_BYTES + _TAG_BYTES:
        raise DecryptError("not an encrypted value")
    return match[1], blob


def _decode_key(text):
    key = base64.b64decode(text, validate=True)
    if len(key) != _KEY_BYTES:
        raise ValueError("wrong key length")
    return key


def _check_private(info, path):
    if not stat.S_ISREG(info.st_mode):
        raise KeyringError(f"The key file {path} is not a regular file.")
    if info.st_uid not in (0, os.geteuid()):
        raise KeyringError(
            f"The key file {path} belongs to another user (uid {info.st_uid}). "
            f"Run: chown {os.geteuid()} {path}"
        )
    if stat.S_IMODE(info.st_mode) & 0o077:
        raise KeyringError(
            f"The key file {path} can be read by other users "
            f"(mode {stat.S_IMODE(info.st_mode):04o}). Run: chmod 400 {path}"
        )


# === FINDING THE KEYS === #


class _Cached(NamedTuple):
    stamp: object
    keyring: Keyring


_cache: dict[str, _Cached] = {}
_key_file_of_conf = None


def set_key_file_finder(finder):
    """Register the function that tells where the server's configuration keeps the key file."""
    global _key_file_of_conf
    _key_file_of_conf = finder


def load_keyring(key_file=None, environ=None):
    """Return the keyring of the environment, of ``key_file``, or of the server's configuration.

    The file is read again as soon as it changes, in content or permissions, so a new key reaches
    every running process without a restart.
    """
    environ = os.environ if environ is None else environ
    if environ.get(ENV_KEYS):
        text = environ[ENV_KEYS]
        stamp = hashlib.sha256(text.encode()).digest()
        return _cached(ENV_KEYS, stamp, lambda: Keyring.from_json(text, f"The variable {ENV_KEYS}"))
    path = environ.get(ENV_KEY_FILE) or key_file or (_key_file_of_conf and _key_file_of_conf())
    if not path:
        raise KeyringMissing("No keys are configured.")
    try:
        info = os.stat(path)
    except FileNotFoundError:
        raise KeyringMissing(f"The key file {path} does not exist.") from None
    except OSError as error:
        raise KeyringError(f"The key file {path} cannot be read: {error.strerror}.") from None
    stamp = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    return _cached(path, stamp, lambda: Keyring.from_file(path))


def _cached(source, stamp, read):
    hit = _cache.get(source)
    if hit is None or hit.stamp != stamp:
        hit = _cache[source] = _Cached(stamp, read())
    return hit.keyring


def encrypt(plain, aad):
    """Encrypt with the configured keyring, see :meth:`Keyring.encrypt`."""
    return load_keyring().encrypt(plain, aad)


def decrypt(token, aad):
    """Decrypt with the configured keyring, see :meth:`Keyring.decrypt`."""
    return load_keyring().decrypt(token, aad)


def blind_index(context, value):
    """Index with the configured keyring, see :meth:`Keyring.blind_index`."""
    return load_keyring().blind_index(context, value)


def radius_encrypt(text):
    """Encrypt for RADIUS with the configured keyring, see :meth:`Keyring.radius_encrypt`."""
    return load_keyring().radius_encrypt(text)


def radius_decrypt(token):
    """Decrypt with the configured keyring, see :meth:`Keyring.radius_decrypt`."""
    return load_keyring().radius_decrypt(token)


# === KEY FILES === #


def _random_key():
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def generate_key_file(path):
    """Write a new key file, mode 0400; return False and touch nothing if there is one already."""
    if os.path.lexists(path):
        return False
    document = {
        "active": "k1",
        "keys": {"k1": _random_key()},
        "index": _random_key(),
        "radius": secrets.token_hex(_KEY_BYTES),
    }
    try:
        _write_private(path, document, replace=False)
    except FileExistsError:
        return False
    return True


def add_key(path):
    """Add a key to the file, make it the active one and return its id."""
    document = _read_document(path)
    number = 1 + max((int(k[1:]) for k in document["keys"] if re.fullmatch(r"k\d+", k)), default=0)
    document["active"] = f"k{number}"
    document["keys"][document["active"]] = _random_key()
    _write_private(path, document, replace=True)
    return document["active"]


def drop_key(path, key_id):
    """Remove an old key for good: what is still encrypted with it becomes unreadable."""
    document = _read_document(path)
    if key_id == document["active"]:
        raise KeyringError(f"{key_id} is the active key; add another one first.")
    if key_id not in document["keys"]:
        raise KeyringError(f"There is no key {key_id} in {path}.")
    del document["keys"][key_id]
    _write_private(path, document, replace=True)


def _read_document(path):
    Keyring.from_file(path)
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def _write_private(path, document, replace):
    """Put a complete file in place at once: a crash leaves the old file or the new one."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    owner = os.stat(path) if replace else None
    handle, temporary = tempfile.mkstemp(prefix=".isp-keys-", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=2)
            stream.write("\n")
            stream.flush()
            os.fchmod(stream.fileno(), 0o400)
            if owner and owner.st_uid != os.geteuid():
                os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(stream.fileno())
        if replace:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


# === COMMAND LINE === #


def main(argv=None):
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(description="Key files of the ISP Suite.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("generate", "write a new key file; an existing one is left alone"),
        ("check", "verify the file and list its key ids"),
        ("add-key", "add a key and make it active; then rotate in Settings"),
        ("drop-key", "remove an old key once nothing uses it any more"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("path")
        if name == "drop-key":
            command.add_argument("key_id")
    args = parser.parse_args(argv)
    try:
        print(_run(args))  # pylint: disable=print-used
    except (KeyringError, OSError) as error:
        print(error, file=sys.stderr)  # pylint: disable=print-used
        return 1
    return 0


def _run(args):
    if args.command == "generate" and generate_key_file(args.path):
        return (
            f"Wrote {args.path}. Back it up apart from the database: "
            "without it no stored secret can be read."
        )
    if args.command == "add-key":
        return f"{add_key(args.path)} is now the active key. Rotate the stored secrets in Settings."
    if args.command == "drop-key":
        drop_key(args.path, args.key_id)
        return f"Removed {args.key_id}."
    keyring = Keyring.from_file(args.path)
    return f"{args.path} is in order: active {keyring.active}, keys {', '.join(keyring.key_ids)}."


if __name__ == "__main__":
    sys.exit(main())
