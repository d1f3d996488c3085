"""Statements of the set-based path: copies of posted invoices, written a set at a time.

Nothing here decides whether copying is right; :mod:`bulk_guard` does. Columns are taken from the
registry, so a column that an addon adds is copied like the others.
"""

from odoo.tools import SQL

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
    rows = env.execute_query(
        SQL(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            table,
            count,
        )
    )
    return sorted(new_id for (new_id,) in rows)


def insert_moves(env, copies):
    """Insert the copies' entries.

    :param copies: objects with the attributes of :class:`bulk_invoice.Copy`
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
        " %s::text[], %s::text[], %s::text[])"
        " AS own(prototype_id, id, name, sequence_number, partner_id, commercial_id, shipping_id,"
        " partner_name, origin, reference)",
        [copy.prototype.move.id for copy in copies],
        [copy.id for copy in copies],
        [copy.name for copy in copies],
        [copy.number for copy in copies],
        [copy.partner_id for copy in copies],
        [copy.commercial_id for copy in copies],
        [copy.shipping_id for copy in copies],
        [copy.partner_name for copy in copies],
        [copy.origin for copy in copies],
        [copy.reference for copy in copies],
    )
    _insert_like(env["account.move"], own, source)


def insert_lines(env, rows):
    """Insert the copies' items with their taxes and tags.

    :param rows: tuples ``(prototype line id, id, move id, move name, label, partner id)``
    """
    own = {
        "id": SQL("own.id"),
        "move_id": SQL("own.move_id"),
        "move_name": SQL("own.move_name"),
        "name": SQL("own.label"),
        "partner_id": SQL("own.partner_id"),
    }
    columns = [list(column) for column in zip(*rows, strict=True)]
    source = SQL(
        "unnest(%s::int[], %s::int[], %s::int[], %s::text[], %s::text[], %s::int[])"
        " AS own(prototype_id, id, move_id, move_name, label, partner_id)",
        *columns,
    )
    line_model = env["account.move.line"]
    _insert_like(line_model, own, source)
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
    """Give posted invoices other numbers, the highest first so that none is in the way.

    :param numbers: tuples ``(move id, name, number, payment reference, [(line id, label)])``
    """
    for move_id, name, number, reference, labels in sorted(numbers, key=lambda row: -row[2]):
        env.cr.execute(
            SQL(
                "UPDATE account_move SET name = %s, sequence_number = %s, payment_reference = %s"
                " WHERE id = %s",
                name,
                number,
                reference,
                move_id,
            )
        )
        env.cr.execute(
            SQL("UPDATE account_move_line SET move_name = %s WHERE move_id = %s", name, move_id)
        )
        for line_id, label in labels:
            env.cr.execute(
                SQL("UPDATE account_move_line SET name = %s WHERE id = %s", label, line_id)
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
            *(list(column) for column in zip(*rows, strict=True)),
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
            list(counts),
            list(counts.values()),
        )
    )
