"""engine/identity_number.py and engine/upload.py of isp_privacy."""

import importlib.util
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

ENGINE = Path(__file__).parents[2] / "addons/isp_privacy/engine"


def load(name):
    spec = importlib.util.spec_from_file_location(f"privacy_{name}", ENGINE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


number = load("identity_number")
upload = load("upload")

BANGLA = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


# === NUMBERS === #


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("nid", "1990 1234-567 890", "19901234567890"),
        ("nid", "১৯৯০", "1990"),
        ("passport", "ab 1234567", "AB1234567"),
        ("business", " TRAD/DNCC/012  345 ", "TRAD/DNCC/012 345"),
        ("nid", None, ""),
    ],
)
def test_one_way_of_writing(kind, text, expected):
    assert number.clean(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "digits", "country", "problem"),
    [
        *(("nid", length, "BD", None) for length in (10, 13, 17)),
        *(("nid", length, "BD", "length") for length in (1, 9, 11, 12, 14, 16, 18)),
        ("nid", 12, "IN", None),
        ("nid", 10, "IN", "length"),
        ("nid", 11, None, None),
        ("nid", 5, None, "length"),
        ("passport", 9, "BD", None),
        ("passport", 3, "BD", "length"),
        ("business", 4, "BD", None),
        ("business", 3, "BD", "length"),
    ],
)
def test_lengths(kind, digits, country, problem):
    found = number.problem(kind, "1" * digits, country)
    assert (found and found[0]) == problem


def test_letters_where_digits_must_be():
    assert number.problem("nid", "12345678AB", "BD")[0] == "digits"
    assert number.problem("passport", "AB*123456", "BD")[0] == "letters"


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(1900, 2030))
def test_the_year_of_birth_makes_no_other_number(digits, year):
    assert number.same_number(f"{year}{digits}") == number.same_number(digits)
    assert number.same_number(f"{year} {digits}".translate(BANGLA)) == digits


# === FILES === #


def picture(kind="JPEG", size=(40, 30), mode="RGB", **options):
    content = io.BytesIO()
    Image.new(mode, size, "navy").save(content, kind, **options)
    return content


def clean(content):
    kind, stream = upload.read(content)
    return kind, stream.read()


def test_nothing_but_the_pixels_is_left():
    exif = Image.Exif()
    exif[0x010E] = "CANARY"
    exif[0x8825] = {1: "N", 2: (23.0, 48.0, 37.0)}
    for kind, options in (("JPEG", {"comment": b"CANARY"}), ("PNG", {})):
        content = picture(kind, exif=exif, **options)
        kind, stored = clean(content)
        assert kind == upload.JPEG
        assert b"CANARY" not in stored
        assert b"Exif" not in stored


def test_a_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    _kind, stored = clean(picture(exif=exif))
    assert Image.open(io.BytesIO(stored)).size == (30, 40)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "1", "P"])
def test_pictures_of_any_colours(mode):
    assert (
        clean(picture("PNG", mode=mode, size=(8, 8)) if mode != "LA" else grey())[0] == upload.JPEG
    )


def grey():
    content = io.BytesIO()
    Image.new("LA", (8, 8), (10, 0)).save(content, "PNG")
    return content


def test_a_large_picture_is_made_smaller():
    _kind, stored = clean(picture(size=(6000, 3000)))
    assert Image.open(io.BytesIO(stored)).size == (3000, 1500)


def test_a_pdf_stays_as_it_is_and_is_not_read_whole():
    content = io.BytesIO(b"%PDF-1.4" + b"x" * (upload.MAX_BYTES - 8))
    tracemalloc.start()
    kind, stream = upload.read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kind == upload.PDF
    assert peak < 1_000_000
    assert stream.read(5) == b"%PDF-"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"),
        (b"<html/>", "kind"),
        (b"GIF89a", "kind"),
        (b"PK\x03\x04", "kind"),
        (b" %PDF-1.4", "kind"),
        (b"\xff\xd8\xff<script>", "broken"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "broken"),
        (b"%PDF-" + b"x" * upload.MAX_BYTES, "size"),
        (picture(size=(400, 300)).getvalue()[:-300], "broken"),
    ],
    ids=range(10),
)
def test_other_files_are_refused(content, reason):
    with pytest.raises(upload.UploadError) as refused:
        upload.read(io.BytesIO(content))
    assert refused.value.args == (reason,)


def test_a_picture_that_unpacks_to_too_many_pixels(monkeypatch):
    monkeypatch.setattr(upload, "MAX_PIXELS", 1000)
    with pytest.raises(upload.UploadError, match="pixels"):
        upload.read(picture("PNG", size=(100, 100)))


@pytest.mark.parametrize(
    "text, own, shown",
    [
        ("The number 19905551234567890 is wrong", None, "The number •••••••• is wrong"),
        ("১৯৯০ ৫৫৫১ ২৩৪৫ is wrong", None, "•••••••• is wrong"),
        ("Expired on 2026-12-31, house 12", None, "Expired on 2026-12-31, house 12"),
        ("Expired on 31.12.2026", None, "Expired on 31.12.2026"),
        ("ab 12-3456 cannot be read", "AB123456", "•••••••• cannot be read"),
        ("TRAD 12 of last year", "TRAD/12", "•••••••• of last year"),
        ("", "1234567890", ""),
    ],
)
def test_no_number_of_a_document_is_left_in_a_sentence(text, own, shown):
    assert number.hide(text, own) == shown
