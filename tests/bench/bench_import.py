"""Subscribers imported per second and the memory it takes, against Odoo's own import.

The peer loads the same rows with ``load()``, as Odoo's import screen does: contacts, then
subscriptions that refer to them. It finds no duplicates, checks nothing, and leaves drafts.
"""

import csv
import os
import tempfile
from pathlib import Path

import openpyxl

from harness import databases, server

PEER_ROWS = 2_000
HEADINGS = (
    "Client ID", "Connection ID", "Client Name", "Mobile", "Email", "Address", "Area", "Post Code",
    "Package", "Monthly Bill", "Status", "Connected On", "PPPoE User", "PPPoE Password",
)  # fmt: skip
PLANS = ("Home 10", "Home 20", "Home 50", "Office 100")

SETUP = f"""
env["isp.plan"].create([{{"name": name, "price": 500.0}} for name in {PLANS}])
env.cr.commit()
"""

OURS = """
import resource, time
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
def commit(record):
    env.cr.commit()
before = peak()
env["isp.subscription"].search([], limit=1)
for label in {labels}:
    start = time.perf_counter()
    record = env["isp.import"]._run_file({path!r}, bill_from="2027-01-01", after_batch=commit)
    env.cr.commit()
    seconds = time.perf_counter() - start
    assert record.rejected_count == 0, record.row_ids[:3].mapped("details")
    print(f"{{label:28}} {{record.total_count:7}} rows {{seconds:7.1f}} s "
          f"{{record.total_count / seconds:7.0f}} rows/s   peak {{peak()}} MB, {{before}} before")
"""

PEER = """
import csv, time
plans = {{plan.name: plan.id for plan in env["isp.plan"].search([])}}
rows = list(csv.DictReader(open({path!r})))
env = env(context=dict(env.context, tracking_disable=True))
start = time.perf_counter()
done = env["res.partner"].load(
    ["id", "name", "isp_external_ref", "phone", "email", "street", "city", "zip"],
    [["__import__.p" + r["Client ID"], r["Client Name"], r["Client ID"], r["Mobile"], r["Email"],
      r["Address"], r["Area"], r["Post Code"]] for r in rows],
)
assert done["ids"], done["messages"][:3]
done = env["isp.subscription"].load(
    ["id", "partner_id/id", "plan_id/.id", "external_ref", "date_start", "username", "password"],
    [["__import__.s" + r["Connection ID"], "__import__.p" + r["Client ID"],
      str(plans[r["Package"]]), r["Connection ID"], "2024-03-15", r["PPPoE User"],
      r["PPPoE Password"]] for r in rows],
)
assert done["ids"], done["messages"][:3]
env.cr.commit()
seconds = time.perf_counter() - start
print(f"{{'Odoo load(), drafts only':28}} {{len(rows):7}} rows {{seconds:7.1f}} s "
      f"{{len(rows) / seconds:7.0f}} rows/s")
"""


def rows(count):
    for number in range(count):
        yield (
            f"K{number}", f"L{number}", f"Customer {number}", f"01{700_000_000 + number}",
            f"c{number}@example.com", f"House {number % 90}", "Mirpur", "1216",
            PLANS[number % len(PLANS)], 500 + number % 7, "Active", "15/03/2024",
            f"user{number}", f"secret{number:06}",
        )  # fmt: skip


def write_csv(path, count):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADINGS, *rows(count)])


def write_xlsx(path, count):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in [HEADINGS, *rows(count)]:
        sheet.append(row)
    book.save(path)


def main():
    databases.drop_leftovers()
    seeded = f"isp_test_{os.getpid()}_bench"
    databases.copy_database(databases.suite_template(print), seeded)
    copy = f"{seeded}_copy"
    try:
        server.run_shell(seeded, SETUP)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            for code, name, count, write in (
                (PEER, "peer.csv", PEER_ROWS, write_csv),
                (OURS, "csv 2k.csv", PEER_ROWS, write_csv),
                (OURS, "csv 10k.csv", 10_000, write_csv),
                (OURS, "csv 40k.csv", 40_000, write_csv),
                (OURS, "xlsx 10k.xlsx", 10_000, write_xlsx),
            ):
                write(folder / name, count)
                databases.drop_database(copy)
                databases.copy_database(seeded, copy)
                label = f"import, {name.split('.')[0]}"
                labels = [label, f"{label}, again"] if count == 10_000 else [label]
                text = code.format(path=str(folder / name), labels=labels)
                print(server.run_shell(copy, text, timeout=1800), end="", flush=True)
    finally:
        databases.drop_database(copy)
        databases.drop_database(seeded)


if __name__ == "__main__":
    main()
