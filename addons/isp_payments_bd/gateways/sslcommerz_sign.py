"""The signature under SSLCommerz's notifications and returns (API v4).

The gateway posts ``verify_key`` (the names it signed), ``verify_sign`` (MD5) and
``verify_sign_sha2`` (SHA-256). The sender chooses the names, and MD5 of a weak store password can
be guessed from one message: the signature only filters, the proof is asked server to server.
"""

import hashlib
import hmac
import re

from .common import GatewayError

ALWAYS_SIGNED = ("tran_id", "amount", "status", "store_id", "currency")
SIGNED_IF_VALID = ("val_id",)
_NEVER_SIGNED = {"store_passwd", "verify_key", "verify_sign", "verify_sign_sha2"}
_MOST_KEYS = 80
# The signed text is not escaped: a value like this could stand for two fields.
_LOOKS_LIKE_A_FIELD = re.compile(r"&[A-Za-z0-9_]+=")


class Forged(GatewayError):
    """The message was not signed with the store's password; says what is wrong with it."""


def sign(fields, keys, store_passwd, algorithm):
    """Return the signature of ``keys`` of ``fields`` by ``algorithm`` ("md5" or "sha256").

    Values are the decoded ones; keys are sorted by their bytes together with ``store_passwd``,
    whose value is the hash of the password by the same algorithm.
    """
    secret = hashlib.new(algorithm, store_passwd.encode()).hexdigest()
    signed = {**{key: fields[key] for key in keys}, "store_passwd": secret}
    text = "&".join(f"{key}={signed[key]}" for key in sorted(signed, key=str.encode))
    return hashlib.new(algorithm, text.encode()).hexdigest()


def signed_fields(fields, store_id, store_passwd):
    """Return the fields the signature covers, of a message that is ours; nothing else of it.

    :param fields: decoded form fields, text to text
    :raises Forged: unsigned, signed wrongly, or not signed far enough to mean something
    """
    keys = _signed_keys(fields)
    signatures = (("verify_sign_sha2", "sha256"), ("verify_sign", "md5"))
    given = [(fields[name], algorithm) for name, algorithm in signatures if fields.get(name)]
    if not given:
        raise Forged("the message has no signature")
    for signature, algorithm in given:
        expected = sign(fields, keys, store_passwd, algorithm)
        if not hmac.compare_digest(signature.lower().encode(), expected.encode()):
            raise Forged("the signature does not fit the message or the store password")
    if not hmac.compare_digest(fields["store_id"].encode(), store_id.encode()):
        raise Forged("the message is for another store")
    return {key: fields[key] for key in keys}


def _signed_keys(fields):
    keys = (fields.get("verify_key") or "").split(",")
    if len(keys) > _MOST_KEYS or len(set(keys)) != len(keys) or _NEVER_SIGNED & set(keys):
        raise Forged("the list of signed fields is not one the gateway makes")
    required = ALWAYS_SIGNED
    if fields.get("status") in ("VALID", "VALIDATED"):
        required += SIGNED_IF_VALID
    unsigned = [name for name in required if name not in keys]
    if unsigned:
        raise Forged(f"the signature leaves out: {', '.join(unsigned)}")
    missing = [name for name in keys if name not in fields]
    if missing:
        raise Forged(f"signed but missing: {', '.join(missing)[:200]}")
    empty = [name for name in required if not fields[name]]
    if empty:
        raise Forged(f"signed but empty: {', '.join(empty)}")
    if any(_LOOKS_LIKE_A_FIELD.search(fields[key]) for key in keys):
        raise Forged("a signed value could be read as two fields")
    return keys
