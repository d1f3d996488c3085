"""Puts the SQL files into a database, only when they differ from what is there."""

import hashlib
import logging
from pathlib import Path

_logger = logging.getLogger(__name__)

ROLE = "radius_ro"
# In this order: a file may use what stands in those before it, and final.sql uses all.
FILES = (
    "schema.sql",
    "voucher.sql",
    "login.sql",
    "accounting.sql",
    "usage.sql",
    "retention.sql",
    "coa.sql",
    "addresses.sql",
    "final.sql",
)


def apply(cr):
    """Create or update the schema and give FreeRADIUS' role its rights.

    The digest of the files is kept as the schema's comment: DDL takes locks that logins would wait
    for, so an upgrade that changes nothing runs none.

    :return: whether anything was executed
    """
    content = read()
    digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
    cr.execute("SELECT obj_description(to_regnamespace('radius'), 'pg_namespace')")
    changed = cr.fetchone()[0] != digest
    if changed:
        cr.execute(content)
        cr.execute("COMMENT ON SCHEMA radius IS %s", [digest])
    grant(cr, again=changed)
    return changed


def read():
    """Return the text of all files, in the order they are applied in."""
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in FILES)


def grant(cr, again=True):
    """Let FreeRADIUS' role use the schema, as far as a DBA has created it.

    :param again: also when the role has its rights already
    """
    cr.execute(
        "SELECT has_schema_privilege(oid, 'radius', 'USAGE') FROM pg_roles WHERE rolname = %s",
        [ROLE],
    )
    found = cr.fetchone()
    if not found:
        _logger.warning(
            "Database role %s does not exist, so FreeRADIUS cannot log in yet. Let a database "
            "administrator run deploy/postgresql/radius_role.sql.",
            ROLE,
        )
    elif again or not found[0]:
        cr.execute("SELECT radius.grant_access(%s)", [ROLE])


def drop(cr):
    """Remove the schema with its triggers. The role stays: it belongs to the whole cluster."""
    cr.execute("DROP SCHEMA IF EXISTS radius CASCADE")
