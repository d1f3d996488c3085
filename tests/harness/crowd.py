"""A crowd of subscriptions out of a few: rows multiplied by SQL, in seconds instead of minutes."""

from contextlib import closing

from . import databases

# What may not be the same twice, in a copy numbered ``k``.
UNIQUE = {
    ("isp_subscription", "name"): "t.name || '-' || k",
    ("isp_subscription", "username"): "t.username || '-' || k",
    ("isp_subscription", "external_ref"): "t.external_ref || '-' || k",
    ("isp_entitlement", "username"): "t.username || '-' || k",
    ("res_partner", "name"): "t.name || '-' || k",
    ("res_partner", "complete_name"): "t.complete_name || '-' || k",
}
SEEDED = {"res_partner": "t.id IN (SELECT partner_id FROM isp_subscription)"}


def multiply_subscriptions(database, times):
    """Make each subscription ``times`` ones, each with a customer of its own.

    Every row that hangs on a subscription is copied with it, whatever table it is in.
    """
    with closing(databases.connect(database)) as connection, connection.cursor() as cr:
        cr.execute("BEGIN")
        keys = _foreign_keys(cr)
        tables = _tables_to_copy(cr, keys)
        spans = {table: _id_range(cr, table) for table in tables}
        for table in tables:
            _copy_rows(cr, table, keys.get(table, {}), spans, times)
        cr.execute("COMMIT")
        cr.execute("VACUUM ANALYZE")


def _foreign_keys(cr):
    """``{table: {column: table referred to}}``."""
    cr.execute(
        "SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text"
        " FROM pg_constraint c JOIN pg_attribute a"
        " ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'f' AND cardinality(c.conkey) = 1"
    )
    keys = {}
    for table, column, target in cr.fetchall():
        keys.setdefault(table, {})[column] = target
    return keys


def _tables_to_copy(cr, keys):
    """Customers, subscriptions and the filled tables that hang on these, parents first."""
    tables = ["res_partner", "isp_subscription"]
    while found := [
        table
        for table, targets in sorted(keys.items())
        if table.startswith("isp_")
        and table not in tables
        and set(tables[1:]) & set(targets.values())
        and _has_rows(cr, table)
    ]:
        # A table goes in once nothing that is still to come is its parent.
        tables += [table for table in found if not set(keys[table].values()) & set(found) - {table}]
    return tables


def _has_rows(cr, table):
    cr.execute(f"SELECT EXISTS (SELECT FROM {table})")
    return cr.fetchone()[0]


def _id_range(cr, table):
    """The first id of the rows to copy, and by how much a copy's ids are higher."""
    cr.execute(f"SELECT min(id), max(id) FROM {table} t WHERE {SEEDED.get(table, 'true')}")
    first, last = cr.fetchone()
    return first, last - first + 1


def _copy_rows(cr, table, targets, spans, times):
    cr.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [table],
    )
    values = {column: f't."{column}"' for (column,) in cr.fetchall()}
    values["id"] = f"t.id + k * {spans[table][1]}"
    for column, target in targets.items():
        if target in spans:
            first, span = spans[target]
            own = f't."{column}"'
            values[column] = f"CASE WHEN {own} >= {first} THEN {own} + k * {span} ELSE {own} END"
    values |= {column: text for (name, column), text in UNIQUE.items() if name == table}
    columns = ", ".join(f'"{column}"' for column in values)
    cr.execute(
        f"INSERT INTO {table} ({columns}) SELECT {', '.join(values.values())}"
        f" FROM {table} t, generate_series(1, {times - 1}) k"
        f" WHERE {SEEDED.get(table, 'true')} ORDER BY k, t.id"
    )
    cr.execute(
        f"SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT max(id) FROM {table}))", [table]
    )
