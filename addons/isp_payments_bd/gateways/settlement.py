"""Reads settlement reports of gateways: CSV or XLSX, whatever rows stand above the heading.

The gateways' panels export different tables, and change them. A column is found by its heading,
from a list of known ones; a shop can name its own.
"""

import csv
import io
import itertools
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

MAX_ROWS = 200_000
MAX_BYTES = 20_000_000
MAX_UNPACKED_BYTES = 500_000_000
_HEADING_WITHIN_ROWS = 40

# Headings are compared without case, blanks and punctuation.
COLUMNS = {
    "reference": (
        *("trxid", "reference", "walletTrxId", "issuerPaymentRefNo", "bankTranId"),
        *("bankTransactionId", "transactionReference", "paymentReference", "refundTrxId"),
    ),
    "order": (
        *("orderId", "merchantInvoiceNumber", "merchantInvoice", "invoiceNumber", "invoiceNo"),
        *("tranId", "merchantOrderId", "transactionId", "merchantTransactionId"),
    ),
    "amount": (
        *("amount", "transactionAmount", "saleAmount", "grossAmount", "orderAmount"),
        *("paidAmount", "tranAmount", "amountBdt", "totalAmount", "refundAmount"),
    ),
    "fee": (
        *("fee", "charge", "commission", "serviceCharge", "merchantCharge", "transactionFee"),
        *("mdr", "mdrAmount", "gatewayFee", "bankCharge", "sslCharge", "feeAmount"),
    ),
    "vat": ("vat", "vatAmount", "vatOnFee", "vatOnCharge"),
    "net": (
        *("net", "netAmount", "settlementAmount", "settledAmount", "storeAmount", "payable"),
        *("payableAmount", "merchantShareAmount", "merchantAmount", "netPayable"),
    ),
    "kind": ("type", "transactionType", "trxType", "kind"),
    "date": (
        *("date", "transactionDate", "tranDate", "trxDate", "completedTime", "paymentDate"),
        *("dateTime", "transactionTime", "transactionDateTime", "orderDate", "initiationTime"),
    ),
}
_REFUND_WORDS = ("refund", "reversal", "reversed", "chargeback")
_MONEY = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{2,3})+)(\.[0-9]+)?", re.ASCII)
_DATES = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
    *("%d/%m/%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y", "%d %b %Y %H:%M:%S", "%d %b %Y", "%d-%b-%Y"),
    *("%d-%b-%Y %H:%M:%S", "%d/%m/%Y %I:%M %p", "%d-%b-%Y %I:%M:%S %p", "%Y%m%d%H%M%S"),
)


class ReportProblem(Exception):
    """The file cannot be read; ``code`` says why and ``values`` go into the sentence."""

    def __init__(self, code, **values):
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class Row:
    """One payment or refund of a report; amounts are positive, also of refunds."""

    number: int  # as the person who opens the file sees it
    reference: str
    order: str
    amount: Decimal
    fee: Decimal | None
    net: Decimal | None
    refund: bool
    day: date | None

    @property
    def adds_up(self):
        """Whether amount, fee and net say the same."""
        if self.fee is None or self.net is None:
            return True
        return self.amount - self.fee == self.net or self.refund


def read_report(content, columns=None):
    """Return the rows of a report.

    :param bytes content: the file
    :param dict columns: ``{"amount": "Sale Amount"}``, headings that go before the known ones
    :rtype: list[Row]
    :raise ReportProblem: ``empty``, ``large``, ``type``, ``broken``, ``columns`` or ``amount``
    """
    if content[:4] == b"PK\x03\x04":
        table = _read_xlsx(content)
        places, heading_number = _find_heading(table, columns or {})
    else:
        table, places, heading_number = _read_csv(content, columns or {})
    rows = []
    for number, cells in enumerate(table[heading_number:], heading_number + 1):
        if row := _read_row(number, cells, places):
            rows.append(row)
    if not rows:
        raise ReportProblem("empty")
    return rows


# === TABLES === #


def _read_csv(content, columns):
    """Return ``(table, places, heading number)``: amounts have commas too, so each sign is tried."""
    text = _decode(content)
    problem = None
    for delimiter in ",;\t|":
        try:
            table = list(itertools.islice(_csv_rows(text, delimiter), MAX_ROWS + 1))
            return table, *_find_heading(_checked(table), columns)
        except csv.Error:
            raise ReportProblem("broken") from None
        except ReportProblem as error:
            if error.code != "columns":
                raise
            # Say what the most telling reading of the heading was.
            if not problem or error.values["count"] > problem.values["count"]:
                problem = error
    raise problem


def _decode(content):
    if len(content) > MAX_BYTES:
        raise ReportProblem("large")
    if b"\0" in content and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise ReportProblem("type")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _csv_rows(text, delimiter):
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
        yield [cell.strip() for cell in cells]


def _read_xlsx(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise ReportProblem("large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            rows = sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 1)
            table = [[_cell_text(cell) for cell in cells] for cells in rows]
        finally:
            book.close()
    except (
        zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError,
        EOFError, TypeError, AttributeError, IndexError,
    ):  # fmt: skip
        raise ReportProblem("broken") from None
    return _checked(table)


def _checked(table):
    if len(table) > MAX_ROWS:
        raise ReportProblem("large")
    if not any(any(row) for row in table):
        raise ReportProblem("empty")
    return table


def _cell_text(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()


# === COLUMNS === #


def _plain(heading):
    return re.sub(r"[^a-z0-9]", "", heading.lower())


def _find_heading(table, columns):
    """Return ``({what: column}, row number)`` of the row that names an id and an amount."""
    for number, cells in enumerate(table[:_HEADING_WITHIN_ROWS], 1):
        headings = [_plain(cell) for cell in cells]
        places = {}
        for what, known in COLUMNS.items():
            wanted = [columns[what]] if what in columns else known
            for name in wanted:
                if (name := _plain(name)) in headings:
                    places[what] = headings.index(name)
                    break
        if "amount" in places and ("reference" in places or "order" in places):
            return places, number
    fullest = max(table[:_HEADING_WITHIN_ROWS], key=lambda row: sum(map(bool, row)))
    found = list(filter(None, fullest))
    raise ReportProblem("columns", found=", ".join(found)[:300], count=len(found))


# === ROWS === #


def _read_row(number, cells, places):
    """Return a row, ``None`` for a total, a blank line or a remark."""

    def cell(what):
        place = places.get(what)
        return cells[place] if place is not None and place < len(cells) else ""

    reference, order = cell("reference"), cell("order")
    if not reference and not order:
        return None
    values = {what: _amount(number, cell(what)) for what in ("amount", "fee", "vat", "net")}
    amount = values["amount"]
    if amount is None:
        return None
    kind = cell("kind").lower()
    refund = amount < 0 or any(word in kind for word in _REFUND_WORDS)
    fee = values["fee"]
    if values["vat"] is not None:
        fee = (fee or 0) + values["vat"]
    net = values["net"]
    if fee is None and net is not None and not refund:
        fee = abs(amount) - abs(net)
    return Row(
        number=number,
        reference=reference,
        order=order,
        amount=abs(amount),
        fee=None if fee is None else abs(fee),
        net=None if net is None else abs(net),
        refund=refund,
        day=_day(cell("date")),
    )


def _amount(number, text):
    """Return ``Decimal`` of ``1,00,000.50``, ``৳ 500``, ``BDT -5.00`` or ``(5.00)``."""
    text = text.strip()
    if text in ("", "-", "N/A"):
        return None
    plain = re.sub(r"^(BDT|Tk\.?|৳)\s*|\s*(BDT|Tk\.?|৳)$", "", text, flags=re.IGNORECASE)
    negative = plain.startswith("-") or (plain.startswith("(") and plain.endswith(")"))
    plain = plain.strip("()").lstrip("+-").strip()
    if not _MONEY.fullmatch(plain):
        raise ReportProblem("amount", row=number, text=text[:40])
    amount = Decimal(plain.replace(",", ""))
    return -amount if negative else amount


def _day(text):
    # Some write 2026-06-01T12:22:41:428 GMT+0600.
    text = re.sub(r"(\d\d:\d\d:\d\d)[.:]\d+.*$", r"\1", text.replace("T", " ").strip())
    for pattern in _DATES:
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return None
