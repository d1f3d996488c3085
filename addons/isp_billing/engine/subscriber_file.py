"""Reads tables of subscribers: CSV in any usual encoding, and XLSX.

A file is read from its beginning to its end and never held in memory; all values come as text.
"""

import codecs
import csv
import io
import itertools
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from .problems import FileProblem
from .safe_csv import unguard
from .values import clean_text

SAMPLE_BYTES = 65536
MAX_COLUMNS = 500
MAX_UNPACKED_BYTES = 2_000_000_000
# Some programs write a million empty rows after the last one.
MAX_BLANK_ROWS = 2000
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Row:
    """One row: its number as the person who opens the file sees it, and its cells as text."""

    number: int
    values: list


class SubscriberFile:
    """A table with one heading row.

    :param source: a seekable binary file; it stays open
    :raises FileProblem: when it is no table, or its headings cannot tell columns apart
    """

    def __init__(self, source):
        self._source = source
        self._read = self._find_reader()
        heading = next(self._read(), None)
        if heading is None:
            raise FileProblem("file_empty")
        self.columns = _check_heading(heading)

    def rows(self):
        """Iterate over the rows below the heading; blank rows are left out."""
        width = len(self.columns)
        for row in itertools.islice(self._read(), 1, None):
            values = row.values
            values = values[:width] + [value for value in values[width:] if value]
            yield Row(row.number, values + [""] * (width - len(values)))

    # === WHAT IS IT === #

    def _find_reader(self):
        self._source.seek(0)
        sample = self._source.read(SAMPLE_BYTES)
        if not sample.strip(b"\0 \t\r\n"):
            raise FileProblem("file_empty")
        if sample.startswith(b"PK\x03\x04"):
            return self._read_xlsx
        if sample.startswith(b"\xd0\xcf\x11\xe0"):
            raise FileProblem("file_xls")
        self._encoding = self._find_encoding(sample)
        self._delimiter = self._find_delimiter()
        return self._read_csv

    def _find_encoding(self, sample):
        if sample.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in sample:
            return _find_utf16(sample)
        if sum(byte < 9 or 13 < byte < 27 for byte in sample):
            raise FileProblem("file_type")
        return "utf-8" if self._is_utf8() else "cp1252"

    def _is_utf8(self):
        decoder = codecs.getincrementaldecoder("utf-8")()
        self._source.seek(0)
        try:
            while chunk := self._source.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True

    def _find_delimiter(self):
        with self._text() as text:
            try:
                heading = next((line for line in text if line.strip()), "")
            except UnicodeError:
                raise FileProblem("file_type") from None
        counts = dict.fromkeys(_DELIMITERS, 0)
        quoted = False
        for sign in heading:
            quoted ^= sign == '"'
            if not quoted and sign in counts:
                counts[sign] += 1
        return max(_DELIMITERS, key=counts.get)

    # === READERS === #

    def _text(self):
        self._source.seek(0)
        return _Detached(self._source, self._encoding)

    def _read_csv(self):
        with self._text() as text:
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            number = 1
            try:
                for cells in reader:
                    values = [clean_text(unguard(cell)) for cell in cells]
                    if any(values):
                        yield Row(number, values)
                    number = reader.line_num + 1
            except csv.Error:
                raise FileProblem("csv_broken", line=number) from None
            except UnicodeError:
                raise FileProblem("file_type") from None

    def _read_xlsx(self):
        self._source.seek(0)
        try:
            with zipfile.ZipFile(self._source) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                    raise FileProblem("file_large")
            book = openpyxl.load_workbook(self._source, read_only=True, data_only=True)
            try:
                yield from self._read_sheet(book)
            finally:
                book.close()
        except (
            zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError,
            EOFError, TypeError, AttributeError, IndexError,
        ) as error:  # fmt: skip
            if isinstance(error, FileProblem):
                raise
            raise FileProblem("xlsx_broken") from None

    def _read_sheet(self, book):
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not sheets:
            return
        sheets[0].reset_dimensions()
        blank = 0
        for number, cells in enumerate(sheets[0].iter_rows(values_only=True), 1):
            values = [clean_text(unguard(_cell_text(cell))) for cell in cells]
            if any(values):
                blank = 0
                yield Row(number, values)
            elif (blank := blank + 1) > MAX_BLANK_ROWS:
                return


def _find_utf16(sample):
    """Which UTF-16 without byte order mark: the one whose high bytes are the zeros."""
    encoding = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    text = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
    if "\ufffd" in text[:-1] or any(sign < " " and sign not in "\t\r\n" for sign in text):
        raise FileProblem("file_type")
    return encoding


class _Detached:
    """A text view of a binary file that does not close it."""

    def __init__(self, source, encoding):
        self._wrapper = io.TextIOWrapper(
            source, encoding, newline="", errors="replace" if encoding == "cp1252" else "strict"
        )

    def __enter__(self):
        return self._wrapper

    def __exit__(self, *_exception):
        self._wrapper.detach()


def _check_heading(heading):
    """Names of the columns; two equal ones, or one without name, could not be told apart."""
    names = list(heading.values)
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise FileProblem("file_type")
    seen = {}
    for number, name in enumerate(names, 1):
        if not name:
            raise FileProblem("heading_empty", column=number)
        if name.casefold() in seen:
            raise FileProblem(
                "heading_twice", name=name, first=seen[name.casefold()], second=number
            )
        seen[name.casefold()] = number
    return names


def _cell_text(value):
    """A spreadsheet cell as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"
    if isinstance(value, datetime):
        value = value.date() if value.time() == time() else value
    if isinstance(value, date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)
