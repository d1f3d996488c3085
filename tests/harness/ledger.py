"""What the books of a database say, as one number: copies that were billed alike have the same."""

from dataclasses import dataclass

import psycopg2
import pytest

from .databases import query

# Differs between two copies of a database although the books are the same.
OTHERWISE = ["id", "create_date", "write_date", "access_token", "run_id"]
ROW_IDS = ["move_id", "invoice_line_id", "move_ids"]
# Given in the order in which workers commit, so two who share the work may swap them.
NUMBERS = ["name", "move_name", "sequence_number", "payment_reference"]

# Every column of every journal item, its entry, its taxes and its charge. Ids of what was there
# before stay as they are; an entry is known by its number, or by customer, origin and day.
BOOKS = """
    WITH entry AS (
        SELECT m.id, m.name,
               CASE WHEN %(numbered)s THEN m.name
                    ELSE concat_ws(' ', m.partner_id, m.invoice_origin, m.invoice_date)
               END AS key
          FROM account_move m
    ), item AS (
        SELECT concat_ws(' ', entry.key, row_number() OVER (PARTITION BY m.id ORDER BY l.id),
                   to_jsonb(m) - %(without)s::text[],
                   to_jsonb(l) - %(without)s::text[],
                   CASE WHEN %(numbered)s THEN l.name ELSE replace(l.name, m.name, '#') END,
                   ARRAY(SELECT account_tax_id FROM account_move_line_account_tax_rel
                          WHERE account_move_line_id = l.id ORDER BY 1),
                   ARRAY(SELECT account_account_tag_id
                           FROM account_account_tag_account_move_line_rel
                          WHERE account_move_line_id = l.id ORDER BY 1)) AS told
          FROM account_move_line l
          JOIN account_move m ON m.id = l.move_id
          JOIN entry ON entry.id = m.id
    ), charge AS (
        SELECT concat_ws(' ', entry.key, l.name, to_jsonb(c) - %(without)s::text[]) AS told
          FROM isp_charge c
     LEFT JOIN entry ON entry.id = c.move_id
     LEFT JOIN account_move_line l ON l.id = c.invoice_line_id
    )
    SELECT (SELECT count(*) FROM item),
           (SELECT string_agg(md5(told), '' ORDER BY md5(told)) FROM item),
           (SELECT count(*) FROM charge),
           (SELECT string_agg(md5(told), '' ORDER BY md5(told)) FROM charge)
"""


@dataclass(frozen=True)
class Books:
    """Counts and hash of the journal items and charges of a database."""

    items: int
    charges: int
    hash: str


def read_books(database, numbered=True):
    """The books of a database.

    :param numbered: whether the numbers of the invoices count
    """
    without = OTHERWISE + ROW_IDS + ([] if numbered else NUMBERS)
    ((items, of_items, charges, of_charges),) = query(
        database, BOOKS, {"numbered": numbered, "without": without}
    )
    ((digest,),) = query(
        database,
        "SELECT encode(sha256((%s || %s)::bytea), 'hex')",
        [of_items or "", of_charges or ""],
    )
    return Books(items, charges, digest)


def assert_books_are_whole(database, subscriptions):
    """One posted invoice per subscription, numbers without gap, no day charged twice."""
    assert query(
        database,
        "SELECT count(*), count(DISTINCT partner_id), count(DISTINCT name), min(state), max(state),"
        " max(sequence_number) - min(sequence_number) + 1, count(DISTINCT sequence_prefix),"
        " bool_or(made_sequence_gap) FROM account_move",
    ) == [(*[subscriptions] * 3, "posted", "posted", subscriptions, 1, False)]
    assert not query(
        database, "SELECT move_id FROM account_move_line GROUP BY 1 HAVING sum(balance) <> 0"
    )
    assert not query(
        database, "SELECT id FROM isp_charge WHERE move_id IS NULL OR invoice_line_id IS NULL"
    )
    assert query(
        database,
        "SELECT convalidated FROM pg_constraint WHERE conname = 'isp_charge_period_once'",
    ) == [(True,)]
    with pytest.raises(psycopg2.errors.ExclusionViolation):
        _charge_a_day_again(database)


def _charge_a_day_again(database):
    """Insert a charge that shares its first day with one that is there."""
    ((columns,),) = query(
        database,
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attnum > 0"
        " AND attrelid = 'isp_charge'::regclass AND NOT attisdropped"
        " AND attname NOT IN ('id', 'date_to')",
    )
    query(
        database,
        f"INSERT INTO isp_charge ({columns}, date_to)"
        f" SELECT {columns}, date_from + 1 FROM isp_charge WHERE charge_type = 'recurring' LIMIT 1",
    )
