"""Keys, encryption and signatures of Nagad's API (RSA, PKCS#1 v1.5, SHA-256). No Odoo here.

A message is compact JSON. Who sends it encrypts those bytes for the receiver and signs the same
bytes with a key of his own; both travel as base64. Derived from public clients, see
``readme/NAGAD.md``.
"""

import base64
import binascii
import json
import re

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .common import Misconfigured, Unknown

MIN_BITS = 2048
_PADDING_BYTES = 11  # what PKCS#1 v1.5 needs of each block

# ``Unknown.code`` of an answer that could not be opened, see :meth:`Envelope.open`.
NOT_FOR_US = "not_for_us"
FORGED = "forged"


def load_private_key(text):
    """Return the merchant's private key from PEM or bare base64 of PKCS#8 or PKCS#1.

    :raise Misconfigured: it is not a private RSA key of at least 2048 bits; says what it is
    """
    name = "The merchant's private key"
    der = _der(text, name)
    try:
        key = serialization.load_der_private_key(der, password=None)
    except TypeError:
        raise Misconfigured(f"{name} is protected by a password: enter it without one.") from None
    except (ValueError, UnsupportedAlgorithm):
        if _loads(serialization.load_der_public_key, der):
            raise Misconfigured(f"{name} is missing: what was entered is a public key.") from None
        raise Misconfigured(f"{name} cannot be read: enter it complete, from MII… on.") from None
    return _checked(key, rsa.RSAPrivateKey, name)


def load_public_key(text):
    """Return Nagad's public key from PEM or bare base64 of X.509 or PKCS#1.

    :raise Misconfigured: it is not a public RSA key of at least 2048 bits; says what it is
    """
    name = "Nagad's public key"
    der = _der(text, name)
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        if _loads(serialization.load_der_private_key, der, password=None):
            raise Misconfigured(
                f"{name} is missing: what was entered is a private key. If that is yours, do not"
                " use it any more: make a new pair."
            ) from None
        raise Misconfigured(f"{name} cannot be read: enter it complete, from MII… on.") from None
    return _checked(key, rsa.RSAPublicKey, name)


def new_key_pair():
    """Return ``(private, public)``, each as base64 without armour, as Nagad's own forms take it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=MIN_BITS)
    private = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(private).decode(), public_text(key)


def public_text(private_key):
    """Return the public half of a loaded private key as base64, to be handed to Nagad."""
    public = private_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(public).decode()


def compact(values):
    """Return the bytes of ``values`` as JSON; made once, they are encrypted and signed alike."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


class Envelope:
    """Seals messages to the other side and opens what it sends.

    :param own_key: our loaded private key
    :param other_key: the loaded public key of the other side
    """

    def __init__(self, own_key, other_key):
        if own_key.public_key().public_numbers() == other_key.public_numbers():
            raise Misconfigured(
                "Nagad's public key is the merchant's own one: enter the key that Nagad sent you."
            )
        self._own = own_key
        self._other = other_key
        self.max_bytes = other_key.key_size // 8 - _PADDING_BYTES

    def seal(self, values):
        """Return ``(sensitive data, signature)`` of a flat dict, as base64.

        :raise ValueError: the message is longer than ``max_bytes``
        """
        clear = compact(values)
        if len(clear) > self.max_bytes:
            raise ValueError(f"{len(clear)} bytes, at most {self.max_bytes} can be encrypted")
        sealed = self._other.encrypt(clear, padding.PKCS1v15())
        signature = self._own.sign(clear, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(sealed).decode(), base64.b64encode(signature).decode()

    def open(self, sealed, signature):
        """Return the dict that the other side sealed.

        :raise Unknown: code NOT_FOR_US if it was encrypted for another key, FORGED if it can be
            read and the signature over it is not the other side's
        """
        clear = self._decrypt(sealed)
        values = _json_object(clear)
        # Decrypting with a wrong key gives random bytes, not an error (implicit rejection).
        if values is None:
            raise Unknown("The answer is not encrypted for the merchant's key.", NOT_FOR_US)
        try:
            self._other.verify(
                _base64(signature) or b"", clear, padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            raise Unknown("The answer is not signed by Nagad: it was ignored.", FORGED) from None
        return values

    def _decrypt(self, sealed):
        try:
            return self._own.decrypt(_base64(sealed) or b"", padding.PKCS1v15())
        except ValueError:
            return b""


def _der(text, name):
    """Return the DER bytes of PEM or bare base64, however it was wrapped."""
    text = (text or "").strip()
    if not text:
        raise Misconfigured(f"{name} is missing: enter it in the settings.")
    if "ENCRYPTED" in text:
        raise Misconfigured(f"{name} is protected by a password: enter it without one.")
    armoured = re.search(r"-----BEGIN [A-Z ]+-----(.*?)-----END [A-Z ]+-----", text, re.DOTALL)
    der = _base64(re.sub(r"\s", "", armoured[1] if armoured else text))
    if der is None:
        raise Misconfigured(f"{name} is not a key: it must be PEM or base64, from MII… on.")
    return der


def _base64(text):
    """Return the bytes, or None if it is not strictly base64."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None


def _loads(load, *args, **kwargs):
    try:
        return bool(load(*args, **kwargs))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _checked(key, kind, name):
    if not isinstance(key, kind):
        raise Misconfigured(f"{name} is not an RSA key: Nagad uses RSA only.")
    if key.key_size < MIN_BITS:
        raise Misconfigured(f"{name} has {key.key_size} bits: at least {MIN_BITS} are needed.")
    return key


def _json_object(clear):
    try:
        values = json.loads(clear)
    except ValueError:  # also bytes that are not UTF-8
        return None
    return values if isinstance(values, dict) else None
