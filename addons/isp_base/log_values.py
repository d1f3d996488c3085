"""What people wrote stays out of the log when a query fails.

Odoo logs such a query as it was sent, with every value in it, and PostgreSQL repeats the whole row in
the details of its error, which every traceback then shows. The statement, and which column or
constraint was hurt, is what helps to find the mistake.
"""

import logging
import re

import psycopg2

# Comments are recognised too, for an apostrophe in one begins no text.
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|\bE'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'", re.DOTALL
)
_QUOTED = re.compile(r'"[^"]*"')
_DATA_ERROR = "22"  # class of the errors that quote the value they complain of


def without_values(query):
    """Return a query with all texts in it replaced by dots."""
    text = query.decode(errors="replace") if isinstance(query, bytes) else str(query)
    return _TOKEN.sub(lambda found: found["comment"] or "'…'", text)


def first_line(error):
    """Return what an error of PostgreSQL says, without the row that it shows."""
    line = str(error).partition("\n")[0]
    return _QUOTED.sub('"…"', line) if (error.pgcode or "").startswith(_DATA_ERROR) else line


class WithoutValues(logging.Filter):
    """Takes the values out of what ``odoo.sql_db`` logs, and out of the error that is raised on."""

    def filter(self, record):
        """Change the record, and let it through."""
        arguments = record.args
        if isinstance(arguments, tuple) and len(arguments) == 2:
            query, error = arguments
            if isinstance(error, psycopg2.Error):
                error.args = (first_line(error),)
                record.args = (without_values(query), error)
        return True


logging.getLogger("odoo.sql_db").addFilter(WithoutValues())
