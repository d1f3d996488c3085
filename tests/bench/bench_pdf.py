"""PDF files of bills per second: Typst against wkhtmltopdf, and end to end to the stored files.

The bills are those of a billing run in a database of their own: two lines, a tax, an account with a
payment, a QR code, half of them in Bangla. ``one`` is what a print button waits for, data included.
The renderer is one process for each core, and each bill a file of its own. End to end is the job
after a run: invoices read, pages set, attachments written, committed.
"""

import argparse
import json
import os
import subprocess
from contextlib import closing

from harness import databases
from harness.settings import environment, odoo_command

SIZES = "2000"
SLOW_BILLS = 10
TIMEOUT_S = 3600

SEED = """
count = {count}
env.company.write({{
    "name": "Padma Net Ltd.", "street": "12 Gulshan Avenue", "city": "Dhaka", "vat": "000123456-0101",
    "phone": "+880 1711-000000", "report_footer": "<p>Trade licence 12345</p>",
    "isp_print_after_run": False, "isp_payment_instructions": "bKash 01711-000000",
}})
env.company.partner_id.tz = "Asia/Dhaka"
env["res.lang"]._activate_lang("bn_IN")
tax = env["account.tax"].search([("type_tax_use", "=", "sale"), ("amount", "=", 5)], limit=1)
plan = env["isp.plan"].create({{"name": "Home 20", "price": 1200, "tax_ids": [(6, 0, tax.ids)]}})
addon = env["product.product"].create({{"name": "Static address", "type": "service", "list_price": 250,
                                       "taxes_id": [(6, 0, tax.ids)]}})
env = env(context=dict(env.context, tracking_disable=True))
partners = env["res.partner"].create([
    {{"name": "সালাম উদ্দিন" if n % 2 else f"Rahima Begum {{n}}", "lang": "bn_IN" if n % 2 else "en_US",
     "street": f"House {{n}}, Road 3", "city": "Dhaka", "zip": "1216", "customer_rank": 1,
     "phone": f"+8801711{{n:06}}", "ref": f"C{{n}}"}}
    for n in range(count)
])
env["isp.subscription"].create([
    {{"partner_id": p.id, "plan_id": plan.id, "date_start": "2027-01-01",
     "line_ids": [(0, 0, {{"product_id": addon.id, "price_unit": 250}})]}}
    for p in partners
])._activate()
env.cr.commit()
for day in ("2027-01-01", "2027-02-01"):
    run = env["isp.billing.run"].create({{"target_date": day, "invoice_date": day}})
    run._run_to_end(after_batch=lambda run: run.env.cr.commit())
    assert not run.exception_ids, run.exception_ids[0].reason
env.cr.commit()
"""

MEASURE = """
import json, os, resource, time
from odoo.addons.isp_billing.models.isp_document_template import renderer

def rate(call, count, repeat=3):
    best = 0.0
    for _attempt in range(repeat):
        start = time.perf_counter()
        call()
        best = max(best, count / (time.perf_counter() - start))
    return best

result = {{}}
run = env["isp.billing.run"].search([], limit=1, order="id desc")
bills = run._get_document_bills()
assert len(bills) == {count}
report = env["ir.actions.report"].with_context(force_report_rendering=True)

# One bill, as the print button asks for it: warm, and with nothing in the ORM's cache.
seconds = []
for bill in bills[:30]:
    env.invalidate_all()
    start = time.perf_counter()
    report._render_qweb_pdf("isp_billing.action_report_bill", bill.ids)
    seconds.append(time.perf_counter() - start)
seconds = sorted(seconds[3:])
result["one_ms"] = 1000 * seconds[len(seconds) // 2]
result["one_worst_ms"] = 1000 * seconds[-1]

# The renderer alone: the data are ready.
template = env["isp.document.template"]._get_for("bill", env.company)
batches = []
for lang in ("en_US", "bn_IN"):
    group = bills.filtered(lambda move: move.partner_id.lang == lang)
    common, data = group._get_document_data(template, lang)
    batches.append((lang, common, data))
result["renderer"] = {{
    lang: rate(lambda: renderer.render_many(template.source, data, common), len(data))
    for lang, common, data in batches
}}
# What it costs whatever else the machine does: the time of the processors, workers included.
renderer.close()
before = os.times()
start = time.perf_counter()
files = [file for _lang, common, data in batches for file in renderer.render_many(template.source, data, common)]
result["renderer"]["both"] = len(files) / (time.perf_counter() - start)
renderer.close()
after = os.times()
spent = sum(getattr(after, name) - getattr(before, name)
            for name in ("user", "system", "children_user", "children_system"))
result["cpu_ms"] = 1000 * spent / len(files)
assert len(files) == len(bills) and all(file.startswith(b"%PDF") for file in files)
result["file_kb"] = sum(map(len, files)) / len(files) / 1024
result["workers"] = renderer.workers
del files, batches

# Odoo's own way, for a few.
env.company.isp_bill_layout = "odoo"
env["ir.config_parameter"].set_param("report.url", "http://127.0.0.1:9")
env.company.external_report_layout_id = env.ref("web.external_layout_standard")
env.cr.commit()
some = bills[:{slow}]
start = time.perf_counter()
for bill in some:
    content, kind = report._render_qweb_pdf("account.account_invoices", bill.ids)
    assert kind == "pdf"
result["wkhtmltopdf"] = len(some) / (time.perf_counter() - start)
env.company.isp_bill_layout = "isp"
env.cr.commit()

# From posted invoices to stored files, as the job does it.
env.invalidate_all()
start = time.perf_counter()
size = env["account.move"]._get_document_batch_size()
done = 0
while moves := run._get_document_bills(missing_limit=size):
    done += len(moves._store_documents())
    env.cr.commit()
    env.invalidate_all()
seconds = time.perf_counter() - start
assert done == len(bills), done
result["stored"] = done / seconds
stored = env["ir.attachment"].search_count([("res_field", "=", "invoice_pdf_report_file")])
assert stored == done, stored
result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
result["load"] = os.getloadavg()[0]
print("RESULT", json.dumps(result))
"""


def shell(database, code, **values):
    """Run code in the database; return the result it printed."""
    done = subprocess.run(
        odoo_command("shell", "-d", database, "--no-http", "--log-level", "error"),
        env=environment(),
        input=code.format(**values),
        text=True,
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or (values.get("slow") and not results):
        raise SystemExit(f"The benchmark failed:\n{done.stderr[-3000:]}")
    return json.loads(results[-1][7:]) if results else None


def show(count, result):
    """Print the table and the bars."""
    print(f"\n{count:,} bills, {result['workers']} cores, load {result['load']:.1f}")
    slow = result["wkhtmltopdf"]
    rows = [
        ("wkhtmltopdf, one after the other", slow),
        ("renderer, English", result["renderer"]["en_US"]),
        ("renderer, Bangla", result["renderer"]["bn_IN"]),
        ("renderer, both, with its start", result["renderer"]["both"]),
        ("end to end, to stored files", result["stored"]),
    ]
    for name, rate in rows:
        print(f"  {name:36} {rate:8.1f} bills/s  {rate / slow:8.1f} x wkhtmltopdf")
    print(f"  one bill {result['one_ms']:.0f} ms, worst of 27 {result['one_worst_ms']:.0f} ms")
    print(f"  a page takes {result['cpu_ms']:.1f} ms of a processor, beside everything else here")
    print(f"  a file has {result['file_kb']:.0f} KB; memory {result['peak_mb']:.0f} MB\n")
    bars = [
        ("one bill, ms", result["one_ms"], "<=", 60),
        ("renderer, bills/s", result["renderer"]["both"], ">=", 500),
        ("end to end, bills/s", result["stored"], ">=", 150),
    ]
    for what, value, sign, bar in bars:
        met = value >= bar if sign == ">=" else value <= bar
        print(f"  {what:38} {value:8.1f}  bar {sign} {bar:<6} {'met' if met else 'MISSED'}")


def main():
    """Make a database, measure, drop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="how many bills, as 2000,10000")
    options = parser.parse_args()
    databases.drop_leftovers()
    template = databases.suite_template(print)
    for count in map(int, options.sizes.split(",")):
        name = f"isp_test_{os.getpid()}_pdf{count}"
        databases.copy_database(template, name)
        try:
            shell(name, SEED, count=count)
            with closing(databases.connect(name)) as connection, connection.cursor() as cr:
                cr.execute("VACUUM ANALYZE")
            show(count, shell(name, MEASURE, count=count, slow=SLOW_BILLS))
        finally:
            databases.drop_database(name)


if __name__ == "__main__":
    main()
