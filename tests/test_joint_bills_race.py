"""Two processes bill customers who want one bill for all services: nobody's bill is torn apart."""

from harness import processes
from harness.databases import query

CUSTOMERS = 150
DAY = "2027-01-01"
BATCH = 20

SEED = f"""
env = env(context=dict(env.context, tracking_disable=True))
# One by one, which is slow enough for a race.
env.company.write(
    {{"isp_one_bill": True, "isp_bulk_invoicing": False, "isp_print_after_run": False}}
)
env.company.partner_id.tz = "Asia/Dhaka"
plan = env["isp.plan"].create({{"name": "Home", "price": 500.0, "tax_ids": [(5,)]}})
customers = env["res.partner"].create([{{"name": f"Customer {{n}}"}} for n in range({CUSTOMERS})])
# Services of one customer lie far apart, so that each worker comes upon one of them.
for _round in range(2):
    env["isp.subscription"].create(
        [{{"partner_id": c.id, "plan_id": plan.id, "date_start": "{DAY}"}} for c in customers]
    )._activate()
env.cr.commit()
"""

BILLS_OF_CUSTOMERS = """
    SELECT DISTINCT count(DISTINCT move_id), count(DISTINCT subscription_id), count(*)
      FROM isp_charge GROUP BY partner_id
"""


def test_two_workers_never_share_a_customer(suite_db, odoo_shell):
    odoo_shell(suite_db, SEED)
    command = ("isp_bill", "-d", suite_db, "--date", DAY, "--batch", BATCH)
    workers = [processes.start(*command), processes.start(*command)]
    results = [processes.finish(worker) for worker in workers]
    assert [code for code, _output, _errors in results] == [0, 0], results
    assert query(suite_db, BILLS_OF_CUSTOMERS) == [(1, 2, 2)]
    assert query(suite_db, "SELECT DISTINCT state FROM isp_billing_run") == [("done",)]
    assert query(suite_db, "SELECT sum(subscription_count) FROM isp_billing_run_batch") == [
        (2 * CUSTOMERS,)
    ]
    for _code, output, _errors in results:
        assert " billed" in output, "one had nothing to do"
