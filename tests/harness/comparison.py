"""Compares two databases row by row after the same thing was done in copies of one of them.

Nothing is listed by hand: a table was touched when its content is not that of the original, and
every column of every row of it is compared. Ids differ between the copies, so a new row is known by
what it says: its id is replaced, there and wherever a foreign key refers to it, by a label made from
``NATURAL_KEYS``.
"""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from psycopg2 import sql

from . import databases

TIMES = {"create_date", "write_date"}
# Random in each copy; compared is that they are there, and that no two of a table are the same.
TOKENS = {"access_token", "message_id"}
# The moment of something that may not have happened; compared is whether it has.
MOMENTS = {"settled_at"}
# What makes a new row of a table the same row in both copies; columns that are foreign keys stand
# for the label of the row they refer to. Every other table is compared as a set of rows.
NATURAL_KEYS = {
    "account_move": ("journal_id", "name"),
    "account_move_line": ("move_id", "#"),  # its place in the entry, by id
    "isp_charge": ("line_id", "charge_type", "date_from"),
    "isp_billing_run": ("company_id", "target_date"),
    "account_partial_reconcile": ("debit_move_id", "credit_move_id"),
    "account_full_reconcile": ("#",),
}


@dataclass
class Comparison:
    """What was compared, and the differences as sentences."""

    tables: dict = field(default_factory=dict)  # name: (columns, rows)
    differences: list = field(default_factory=list)

    @property
    def columns(self):
        """Number of columns compared."""
        return sum(columns for columns, _rows in self.tables.values())

    @property
    def rows(self):
        """Number of rows compared, on each side."""
        return sum(rows for _columns, rows in self.tables.values())


def compare(original, left, right, ignored=()):
    """Compare what was written to ``left`` and to ``right``, copies of ``original``.

    :param ignored: ``(table, column)`` pairs that differ by design, ``*`` for all columns
    """
    sides = [_Side(name) for name in (original, left, right)]
    try:
        return _compare(*sides, set(ignored))
    finally:
        for side in sides:
            side.close()


class _Side:
    def __init__(self, database):
        self.connection = databases.connect(database)

    def close(self):
        self.connection.close()

    def query(self, statement, *names):
        with closing(self.connection.cursor()) as cr:
            cr.execute(sql.SQL(statement).format(*(sql.Identifier(*name) for name in names)))
            return [column.name for column in cr.description], cr.fetchall()

    def tables(self):
        """Every table as ``(schema, name)``."""
        _columns, rows = self.query(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        return sorted(rows)

    def digest(self, table):
        """A value that changes when a row of the table does."""
        _columns, rows = self.query(
            "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {} t", table
        )
        return rows[0]

    def foreign_keys(self):
        """``{table: {column: table referred to}}`` of one-column keys."""
        _columns, rows = self.query(
            "SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text"
            " FROM pg_constraint c JOIN pg_attribute a"
            " ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'f' AND cardinality(c.conkey) = 1"
        )
        keys = {}
        for table, column, target in rows:
            keys.setdefault(table, {})[column] = target
        return keys

    def rows(self, table):
        """The rows as dictionaries of text."""
        columns, rows = self.query("SELECT * FROM {}", table)
        return [
            {
                column: bytes(value) if isinstance(value, memoryview) else value
                for column, value in zip(columns, row, strict=True)
            }
            for row in rows
        ]


def _compare(original, left, right, ignored):
    result = Comparison()
    if left.tables() != right.tables():
        result.differences.append("the databases do not have the same tables")
    touched = [
        table
        for table in left.tables()
        if len({side.digest(table) for side in (original, left, right)}) > 1
        and (table[-1], "*") not in ignored
    ]
    known_ids = {
        table[-1]: {row["id"] for row in original.rows(table)}
        for table in touched
        if "id" in original.query("SELECT * FROM {} LIMIT 0", table)[0]
    }
    labels = [_Labels(side, touched, known_ids) for side in (left, right)]
    for table in touched:
        _compare_table(table, original, labels, ignored, result)
    return result


class _Labels:
    """The new rows of one copy, by labels that do not depend on ids."""

    def __init__(self, side, touched, known_ids):
        self.foreign_keys = side.foreign_keys()
        self.rows = {table[-1]: side.rows(table) for table in touched}
        self.known_ids = known_ids
        self.of = {}
        for table in NATURAL_KEYS:
            if table in self.rows:
                self.of[table] = self._label(table)

    def _label(self, table):
        labels, places = {}, Counter()
        for row in sorted(self.rows[table], key=lambda row: row["id"]):
            if row["id"] in self.known_ids[table]:
                continue
            key = []
            for column in NATURAL_KEYS[table]:
                if column == "#":
                    places[tuple(key)] += 1
                    key.append(places[tuple(key)])
                else:
                    key.append(self.replace(table, column, row[column]))
            labels[row["id"]] = (table, *key)
        return labels

    def replace(self, table, column, value):
        """``value``, or the label of the new row it is the id of."""
        if column in TOKENS | MOMENTS:
            return value and "there"
        target = table if column == "id" else self.foreign_keys.get(table, {}).get(column)
        if target is None:
            return value
        label = self.of.get(target, {}).get(value)
        if label is None and column == "id" and value not in self.known_ids.get(table, ()):
            return "new"
        return value if label is None else label

    def unchanged(self, table, rows):
        """Rows of the original in the form of :meth:`canonical`."""
        return [
            tuple(
                (column, repr(value and "there" if column in TOKENS | MOMENTS else value))
                for column, value in row.items()
            )
            for row in rows
        ]

    def canonical(self, table, without):
        """The rows of a table, each as a comparable tuple."""
        return [
            tuple(
                (column, repr(self.replace(table, column, value)))
                for column, value in row.items()
                if column not in without
            )
            for row in self.rows[table]
        ]


def _compare_table(table, original, labels, ignored, result):
    name = table[-1]
    without = TIMES | {column for table_name, column in ignored if table_name == name}
    left, right = (Counter(side.canonical(name, without)) for side in labels)
    columns = original.query("SELECT * FROM {} LIMIT 0", table)[0]
    before = Counter(
        tuple((column, value) for column, value in row if column not in without)
        for row in labels[0].unchanged(name, original.rows(table))
    )
    result.tables[name] = (
        len([column for column in columns if column not in without]),
        sum((right - before).values()),
    )
    for token in TOKENS.intersection(columns):
        for side in labels:
            known = side.known_ids.get(name, ())
            tokens = [
                row[token] for row in side.rows[name] if row[token] and row["id"] not in known
            ]
            if len(tokens) != len(set(tokens)):
                result.differences.append(f"{name}: {token} is not unique")
    missing, surplus = left - right, right - left
    for one, other in zip(sorted(missing.elements()), sorted(surplus.elements()), strict=False):
        apart = [
            f"{column}: {value} <> {their}"
            for (column, value), (_column, their) in zip(one, other, strict=True)
            if value != their
        ]
        result.differences.append(f"{name}: {'; '.join(apart)} in {dict(one).get('name')}")
    if sum(missing.values()) != sum(surplus.values()):
        result.differences.append(
            f"{name}: {sum(left.values())} rows on the left, {sum(right.values())} on the right"
        )
