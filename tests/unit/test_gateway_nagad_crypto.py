"""Nagad's keys, encryption and signatures: tampering of every field, keys of every kind."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateways import nagad_crypto
from gateways.common import Misconfigured, Unknown

PRIVATE, PUBLIC = nagad_crypto.new_key_pair()
OTHER_PRIVATE, OTHER_PUBLIC = nagad_crypto.new_key_pair()


# === ENCRYPTION AND SIGNATURES === #


@pytest.fixture
def ends():
    """The shop's and Nagad's ends of one line."""
    mine = nagad_crypto.load_private_key(PRIVATE)
    theirs = nagad_crypto.load_private_key(OTHER_PRIVATE)
    return (
        nagad_crypto.Envelope(mine, theirs.public_key()),
        nagad_crypto.Envelope(theirs, mine.public_key()),
    )


def test_what_one_end_seals_the_other_opens(ends):
    mine, theirs = ends
    values = {"orderId": "ISP1", "reason": "ফেরত"}
    assert theirs.open(*mine.seal(values)) == values
    assert mine.seal(values)[0] != mine.seal(values)[0]  # padding is random
    assert nagad_crypto.compact(values) == '{"orderId":"ISP1","reason":"ফেরত"}'.encode()


@pytest.mark.parametrize("name", ["merchantId", "datetime", "orderId", "challenge"])
def test_tampering_of_any_field_is_noticed(ends, name):
    mine, theirs = ends
    values = {"merchantId": "1", "datetime": "20270101000000", "orderId": "A", "challenge": "x"}
    _sealed, signature = mine.seal(values)
    sealed, _signature = mine.seal({**values, name: values[name] + "1"})
    with pytest.raises(Unknown, match="not signed by Nagad") as raised:
        theirs.open(sealed, signature)
    assert raised.value.code == nagad_crypto.FORGED


@pytest.mark.parametrize("change", ["swap", "cut", "missing", "number", "not base64"])
def test_a_damaged_signature_or_message_is_no_answer(ends, change):
    mine, theirs = ends
    sealed, signature = mine.seal({"orderId": "A"})
    broken = {
        "swap": signature[:-8] + ("AAAAAA==" if signature[-8:] != "AAAAAA==" else "BBBBBA=="),
        "cut": signature[:-4],
        "missing": None,
        "number": 5,
        "not base64": "§" + signature,
    }[change]
    with pytest.raises(Unknown):
        theirs.open(sealed, broken)
    with pytest.raises(Unknown):
        theirs.open(broken, signature)


def test_a_list_is_no_answer_even_if_it_is_signed(ends):
    mine, theirs = ends
    with pytest.raises(Unknown):
        theirs.open(*mine.seal(["orderId"]))


def test_at_most_245_bytes_fit(ends):
    mine, theirs = ends
    assert mine.max_bytes == 245
    values = {"a": "x" * (245 - len('{"a":""}'))}
    assert theirs.open(*mine.seal(values)) == values
    with pytest.raises(ValueError, match="246 bytes, at most 245"):
        mine.seal({"a": values["a"] + "x"})
    with pytest.raises(ValueError, match="at most 245"):  # bytes count, not letters
        mine.seal({"a": "ফ" * 80})


# === KEYS === #


def pem(private):
    key = serialization.load_der_private_key(base64.b64decode(private), None)
    old = serialization.PrivateFormat.TraditionalOpenSSL
    return {
        "pkcs8": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "pkcs1": key.private_bytes(
            serialization.Encoding.PEM, old, serialization.NoEncryption()
        ).decode(),
        "locked": key.private_bytes(
            serialization.Encoding.PEM, old, serialization.BestAvailableEncryption(b"x")
        ).decode(),
        "public": key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        "public pkcs1": key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        .decode(),
    }


PEM = pem(PRIVATE)


def small_or_elliptic(kind):
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=1024)
        if kind == "small"
        else ec.generate_private_key(ec.SECP256R1())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.mark.parametrize(
    "text",
    [
        *(PRIVATE, f"  {PRIVATE}\n", PEM["pkcs8"], PEM["pkcs1"]),
        *(PEM["pkcs8"].replace("\n", "\r\n"), PEM["pkcs8"].replace("\n", " ")),
        "\n".join(PRIVATE[at : at + 64] for at in range(0, len(PRIVATE), 64)),
    ],
)
def test_private_keys_are_taken_with_and_without_armour(text):
    assert nagad_crypto.public_text(nagad_crypto.load_private_key(text)) == PUBLIC


@pytest.mark.parametrize("text", [PUBLIC, PEM["public"], PEM["public pkcs1"], f"\n{PUBLIC} "])
def test_public_keys_are_taken_with_and_without_armour(text):
    loaded = nagad_crypto.load_public_key(text)
    assert loaded == nagad_crypto.load_private_key(PRIVATE).public_key()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "private key is missing"),
        (None, "private key is missing"),
        ("hello world!", "is not a key"),
        (PRIVATE[:400], "cannot be read"),
        (PRIVATE[200:], "cannot be read"),
        (PUBLIC, "what was entered is a public key"),
        (PEM["public"], "what was entered is a public key"),
        (PEM["locked"], "protected by a password"),
        (small_or_elliptic("small"), "has 1024 bits"),
        (small_or_elliptic("elliptic"), "is not an RSA key"),
    ],
)
def test_a_wrong_private_key_is_said_in_words(text, words):
    with pytest.raises(Misconfigured, match=words) as raised:
        nagad_crypto.load_private_key(text)
    assert "MIIE" not in str(raised.value) and PRIVATE[40:60] not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "public key is missing"),
        (PRIVATE, "what was entered is a private key.*make a new pair"),
        (PUBLIC[:100], "cannot be read"),
    ],
    ids=["missing", "private", "cut off"],  # keys are made anew by each process
)
def test_a_wrong_key_of_nagad_is_said_in_words(text, words):
    with pytest.raises(Misconfigured, match=words):
        nagad_crypto.load_public_key(text)
