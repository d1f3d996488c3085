"""The database's own guard of the audit chain, of ledgers and of published texts.

It refuses, whoever asks and by whatever way: to change or delete a row of the chain, to add one
that pretends to be sealed, and any change but the sealing itself, which may only fill in number and
hash of a row that has none. Of a ledger it lets erasure empty the columns that are named for it,
and nothing else. A published text stays as it is.

What it cannot do: the tables belong to the role that Odoo connects with, and an owner may drop a
trigger.  So this stops mistakes and faulty code, not somebody who has the password of the database.
Against him stands the chain: what he changes does not fit its hash, and what he hashes anew does
not fit the hash that was mailed to the privacy officers.
"""

from odoo.tools import SQL

_FUNCTION = """
CREATE OR REPLACE FUNCTION privacy_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- By name through jsonb, so that no column is bound to the function.
    sealing text[] := ARRAY['seal_seq', 'hash'];
    new_row jsonb;
    old_row jsonb;
    erasable text[];
BEGIN
    IF TG_OP IN ('INSERT', 'UPDATE') AND TG_ARGV[0] = 'sealed later' THEN
        new_row := to_jsonb(NEW);
        IF TG_OP = 'INSERT' THEN
            IF new_row->>'seal_seq' IS NULL AND new_row->>'hash' IS NULL THEN
                RETURN NEW;
            END IF;
        ELSE
            old_row := to_jsonb(OLD);
            IF old_row->>'seal_seq' IS NULL AND new_row->>'seal_seq' IS NOT NULL
                    AND new_row->>'hash' IS NOT NULL AND new_row - sealing = old_row - sealing THEN
                RETURN NEW;
            END IF;
        END IF;
    ELSIF TG_OP = 'UPDATE' AND TG_ARGV[0] = 'only emptied' THEN
        new_row := jsonb_strip_nulls(to_jsonb(NEW));
        old_row := jsonb_strip_nulls(to_jsonb(OLD));
        erasable := string_to_array(TG_ARGV[1], ' ');
        -- What is left was there before, and outside these columns nothing is missing.
        IF old_row @> new_row AND old_row - erasable = new_row - erasable THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP IN ('UPDATE', 'DELETE') AND TG_ARGV[0] = 'frozen' THEN
        IF to_jsonb(OLD)->>TG_ARGV[1] IS NULL THEN
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END IF;
    END IF;
    RAISE EXCEPTION 'Rows of % are evidence: they are added and sealed, never changed or deleted',
        TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def protect_rows(cr):
    """Guard the table of audit rows, which are sealed after they were added."""
    _protect(cr, "privacy_audit", SQL("INSERT OR UPDATE OR DELETE"), "sealed later")


def protect_seals(cr):
    """Guard the table of seals, whose rows never change."""
    _protect(cr, "privacy_audit_seal", SQL("UPDATE OR DELETE"), "never")


def protect_ledger(cr, table, erasable):
    """Guard a ledger: rows are added; erasure may empty the columns ``erasable``."""
    _protect(cr, table, SQL("UPDATE OR DELETE"), "only emptied", " ".join(erasable))


def protect_frozen(cr, table, column):
    """Guard rows as soon as they have a value in ``column``."""
    _protect(cr, table, SQL("UPDATE OR DELETE"), "frozen", column)


def _protect(cr, table, operations, change, columns=""):
    cr.execute(_FUNCTION)
    for name, events, level in (
        ("privacy_audit_keep_rows", operations, SQL("ROW")),
        ("privacy_audit_keep_table", SQL("TRUNCATE"), SQL("STATEMENT")),
    ):
        cr.execute(
            SQL(
                "CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s"
                " FOR EACH %s EXECUTE FUNCTION privacy_audit_guard(%s, %s)",
                SQL.identifier(name),
                events,
                SQL.identifier(table),
                level,
                change,
                columns,
            )
        )


def drop(cr):
    """Remove the guard; its triggers go with it."""
    cr.execute("DROP FUNCTION IF EXISTS privacy_audit_guard() CASCADE")
