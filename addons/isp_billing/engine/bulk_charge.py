"""Charges, inserted and linked to their invoices a set at a time."""

import json

from odoo.tools import float_repr, float_round

from . import bulk_guard, bulk_sql

# Stored on a charge, but read from its subscription.
RELATED = ("company_id", "partner_id", "plan_id")
NUMBERS = ("create_uid", "create_date", "write_uid", "write_date", "id")


def create_charges(env, vals_list):
    """Create charges; as ``isp.charge.create``, which does it where the set-based way may not."""
    charge_model = env["isp.charge"]
    if len(vals_list) < 2 or not _can_insert(charge_model, vals_list):
        return charge_model.create(vals_list)
    env.flush_all()  # what was waiting before is not spared below
    columns = {name: [vals[name] for vals in vals_list] for name in sorted(vals_list[0])}
    ids = bulk_sql.take_ids(env, "isp_charge", len(vals_list))
    bulk_sql.insert_charges(
        charge_model,
        {"id": ids, **{name: _convert(charge_model, name, columns) for name in columns}},
        RELATED,
    )
    for model in ("isp.subscription", "isp.subscription.line", "isp.billing.run"):
        env[model].invalidate_model(["charge_ids"], flush=False)
    charges = charge_model.browse(ids)
    _forget_lists(charge_model)
    charges.modified(charge_model._fields, create=True)
    # They were inserted with what they would be computed to.
    for name in RELATED:
        env.remove_to_compute(charge_model._fields[name], charges)
    _spare_entitlements(env)
    env.flush_all()
    charges.check_access("create")
    return charges


def _forget_lists(charge_model):
    """Read lists of charges anew, such as those of a subscription; ``create`` adds to them."""
    for field in charge_model._fields.values():
        for inverse in charge_model.pool.field_inverses[field] if field.type == "many2one" else ():
            charge_model.env[inverse.model_name].invalidate_model([inverse.name], flush=False)


def _can_insert(charge_model, vals_list):
    """Whether every stored column is given, read from the subscription or the ORM's own."""
    names = vals_list[0].keys()
    env = charge_model.env
    return (
        all(vals.keys() == names for vals in vals_list)
        and bulk_guard.is_plain(env, "isp.charge", "create", "_create", "write")
        and not charge_model._constraint_methods
        and all(
            name in names
            or name in RELATED
            or name in NUMBERS
            or not (field.compute or field.default or getattr(field, "check_company", False))
            for name, field in charge_model._fields.items()
            if field.store and field.column_type
        )
        and not any(charge_model._fields[name].compute for name in names)
    )


def _convert(charge_model, name, columns):
    """The values of one column as PostgreSQL is to store them."""
    field = charge_model._fields[name]
    values = columns[name]
    if field.type == "monetary":
        subscriptions = charge_model.env["isp.subscription"].browse(columns["subscription_id"])
        currencies = [subscription.company_id.currency_id for subscription in subscriptions]
        return [
            float_repr(currency.round(value), currency.decimal_places)
            for currency, value in zip(currencies, values, strict=True)
        ]
    if field.type == "float" and (digits := field.get_digits(charge_model.env)):
        scale = digits[1]
        return [float_repr(float_round(v, precision_digits=scale), scale) for v in values]
    if field.type == "json":
        return [None if value is None else json.dumps(value) for value in values]
    return [None if value is False else value for value in values]


def _spare_entitlements(env):
    """Drop recomputations that a new charge asks for and cannot change."""
    entitlement_model = env["isp.entitlement"]
    if not bulk_guard.is_reviewed(
        env, "isp.entitlement", "_compute_service", "_prepare_service_vals", "_get_valid_until"
    ):
        return
    field = entitlement_model._fields["valid_until"]
    pending = env.records_to_compute(field).sudo()
    spared = pending.filtered(lambda entitlement: not entitlement._follows_bills())
    for together in env.registry.field_computed[field]:
        env.remove_to_compute(together, spared)


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
