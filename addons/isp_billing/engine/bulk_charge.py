"""Charges of invoices that were inserted as copies."""

from . import bulk_sql


def link(env, rows):
    """Note which line of which invoice carries which charge.

    :param rows: tuples ``(charge id, move id, line id)``
    """
    if not _is_followed(env):
        bulk_sql.link_charges(env, rows)
        return
    env.invalidate_all()
    for charge_id, move_id, line_id in rows:
        charge = env["isp.charge"].browse(charge_id)
        charge.write({"move_id": move_id, "invoice_line_id": line_id})


def _is_followed(env):
    """Whether an addon stores something on charges that follows their invoice."""
    charge_model = env["isp.charge"]
    return any(
        field.store and field.model_name == "isp.charge"
        for name in ("move_id", "invoice_line_id")
        for field in env.registry.get_dependent_fields(charge_model._fields[name])
    )
