"""Bills posted per second by a billing run, against Odoo posting the same invoices one by one."""

import os

from harness import databases, server

SUBSCRIPTIONS = 600
PEER_INVOICES = 100

CODE = f"""
import time

plan = env["isp.plan"].create({{"name": "Bench", "price": 749.5, "tax_ids": [(5,)]}})
partners = env["res.partner"].create([{{"name": f"Customer {{n}}"}} for n in range({SUBSCRIPTIONS})])
subscriptions = env["isp.subscription"].create(
    [{{"partner_id": p.id, "plan_id": plan.id, "date_start": "2027-01-01"}} for p in partners]
)
subscriptions._activate()
env.cr.commit()

start = time.perf_counter()
for partner in partners[:{PEER_INVOICES}]:
    values = {{"product_id": plan.product_id.id, "quantity": 1, "price_unit": 749.5, "tax_ids": [(5,)]}}
    env["account.move"].create(
        {{
            "move_type": "out_invoice",
            "partner_id": partner.id,
            "invoice_date": "2027-01-01",
            "invoice_line_ids": [(0, 0, values)],
        }}
    ).action_post()
    env.cr.commit()
peer = {PEER_INVOICES} / (time.perf_counter() - start)

start = time.perf_counter()
run = env["isp.billing.run"].create({{"target_date": "2027-01-01", "invoice_date": "2027-01-01"}})
run._run_to_end()
env.cr.commit()
ours = run.invoice_count / (time.perf_counter() - start)
assert run.invoice_count == {SUBSCRIPTIONS}, run.invoice_count

print(f"Odoo, one invoice at a time  {{peer:8.1f}} invoices/s")
print(f"billing run                  {{ours:8.1f}} invoices/s   {{ours / peer:.1f}} times")
"""


def main():
    name = f"isp_test_{os.getpid()}_bench"
    databases.drop_leftovers()
    databases.copy_database(databases.suite_template(print), name)
    try:
        print(server.run_shell(name, CODE, timeout=900), end="")
    finally:
        databases.drop_database(name)


if __name__ == "__main__":
    main()
