"""Uninstalling the suite leaves a healthy database with its invoices."""

from harness import databases

# Tables, functions and models of the suite; those of Odoo's own privacy_lookup are not.
OURS = "^(isp|privacy)[._](?!log|lookup)"

BILL_SOMEBODY = """
plan = env["isp.plan"].create({"name": "Home", "price": 500.0, "tax_ids": [(5,)]})
subscription = env["isp.subscription"].create(
    {
        "partner_id": env["res.partner"].create({"name": "Karim"}).id,
        "plan_id": plan.id,
        "date_start": "2027-01-01",
    }
)
subscription._activate()
env["ir.mail_server"].create({"name": "Out", "smtp_host": "x", "smtp_pass": "Mail-4711"})
print(subscription._bill(plan.create_date.date().replace(2027, 1, 1), "2027-01-01").name)
env.cr.commit()
"""

WORK_ON = """
old = env["account.move"].search([("amount_total", "=", 500.0)])
assert old.state == "posted", old
env["account.payment.register"].with_context(
    active_model="account.move", active_ids=old.ids
).create({})._create_payments()
new = env["account.move"].create(
    {
        "move_type": "out_invoice",
        "partner_id": old.partner_id.id,
        "invoice_line_ids": [(0, 0, {"name": "Cable", "price_unit": 50.0, "tax_ids": [(5,)]})],
    }
)
new.action_post()
env["ir.cron"].search([]).mapped("name")
for view in env["ir.ui.view"].search([("model", "in", ("account.move", "res.partner"))]):
    view._check_xml()
print(old.name, old.payment_state, new.state)
env.cr.commit()
"""


def query(database, statement):
    return [value for (value,) in databases.query(database, statement)]


def test_uninstalled_without_a_trace_and_the_books_remain(suite_db, odoo_shell):
    number = odoo_shell(suite_db, BILL_SOMEBODY).strip()
    addons = [name for name in databases.suite_addons() if not name.startswith("test_")]

    databases.run_odoo("module", "uninstall", "-d", suite_db, *addons)

    left = "SELECT state FROM ir_module_module WHERE name = ANY(ARRAY['isp_base', 'isp_billing'])"
    assert set(query(suite_db, left)) == {"uninstalled"}
    assert query(suite_db, f"SELECT relname FROM pg_class WHERE relname ~ '{OURS}'") == []
    assert query(suite_db, "SELECT nspname FROM pg_namespace WHERE nspname = 'radius'") == []
    assert query(suite_db, f"SELECT model FROM ir_model WHERE model ~ '{OURS}'") == []
    assert query(suite_db, "SELECT cron_name FROM ir_cron WHERE cron_name ~ '^(ISP|Privacy)'") == []
    assert query(suite_db, "SELECT name FROM ir_sequence WHERE code LIKE 'isp.%'") == []
    assert query(suite_db, f"SELECT proname FROM pg_proc WHERE proname ~ '{OURS}'") == []
    assert query(suite_db, "SELECT smtp_pass FROM ir_mail_server") == ["Mail-4711"]
    assert odoo_shell(suite_db, WORK_ON).split() == [number, "paid", "posted"]
