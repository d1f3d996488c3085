"""Statements of the set-based path: copies of posted invoices, written a set at a time.

Nothing here decides whether copying is right; :mod:`bulk_guard` does. Columns are taken from the
registry, so a column that an addon adds is copied like the others.
"""

from odoo.tools import SQL

from .bulk_amount import LINE_COLUMNS, MOVE_COLUMNS

# Links that a fresh invoice line has; a prototype with others is not copied.
LINE_LINKS = ("tax_ids", "tax_tag_ids")


def written_tables(env):
    """Tables that the copy writes, or brings up to date, as ``schema.table``."""
    line_model = env["account.move.line"]
    return {
        "public.account_move",
        "public.account_move_line",
        "public.isp_charge",
        "public.res_partner",  # the rank as a customer
        *(f"public.{line_model._fields[name].relation}" for name in LINE_LINKS),
    }


def take_ids(env, table, count):
    """``count`` new ids of ``table``, ascending."""
    ((sequence,),) = env.execute_query(SQL("SELECT pg_get_serial_sequence(%s, 'id')", table))
    rows = env.execute_query(
        SQL("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", sequence, count)
    )
    return sorted(new_id for (new_id,) in rows)


def array(values):
    """``values`` as the text of a PostgreSQL array, which is read in half the time of a list."""
    parts = [str(value) if value.__class__ is int else _element(value) for value in values]
    return "{" + ",".join(parts) + "}"


def _element(value):
    if value is None:
        return "NULL"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def insert_moves(env, copies, amounts=()):
    """Insert the copies' entries.

    :param copies: objects with the attributes of :class:`bulk_invoice.Copy`
    :param amounts: the :class:`bulk_amount.Amounts` that some of them have
    """
    own = {
        "id": SQL("own.id"),
        "name": SQL("own.name"),
        "sequence_number": SQL("own.sequence_number"),
        "made_sequence_gap": SQL("false"),
        "partner_id": SQL("own.partner_id"),
        "commercial_partner_id": SQL("own.commercial_id"),
        "partner_shipping_id": SQL("own.shipping_id"),
        "invoice_partner_display_name": SQL("own.partner_name"),
        "invoice_origin": SQL("own.origin"),
        "payment_reference": SQL("own.reference"),
    }
    source = SQL(
        "unnest(%s::int[], %s::int[], %s::text[], %s::int[], %s::int[], %s::int[], %s::int[],"
        " %s::text[], %s::text[], %s::text[], %s::bigint[])"
        " AS own(prototype_id, id, name, sequence_number, partner_id, commercial_id, shipping_id,"
        " partner_name, origin, reference, amounts)",
        array(copy.prototype.move.id for copy in copies),
        array(copy.id for copy in copies),
        array(copy.name for copy in copies),
        array(copy.number for copy in copies),
        array(copy.partner_id for copy in copies),
        array(copy.commercial_id for copy in copies),
        array(copy.shipping_id for copy in copies),
        array(copy.partner_name for copy in copies),
        array(copy.origin for copy in copies),
        array(copy.reference for copy in copies),
        array(id(copy.amounts) if copy.amounts else None for copy in copies),
    )
    move_model = env["account.move"]
    rows = [((id(one),), one.move) for one in amounts]
    source = _join_amounts(move_model, own, source, MOVE_COLUMNS, ("amounts",), rows)
    _insert_like(move_model, own, source)
    _plan_anew(env)


def _join_amounts(model, own, source, names, key, rows):
    """Let ``own`` have amounts of its own, where there are some.

    :param key: columns of ``source`` that amounts are known by
    :param rows: pairs ``(key, amounts)``, the latter in the order of ``names``
    :return: ``source``, joined with the amounts
    """
    if not rows:
        return source
    for name in names:
        own[name] = SQL(
            "coalesce(worth.%s, prototype.%s)", SQL.identifier(name), SQL.identifier(name)
        )
    types = ["bigint"] * len(key) + [model._fields[name].column_type[0] for name in names]
    columns = zip(*((*known_by, *values) for known_by, values in rows), strict=True)
    return SQL(
        "%s LEFT JOIN unnest(%s) AS worth(%s) ON %s",
        source,
        SQL(", ").join(
            SQL(f"%s::{kind}[]", array(column)) for kind, column in zip(types, columns, strict=True)
        ),
        SQL(", ").join(map(SQL.identifier, (*key, *names))),
        SQL(" AND ").join(
            SQL("%s = %s", SQL.identifier("worth", name), SQL.identifier("own", name))
            for name in key
        ),
    )


def insert_lines(env, rows, amounts=()):
    """Insert the copies' items with their taxes and tags.

    :param rows: tuples ``(prototype line id, id, move id, move name, label, partner id, id() of
        the amounts or None)``
    :param amounts: the :class:`bulk_amount.Amounts` that some have
    """
    own = {
        "id": SQL("own.id"),
        "move_id": SQL("own.move_id"),
        "move_name": SQL("own.move_name"),
        "name": SQL("own.label"),
        "partner_id": SQL("own.partner_id"),
    }
    columns = [array(column) for column in zip(*rows, strict=True)]
    source = SQL(
        "unnest(%s::int[], %s::int[], %s::int[], %s::text[], %s::text[], %s::int[], %s::bigint[])"
        " AS own(prototype_id, id, move_id, move_name, label, partner_id, amounts)",
        *columns,
    )
    line_model = env["account.move.line"]
    worth = [
        ((id(one), line_id), values) for one in amounts for line_id, values in one.lines.items()
    ]
    key = ("amounts", "prototype_id")
    source = _join_amounts(line_model, own, source, LINE_COLUMNS, key, worth)
    _insert_like(line_model, own, source)
    _plan_anew(env)
    for name in LINE_LINKS:
        field = line_model._fields[name]
        env.cr.execute(
            SQL(
                "INSERT INTO %(relation)s (%(line)s, %(other)s)"
                " SELECT own.id, link.%(other)s"
                " FROM unnest(%(prototypes)s::int[], %(ids)s::int[]) AS own(prototype_id, id)"
                " JOIN %(relation)s link ON link.%(line)s = own.prototype_id",
                relation=SQL.identifier(field.relation),
                line=SQL.identifier(field.column1),
                other=SQL.identifier(field.column2),
                prototypes=columns[0],
                ids=columns[1],
            )
        )


def _plan_anew(env):
    """Forget how foreign keys are checked.

    PostgreSQL keeps the plan of the first check. Made while a table had few rows, it reads all of
    them, for each of the thousands of rows that refer to it now.
    """
    env.cr.execute("DISCARD PLANS")


def _insert_like(model, own, source):
    """Insert rows of ``model`` like their prototypes, with ``own`` expressions in some columns."""
    columns = [field.name for field in model._fields.values() if field.store and field.column_type]
    model.env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s JOIN %s prototype"
            " ON prototype.id = own.prototype_id ORDER BY own.id",
            SQL.identifier(model._table),
            SQL(", ").join(SQL.identifier(column) for column in columns),
            SQL(", ").join(
                own[column] if column in own else SQL.identifier("prototype", column)
                for column in columns
            ),
            source,
            SQL.identifier(model._table),
        )
    )


def renumber(env, numbers):
    """Give posted invoices other numbers, also such that others of them have now.

    :param numbers: tuples ``(move id, name, number, payment reference, [(line id, label)])``
    """
    if not numbers:
        return
    moves = [array(column) for column in zip(*(row[:4] for row in numbers), strict=True)]
    labels = [label for row in numbers for label in row[4]]
    # Names are unique at every moment, and a new one may still be that of another.
    env.cr.execute(SQL("UPDATE account_move SET name = '/' WHERE id = ANY(%s::int[])", moves[0]))
    env.cr.execute(
        SQL(
            "UPDATE account_move SET name = own.name, sequence_number = own.number,"
            " payment_reference = own.reference"
            " FROM unnest(%s::int[], %s::text[], %s::int[], %s::text[])"
            " AS own(id, name, number, reference) WHERE account_move.id = own.id",
            *moves,
        )
    )
    env.cr.execute(
        SQL(
            "UPDATE account_move_line SET move_name = own.name"
            " FROM unnest(%s::int[], %s::text[]) AS own(id, name)"
            " WHERE account_move_line.move_id = own.id",
            *moves[:2],
        )
    )
    env.cr.execute(
        SQL(
            "UPDATE account_move_line SET name = own.label"
            " FROM unnest(%s::int[], %s::text[]) AS own(id, label)"
            " WHERE account_move_line.id = own.id",
            array(line_id for line_id, _label in labels),
            array(label for _line_id, label in labels),
        )
    )


def insert_charges(charge_model, columns, related):
    """Insert charges.

    :param columns: ``{name: values}``, the id and the subscription among them
    :param related: columns that are taken from the subscription
    """
    names = list(columns)
    arrays = SQL(", ").join(
        SQL(f"%s::{charge_model._fields[name].column_type[0]}[]", array(columns[name]))
        for name in names
    )
    env = charge_model.env
    env.cr.execute(
        SQL(
            "INSERT INTO isp_charge (%(names)s, %(related)s, %(log)s)"
            " SELECT %(own)s, %(from_subscription)s, %(uid)s, %(now)s, %(uid)s, %(now)s"
            " FROM unnest(%(arrays)s) AS own(%(names)s)"
            " JOIN isp_subscription ON isp_subscription.id = own.subscription_id ORDER BY own.id",
            names=SQL(", ").join(map(SQL.identifier, names)),
            related=SQL(", ").join(map(SQL.identifier, related)),
            log=SQL("create_uid, create_date, write_uid, write_date"),
            own=SQL(", ").join(SQL.identifier("own", name) for name in names),
            from_subscription=SQL(", ").join(
                SQL.identifier("isp_subscription", name) for name in related
            ),
            uid=env.uid,
            now=env.cr.now(),
            arrays=arrays,
        )
    )


def link_charges(env, rows):
    """Note which line of which invoice carries which charge.

    :param rows: tuples ``(charge id, move id, line id)``
    """
    env.cr.execute(
        SQL(
            "UPDATE isp_charge SET move_id = own.move_id, invoice_line_id = own.line_id"
            " FROM unnest(%s::int[], %s::int[], %s::int[]) AS own(id, move_id, line_id)"
            " WHERE isp_charge.id = own.id",
            *(array(column) for column in zip(*rows, strict=True)),
        )
    )


def raise_ranks(cr, counts, uid):
    """Count the new invoices of customers, as ``res.partner._increase_rank`` does."""
    cr.execute(
        SQL(
            "UPDATE res_partner SET customer_rank = coalesce(customer_rank, 0) + own.count,"
            " write_uid = %s, write_date = now() AT TIME ZONE 'UTC'"
            " FROM unnest(%s::int[], %s::int[]) AS own(id, count)"
            " WHERE res_partner.id = own.id",
            uid,
            array(counts),
            array(counts.values()),
        )
    )
