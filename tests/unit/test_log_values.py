"""isp_base/log_values.py: what is logged of a query that failed."""

import importlib.util
import logging
from pathlib import Path

import psycopg2
import pytest

PATH = Path(__file__).parents[2] / "addons/isp_base/log_values.py"
spec = importlib.util.spec_from_file_location("log_values", PATH)
log_values = importlib.util.module_from_spec(spec)
spec.loader.exec_module(log_values)


@pytest.mark.parametrize(
    "query, logged",
    [
        ("UPDATE t SET a = 'Karim' WHERE id = 5", "UPDATE t SET a = '…' WHERE id = 5"),
        ("VALUES ('it''s Karim', NULL, E'a\\\\', 'b')", "VALUES ('…', NULL, '…', '…')"),
        (r"VALUES (E'a\'b', 'c\', 'Karim')", "VALUES ('…', '…', '…')"),
        ("SELECT 1 -- it's\nWHERE a = 'Karim'", "SELECT 1 -- it's\nWHERE a = '…'"),
        ("SELECT '--' /* it's */, 'Karim'", "SELECT '…' /* it's */, '…'"),
        (b"SELECT '\xe0\xa6\x95'", "SELECT '…'"),
        ('SELECT name AS "Name" FROM t', 'SELECT name AS "Name" FROM t'),
    ],
)
def test_the_statement_stays_and_the_texts_go(query, logged):
    assert log_values.without_values(query) == logged


def test_the_row_goes_out_of_the_record_and_out_of_the_error():
    error = psycopg2.errors.NotNullViolation('null in column "a"\nDETAIL:  Failing row (Karim)')
    record = logging.LogRecord(
        "odoo.sql_db",
        logging.ERROR,
        "",
        1,
        "bad query: %s\nERROR: %s",
        ("x = 'Karim'", error),
        None,
    )
    assert log_values.WithoutValues().filter(record)
    assert "Karim" not in record.getMessage() + str(error) + repr(error)
    assert 'null in column "a"' in record.getMessage()


def test_other_records_pass():
    record = logging.LogRecord("odoo.sql_db", logging.INFO, "", 1, "%s of %s", (1, 2), None)
    assert log_values.WithoutValues().filter(record)
    assert record.getMessage() == "1 of 2"
