"""The search for what is left of a person after an erasure.

It looks into every text, JSON and binary column of every table of every schema, whether the ORM
knows it or not, and into the files behind attachments: each table is read once. What it returns is
where something is left, never what.
"""

import base64
import binascii
import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from odoo.tools import SQL

# Rows named with a finding, so that somebody can look at them.
MAX_ROWS = 5
FETCH = 500
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*\Z")
_PDF_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.S)
# A compressed file may unpack to any size; more than this of one is not looked at.
MAX_UNPACKED = 64 * 2**20

_COLUMNS = """
    SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum),
        array_agg(t.typname = 'bytea' ORDER BY a.attnum),
        has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'),
        EXISTS (SELECT FROM pg_attribute i WHERE i.attrelid = c.oid AND i.attname = 'id'
                AND NOT i.attisdropped)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
        AND a.attnum > 0 AND NOT a.attisdropped
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND NOT pg_is_other_temp_schema(n.oid) AND n.oid <> pg_my_temp_schema()
        AND t.typcategory IN ('A', 'C', 'I', 'S', 'U')
    GROUP BY n.nspname, c.relname, c.oid, n.oid
    ORDER BY n.nspname <> current_schema, n.nspname, c.relname
"""


class Table(NamedTuple):
    """A table with those of its columns that can hold a name or a number."""

    schema: str
    name: str
    texts: tuple
    binaries: tuple
    is_readable: bool
    has_id: bool

    @property
    def sql(self):
        return SQL("%s.%s", SQL.identifier(self.schema), SQL.identifier(self.name))


class Finding(NamedTuple):
    """Where something is left."""

    schema: str
    table: str
    column: str
    count: int
    rows: tuple = ()


# === THE DATABASE === #


def list_tables(cr):
    """Return the tables of the database, of all schemas."""
    cr.execute(_COLUMNS)
    return [
        Table(
            schema,
            name,
            tuple(c for c, is_bytes in zip(columns, binary, strict=True) if not is_bytes),
            tuple(c for c, is_bytes in zip(columns, binary, strict=True) if is_bytes),
            readable,
            has_id,
        )
        for schema, name, columns, binary, readable, has_id in cr.fetchall()
    ]


def search_database(cr, patterns):
    """Return a :class:`Finding` for each column in which an identifier is left.

    A table that may not be read is a finding of its own, for nobody knows what is in it.
    """
    found = []
    for table in list_tables(cr):
        if not table.is_readable:
            found.append(Finding(table.schema, table.name, "*", 0))
        else:
            found += _search_table(cr, patterns, table)
    return found


def _search_table(cr, patterns, table):
    rows = {}
    for row_id, values in matching_rows(cr, patterns, table):
        for column in values:
            rows.setdefault(column, []).append(row_id)
    for column in table.binaries:
        for row_id, content in _fetch_binaries(cr, table, column):
            if any(patterns.found_in(text) for text in texts_of(content)):
                rows.setdefault(column, []).append(row_id)
    return [
        Finding(table.schema, table.name, column, len(ids), tuple(filter(None, ids))[:MAX_ROWS])
        for column, ids in rows.items()
    ]


def matching_rows(cr, patterns, table, columns=None, locate=None):
    """Yield ``(row id, {column: text})`` of the rows that hold an identifier.

    :param columns: of these columns only
    :param locate: SQL of what tells a row, instead of its id
    """
    columns = [name for name in table.texts if columns is None or name in columns]
    if not columns or not patterns:
        return
    texts = [SQL("%s::text", SQL.identifier(name)) for name in columns]
    locate = locate or (SQL("id") if table.has_id else SQL("NULL"))
    query = SQL(
        # All columns in one go: what only seems to go from one into the next is sorted out below.
        "SELECT %s, %s FROM %s WHERE concat_ws(chr(10), %s) ~* %s",
        locate,
        SQL(", ").join(texts),
        table.sql,
        SQL(", ").join(texts),
        patterns.loose,
    )
    for row_id, *values in _fetch(cr, query):
        held = {
            name: value
            for name, value in zip(columns, values, strict=True)
            if value and patterns.found_in(value)
        }
        if held:
            yield row_id, held


def _fetch_binaries(cr, table, column):
    name = SQL.identifier(column)
    locate = SQL("id") if table.has_id else SQL("NULL")
    query = SQL("SELECT %s, %s FROM %s WHERE %s IS NOT NULL", locate, name, table.sql, name)
    for row_id, content in _fetch(cr, query):
        yield row_id, bytes(content)


def _fetch(cr, query):
    """Read rows in portions, so that a table never has to fit into memory."""
    cr.execute(SQL("DECLARE privacy_sweep NO SCROLL CURSOR FOR %s", query))
    try:
        while True:
            cr.execute(SQL("FETCH %s FROM privacy_sweep", FETCH))
            rows = cr.fetchall()
            yield from rows
            if len(rows) < FETCH:
                return
    finally:
        cr.execute("CLOSE privacy_sweep")


# === FILES === #


def search_files(folder, names, patterns):
    """Return those of the files under ``folder`` in which an identifier is left."""
    found = []
    for name in names:
        try:
            content = (Path(folder) / name).read_bytes()
        except FileNotFoundError:
            continue  # its row was deleted meanwhile
        if any(patterns.found_in(text) for text in texts_of(content)):
            found.append(name)
    return found


def texts_of(content):
    """Yield the texts in a file: as it is, and unpacked if it is of a kind that is packed.

    Text that a PDF draws with fonts of its own is not read; see the index of its attachment.
    """
    yield content.decode("utf-8", "replace")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield content.decode("utf-16", "replace")
    if content[:4] == b"PK\x03\x04":
        yield from _texts_of_zip(content)
    elif content[:2] == b"\x1f\x8b":
        yield _inflate(content, wbits=31).decode("utf-8", "replace")
    elif content[:5] == b"%PDF-":
        for stream in _PDF_STREAM.findall(content):
            yield _inflate(stream).decode("utf-8", "replace")
    elif _BASE64.match(content):
        # Odoo keeps what is in a column, and not in a file, in this form.
        try:
            yield from texts_of(base64.b64decode(content))
        except (binascii.Error, RecursionError):
            return


def _texts_of_zip(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                yield info.filename
                with archive.open(info) as member:
                    yield member.read(MAX_UNPACKED).decode("utf-8", "replace")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
        return  # broken, or locked by a password: nobody reads it without one


def _inflate(content, wbits=zlib.MAX_WBITS):
    try:
        return zlib.decompressobj(wbits).decompress(content, MAX_UNPACKED)
    except zlib.error:
        return b""
