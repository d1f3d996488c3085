"""Reading provider's files: encodings, separators, workbooks, dates, numbers, phones."""

import csv
import io
import tracemalloc
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
import safe_csv
from hypothesis import given
from hypothesis import strategies as st

from engine import values
from engine.phone import format_phone, parse_phone
from engine.problems import FileProblem, Problem
from engine.safe_csv import unguard
from engine.seen import SeenKeys
from engine.subscriber_columns import SYNONYMS, guess_targets, heading_fingerprint
from engine.subscriber_file import SubscriberFile


def table(content):
    return SubscriberFile(io.BytesIO(content))


def rows(content):
    return [(row.number, row.values) for row in table(content).rows()]


def workbook(*lines):
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def refusal(function, *args):
    with pytest.raises(Problem) as caught:
        function(*args)
    return caught.value.code


# === FILES === #

BANGLA = "নাম,ফোন\nরহিম উদ্দিন,০১৭১১\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_bangla_is_read_in_every_unicode_encoding(encoding):
    content = BANGLA.encode(encoding)
    assert table(content).columns == ["নাম", "ফোন"]
    assert rows(content) == [(2, ["রহিম উদ্দিন", "০১৭১১"])]


def test_a_file_that_is_no_unicode_is_read_as_windows_western():
    assert rows("name,city\nJosé,Málaga\n".encode("cp1252")) == [(2, ["José", "Málaga"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found(delimiter):
    content = f'"Name, full"{delimiter}Phone\r\n"Rahim, A"{delimiter}1\r\n'.encode()
    assert table(content).columns == ["Name, full", "Phone"]
    assert rows(content) == [(2, ["Rahim, A", "1"])]


def test_line_numbers_are_those_of_the_file():
    content = b'\nname,note\na,"two\nlines"\n\n,\nb,x\n'
    assert rows(content) == [(3, ["a", "two\nlines"]), (7, ["b", "x"])]


def test_short_rows_are_filled_and_long_ones_keep_what_is_too_much():
    assert rows(b"a,b\n1\n1,2,,\n1,2,3\n") == [
        (2, ["1", ""]), (3, ["1", "2"]), (4, ["1", "2", "3"]),
    ]  # fmt: skip


def test_workbooks_give_the_same_text_as_a_person_would_type():
    content = workbook(
        ["ID", "Phone", "Price", "Start", "Seen", "Flag", None],
        [1001, 8801711000000, 500.5, date(2026, 1, 15), datetime(2026, 1, 15, 8, 30), True],
        [None] * 6,
        ["a", 1.0, 1e-7, None, None, None],
    )
    assert table(content).columns == ["ID", "Phone", "Price", "Start", "Seen", "Flag"]
    assert rows(content) == [
        (2, ["1001", "8801711000000", "500.5", "2026-01-15", "2026-01-15 08:30:00", "TRUE"]),
        (4, ["a", "1", "0.0000001", "", "", ""]),
    ]


def damaged_workbook():
    content = bytearray(workbook(["name"], *([f"n{number}"] for number in range(500))))
    content[200:260] = b"\xff" * 60
    return bytes(content)


def zip_without_workbook():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photo.txt", "hello")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\n \r\n", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"name,name\na,b\n", "heading_twice"),
        (b"Name, NAME \na,b\n", "heading_twice"),
        (b"name,,city\na,b,c\n", "heading_empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0", "file_type"),
        (b"%PDF-1.7\n\x01\x02\x03", "file_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file_xls"),
        (b"PK\x03\x04 cut off", "xlsx_broken"),
        (damaged_workbook(), "xlsx_broken"),
        (zip_without_workbook(), "xlsx_broken"),
        (workbook(), "file_empty"),
        (workbook(["a", "A"], [1, 2]), "heading_twice"),
        (b'name,city\n"Rahim,Dhaka\nb,c\n', "csv_broken"),
    ],
)
def test_what_is_no_table_is_refused(content, code):
    with pytest.raises(FileProblem) as caught:
        list(table(content).rows())
    assert caught.value.code == code


def test_an_unclosed_quotation_mark_is_named_by_its_line():
    with pytest.raises(FileProblem) as caught:
        rows(b'name,city\na,b\n"Rahim,Dhaka\nb,c\n')
    assert caught.value.params == {"line": 3}


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(count):
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("name,phone\n")
            file.writelines(f"Customer {number},0171100{number}\n" for number in range(count))
        tracemalloc.start()
        with path.open("rb") as file:
            seen = SeenKeys()
            for row in SubscriberFile(file).rows():
                seen.first_line(row.values[0], row.number)
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    assert peak(20_000) < peak(2_000) * 1.5 + 100_000


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_what_is_written_comes_back(cells):
    file = io.StringIO()
    write = safe_csv.writer(file)
    write([f"column {number}" for number in range(len(cells))])
    write(["x", *cells[1:]])
    [(_number, found)] = rows(file.getvalue().encode("utf-8-sig", "replace"))
    expected = ["x", *cells[1:]]
    cleaned = [
        values.clean_text(unguard(cell.encode("utf-8", "replace").decode())) for cell in expected
    ]
    assert [cell.split() for cell in found] == [cell.split() for cell in cleaned]


def test_written_files_are_quoted_for_csv():
    file = io.StringIO()
    safe_csv.writer(file)(['a"b', "c,d", "=e"])
    assert next(csv.reader(io.StringIO(file.getvalue()))) == ['a"b', "c,d", "'=e"]


# === COLUMNS === #


def test_columns_are_guessed_in_english_and_bangla():
    assert guess_targets(["Client Name", "MOBILE_NO", "Package", "Connection ID", "Foo"]) == {
        "customer_name": "Client Name",
        "phone": "MOBILE_NO",
        "plan": "Package",
        "external_ref": "Connection ID",
    }
    assert guess_targets(["গ্রাহকের নাম", "মোবাইল নম্বর", "প্যাকেজ", "ঠিকানা"]) == {
        "customer_name": "গ্রাহকের নাম",
        "phone": "মোবাইল নম্বর",
        "plan": "প্যাকেজ",
        "street": "ঠিকানা",
    }


def test_no_word_means_two_things():
    words = [word for group in SYNONYMS.values() for word in group]
    assert len(words) == len(set(words))


def test_files_with_the_same_headings_are_recognised():
    assert heading_fingerprint(["Name", "Phone no"]) == heading_fingerprint(["PHONE-NO", "name"])
    assert heading_fingerprint(["Name"]) != heading_fingerprint(["Name", "Phone"])


# === VALUES === #


@pytest.mark.parametrize(
    "text",
    [
        "01711-000000", "+880 1711 000000", "8801711000000", "1711000000", "০১৭১১-০০০০০০",
        "०१७११०००००० ", "+৮৮০১৭১১০০০০০০", "00880 1711000000",
    ],
)  # fmt: skip
def test_phones_become_one_number(text):
    assert parse_phone(text, "BD") == "+8801711000000"
    assert format_phone("+8801711000000") == "+880 1711-000000"


def test_a_number_of_another_country_is_kept():
    assert parse_phone("+91 98765 43210", "BD") == "+919876543210"
    assert parse_phone("०९८७६५४३२१०", "IN") == "+919876543210"


@pytest.mark.parametrize(
    "text", ["12345", "017110000", "no phone", "01711-00000x", "-", "99999999999"]
)
def test_what_is_no_phone_is_refused(text):
    assert refusal(parse_phone, text, "BD") == "phone"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15", "15/01/2026", "15-1-2026", "15.01.26", "2026/01/15", "15 Jan 2026",
        "15-January-2026", "2026-01-15 00:00:00", "2026-01-15T10:30", "১৫/০১/২০২৬", "46037",
        "46037.0",
    ],
)  # fmt: skip
def test_dates_are_read_day_first(text):
    assert values.parse_date(text) == date(2026, 1, 15)


@pytest.mark.parametrize(
    "text", ["31/02/2026", "01/25/2026", "yesterday", "2026", "2026-13-01", "1/1/1026", "15", "1/2"]
)
def test_what_is_no_date_is_refused(text):
    assert refusal(values.parse_date, text) == "date"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("525", "525"), ("1,250.50", "1250.50"), ("1.250,50", "1250.50"), ("1,00,000", "100000"),
        ("12,5", "12.5"), ("1,250", "1250"), ("1 250", "1250"), ("৳ ১,২৫০.৫০", "1250.50"),
        ("Tk. 500", "500"), ("500 BDT", "500"), ("₹1,00,000.00", "100000.00"), ("500/-", "500"),
        ("-5", "-5"), ("1.250.000", "1250000"), ("0", "0"), ("1234.5678", "1234.5678"),
    ],
)  # fmt: skip
def test_numbers_are_read_with_either_decimal_sign(text, expected):
    assert values.parse_decimal(text) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["", "five", "1,2,3", "1.2.3", "12-5", "1,,0", "--5", "1e5", "NaN"]
)
def test_what_is_no_number_is_refused(text):
    assert refusal(values.parse_decimal, text) == "number"


@given(st.decimals(min_value=0, max_value=999_999_999, places=2, allow_nan=False))
def test_every_printed_price_is_read_back(price):
    bangla = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
    assert values.parse_price(f"{price:,.2f}") == price
    assert values.parse_price(f"{price:.2f}".translate(bangla)) == price


def test_prices_out_of_range_are_refused():
    assert refusal(values.parse_price, "-1") == "price_negative"
    assert refusal(values.parse_price, "1000000000") == "price_large"


@pytest.mark.parametrize(
    ("function", "text", "expected"),
    [
        (values.parse_email, " Rahim@Example.COM ", "rahim@example.com"),
        (values.parse_ipv4, "203.0.113.7", "203.0.113.7"),
        (values.parse_ipv4, "২০৩.০.১১৩.৭", "203.0.113.7"),
        (values.parse_ipv4, "203.0.113.7/32", "203.0.113.7"),
        (values.parse_macs, "aa:bb:cc:dd:ee:ff", "AA-BB-CC-DD-EE-FF"),
        (values.parse_macs, "aabb.ccdd.eeff, 02-00-5E-00-00-01",
         "AA-BB-CC-DD-EE-FF|02-00-5E-00-00-01"),
        (values.parse_billing_day, "৫", 5),
        (values.parse_billing_day, "21st", 21),
    ],
)  # fmt: skip
def test_single_values_are_read(function, text, expected):
    assert function(text) == expected


@pytest.mark.parametrize(
    ("function", "text", "code"),
    [
        (values.parse_email, "rahim", "email"),
        (values.parse_email, "a@b", "email"),
        (values.parse_email, "a@b.com, c@d.com", "email"),
        (values.parse_email, "a..b@c.com", "email"),
        (values.parse_ipv4, "203.0.113.256", "ipv4"),
        (values.parse_ipv4, "224.0.0.1", "ipv4"),
        (values.parse_ipv4, "10.0.0.0/24", "ipv4"),
        (values.parse_macs, "aa:bb:cc", "mac"),
        (values.parse_macs, "zz:bb:cc:dd:ee:ff", "mac"),
        (values.parse_billing_day, "0", "billing_day"),
        (values.parse_billing_day, "32", "billing_day"),
    ],
)
def test_wrong_values_are_refused(function, text, code):
    assert refusal(function, text) == code


def test_seen_keys_name_the_first_line():
    seen = SeenKeys()
    assert seen.first_line(("a", 1), 2) is None
    assert seen.first_line(("a", "1"), 3) is None
    assert seen.first_line(("a", 1), 9) == 2
    seen.close()
