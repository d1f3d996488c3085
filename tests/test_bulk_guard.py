"""An addon that the set-based path has never seen: its invoices go through the ORM, with the reason."""

import subprocess

from harness.settings import REPO, environment, odoo_command

EXTRA_ADDONS = REPO / "tests/addons"

BILL = """
env.company.isp_bulk_invoicing = True
env.company.partner_id.tz = "Asia/Dhaka"
plan = env["isp.plan"].create({"name": "Home", "price": 500.0, "tax_ids": [(5,)]})
partners = env["res.partner"].create(
    [{"name": f"Customer {n}", "city": ["Dhaka", "Sylhet", "Bogura"][n % 3]} for n in range(12)]
)
subscriptions = env["isp.subscription"].create(
    [{"partner_id": p.id, "plan_id": plan.id, "date_start": "2027-01-01"} for p in partners]
)
subscriptions._activate()
run = env["isp.billing.run"].create({"target_date": "2027-01-01", "invoice_date": "2027-01-01"})
run._run_to_end()
env.flush_all()
run.invalidate_recordset()
moves = subscriptions.charge_ids.move_id
print("INVOICES", len(moves), run.bulk_count, run.orm_count)
print("REASON", run.fallback_reasons)
if "customer_city" in moves:
    assert all(move.customer_city == move.partner_id.city for move in moves), "the path lied"
    print("CITIES", len(set(moves.mapped("customer_city"))))
"""


def run_odoo(*args, code=None):
    """Run Odoo with the addons of tests/addons and return what it printed."""
    command = [
        f"{part},{EXTRA_ADDONS}" if str(part).startswith("--addons-path=") else part
        for part in odoo_command(*args)
    ]
    result = subprocess.run(
        command, env=environment(), input=code, text=True, capture_output=True, timeout=300
    )
    assert not result.returncode, result.stderr[-4000:]
    return result.stdout


def test_a_stored_field_that_follows_the_customer_sends_bills_through_the_orm(suite_db):
    shell = ("shell", "-d", suite_db, "--no-http", "--log-level", "error")
    without = run_odoo(*shell, code=BILL)
    assert "INVOICES 12 11 1" in without

    run_odoo("module", "install", "-d", suite_db, "test_bulk_guard")
    with_field = run_odoo(*shell, code=BILL)

    assert "INVOICES 12 0 12" in with_field
    assert "account.move.customer_city depends on " in with_field
    assert "CITIES 3" in with_field
