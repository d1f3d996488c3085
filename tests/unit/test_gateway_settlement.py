"""Settlement reports of gateways: CSV and XLSX, whatever stands above the heading."""

import io
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest

from gateways.settlement import ReportProblem, read_report

BKASH = """Merchant Settlement Report,,,,,
From,01/06/2026,To,02/06/2026,,
,,,,,
Trx ID,Transaction Date,Transaction Type,Transaction Amount,Service Charge,Net Amount
BFD90JRLST,01/06/2026 12:22:41,Payment,500.00,7.50,492.50
BFD90JRLSU,01/06/2026 13:00:00,Payment,"1,00,500.00","1,507.50","98,992.50"
BFD90JRLSV,02/06/2026 09:00:00,Refund,-200.00,0.00,-200.00
,,Total,"1,00,800.00","1,515.00","99,285.00"
"""


def csv_of(*rows):
    return "\n".join(rows).encode()


def xlsx_of(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def problem_of(content, columns=None):
    with pytest.raises(ReportProblem) as caught:
        read_report(content, columns)
    return caught.value


def test_csv_with_rows_above_the_heading_and_a_total():
    rows = read_report(BKASH.encode())
    assert [(row.number, row.reference, row.amount, row.fee, row.refund) for row in rows] == [
        (5, "BFD90JRLST", Decimal("500.00"), Decimal("7.50"), False),
        (6, "BFD90JRLSU", Decimal("100500.00"), Decimal("1507.50"), False),
        (7, "BFD90JRLSV", Decimal("200.00"), Decimal("0.00"), True),
    ]
    assert rows[0].day == date(2026, 6, 1)
    assert all(row.adds_up for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(encoding, delimiter):
    text = f"Trx ID{delimiter}Amount\nA1{delimiter}5.00\n"
    rows = read_report(text.encode(encoding))
    assert (rows[0].reference, rows[0].amount) == ("A1", Decimal("5.00"))


def test_xlsx():
    rows = read_report(
        xlsx_of(
            ["Report", None],
            ["Tran ID", "Bank Tran ID", "Tran Date", "Amount (BDT)", "Store Amount"],
            ["K7QW", "BTX1", datetime(2026, 6, 1, 12, 0), 500, 487.65],
            ["K7QX", "BTX2", "2026-06-02 10:00:00", 10.5, 10.5],
        )
    )
    assert [(row.order, row.reference, row.amount, row.fee) for row in rows] == [
        ("K7QW", "BTX1", Decimal("500"), Decimal("12.35")),
        ("K7QX", "BTX2", Decimal("10.5"), Decimal("0.0")),
    ]
    assert [row.day.day for row in rows] == [1, 2]


def test_a_fee_with_vat():
    [row] = read_report(csv_of("TrxID,Amount,Charge,VAT,Net", "A1,100,2.00,0.30,97.70"))
    assert (row.fee, row.adds_up) == (Decimal("2.30"), True)


def test_a_row_that_does_not_add_up():
    [row] = read_report(csv_of("TrxID,Amount,Fee,Net", "A1,100,2.00,99.00"))
    assert not row.adds_up


def test_columns_that_a_shop_names():
    content = csv_of("Foo,Bar", "A1,100")
    assert problem_of(content).values["found"] == "Foo, Bar"
    [row] = read_report(content, {"reference": "foo", "amount": "BAR"})
    assert (row.reference, row.amount) == ("A1", Decimal(100))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500", "500"),
        ("1,000.00", "1000.00"),
        ("1,00,000.5", "100000.5"),
        ("৳ 500.00", "500.00"),
        ("BDT 500", "500"),
        ("500.00 Tk", "500.00"),
        ("(5.00)", "5.00"),
        ("-5.00", "5.00"),
    ],
)
def test_amounts(text, amount):
    [row] = read_report(csv_of("TrxID;Amount", f"A1;{text}"))
    assert row.amount == Decimal(amount)
    assert row.refund == (text[0] in "-(")


@pytest.mark.parametrize("text", ["1e3", "NaN", "1,0,0", "5.0.0", "abc", "1 000", "=5", "٥"])
def test_what_is_no_amount_names_its_row(text):
    problem = problem_of(csv_of("TrxID;Amount", "A0;1", f"A1;{text}"))
    assert (problem.code, problem.values) == ("amount", {"row": 3, "text": text})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n \n", "empty"),
        (b"TrxID,Amount\n", "empty"),
        (b"TrxID,Amount\n,\nTotal,\n", "empty"),
        (b"%PDF-1.4\0\0\0", "type"),
        (b"PK\x03\x04 broken", "broken"),
        (b'TrxID,Amount\nA1,"5', "broken"),
        (b"Name,Amount\nA,5\n", "columns"),
        (b"x" * 20_000_001, "large"),
    ],
)
def test_files_that_are_none(content, code):
    assert problem_of(content).code == code


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-06-01T12:22:41:428 GMT+0600", date(2026, 6, 1)),
        ("2026-06-01 12:00:00.0", date(2026, 6, 1)),
        ("01-06-2026", date(2026, 6, 1)),
        ("1 Jun 2026", date(2026, 6, 1)),
        ("20260601122241", date(2026, 6, 1)),
        ("next week", None),
        ("", None),
    ],
)
def test_days(text, day):
    [row] = read_report(csv_of("TrxID;Amount;Date", f"A1;5;{text}"))
    assert row.day == day
