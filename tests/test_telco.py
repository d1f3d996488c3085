"""The public telecom data set: imported, and its first full month billed to the cent.

Where the file is absent, the shipped sample goes the same way, and its figures are computed here.
``ISP_SHARED`` names another folder for the file.
"""

import csv
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from harness.settings import REPO

TELCO = Path(os.environ.get("ISP_SHARED") or REPO.parent / "shared") / "data/telco_customers.csv"
SAMPLE = REPO / "addons/isp_billing/demo/sample_subscribers.csv"

TELCO_LINES = [
    # target, column, fixed value, translations
    ("customer_ref", "customerID", None, None),
    ("external_ref", "customerID", None, None),
    ("customer_name", "customerID", None, None),
    ("plan", "InternetService", None, "No="),
    ("price", "MonthlyCharges", None, None),
    ("state", "Churn", None, "Yes=terminated\nNo=active"),
    ("date_start", None, "2027-02-01", None),
]

RUN = """
import json, time
spec = json.loads({spec!r})
company = env.company
env["isp.plan"].create([
    {{"name": name, "price": 1.0, "tax_ids": [(5,)], "anchor_day": 1, "proration": "exact"}}
    for name in spec["plans"]
])
if spec["lines"]:
    env["isp.import.mapping"].create({{
        "name": spec["mapping"],
        "line_ids": [
            (0, 0, {{"target": target, "source": source, "fixed_value": fixed, "value_map": words}})
            for target, source, fixed, words in spec["lines"]
        ],
    }})

def commit(record):
    env.cr.commit()

def figures(record):
    return [record.total_count, record.new_count, record.changed_count, record.unchanged_count,
            record.rejected_count, record.summary]

result = {{}}
start = time.monotonic()
record = env["isp.import"]._run_file(
    spec["path"], spec["mapping"], bill_from="2027-02-01", after_batch=commit
)
result["import"] = figures(record)
result["import_s"] = time.monotonic() - start
states = env["isp.subscription"]._read_group([], ["state"], ["__count"])
result["states"] = dict(states)

def bill():
    run = env["isp.billing.run"].create({{"target_date": "2027-02-01", "invoice_date": "2027-02-01"}})
    assert run._run_to_end(after_batch=commit)
    return run

start = time.monotonic()
run = bill()
result["bill_s"] = time.monotonic() - start
result["exceptions"] = run.exception_count
env.flush_all()
env.cr.execute('''
    SELECT p.name->>'en_US', count(DISTINCT c.move_id), sum(c.amount)::text, sum(m.amount_total)::text,
           bool_and(m.state = 'posted'), bool_and(c.fraction = 1), max(m.currency_id)
      FROM isp_charge c JOIN account_move m ON m.id = c.move_id
      JOIN isp_plan p ON p.id = c.plan_id WHERE c.run_id = %s GROUP BY 1
''', [run.id])
result["plans"] = {{row[0]: row[1:6] for row in env.cr.fetchall()}}
env.cr.execute("SELECT count(*), sum(amount_total)::text FROM account_move WHERE move_type = 'out_invoice'")
result["invoices"] = env.cr.fetchone()
result["second_run"] = bill().invoice_count
env.cr.execute("SELECT count(*), max(write_date)::text FROM isp_subscription")
before = env.cr.fetchone()
result["again"] = figures(
    env["isp.import"]._run_file(spec["path"], spec["mapping"], bill_from="2027-02-01")
)
env.flush_all()
env.cr.execute("SELECT count(*), max(write_date)::text FROM isp_subscription")
result["untouched"] = env.cr.fetchone() == before
env.cr.commit()
print("RESULT " + json.dumps(result))
"""


def telco_case():
    """What the file says, and what the issue of the project expects of it."""
    with TELCO.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(not row["TotalCharges"].strip() for row in rows) == 11
    return {
        "path": str(TELCO),
        "mapping": "Telco",
        "lines": TELCO_LINES,
        "plans": ["DSL", "Fiber optic"],
        "rows": len(rows),
        "contacts": sum(row["InternetService"] == "No" for row in rows),
        "terminated": sum(row["InternetService"] != "No" and row["Churn"] == "Yes" for row in rows),
        "expected": {
            "DSL": (1962, Decimal("118136.15")),
            "Fiber optic": (1799, Decimal("168984.35")),
        },
        "total": (3761, Decimal("287120.50")),
    }


def sample_case():
    """The figures of the sample, from the file alone."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {}
    for row in rows:
        if row["Package"] != "None" and row["Status"] != "Left":
            count, amount = expected.get(row["Package"], (0, Decimal(0)))
            price = Decimal(row["Monthly Bill"].replace(",", ""))
            expected[row["Package"]] = (count + 1, amount + price)
    return {
        "path": str(SAMPLE),
        "mapping": "Sample provider",
        "lines": [],
        "plans": sorted({row["Package"] for row in rows} - {"None"}),
        "rows": len(rows),
        "contacts": sum(row["Package"] == "None" for row in rows),
        "terminated": sum(row["Status"] == "Left" for row in rows),
        "expected": expected,
        "total": tuple(map(sum, zip(*expected.values(), strict=True))),
    }


CASES = {"sample": sample_case} | ({"telco": telco_case} if TELCO.exists() else {})


@pytest.mark.parametrize("name", CASES)
def test_a_provider_is_imported_and_its_first_month_billed(name, suite_db, odoo_shell):
    case = CASES[name]()
    spec = {key: case[key] for key in ("path", "mapping", "lines", "plans")}
    output = odoo_shell(suite_db, RUN.format(spec=json.dumps(spec)), timeout=600)
    [line] = [line for line in output.splitlines() if line.startswith("RESULT ")]
    result = json.loads(line.removeprefix("RESULT "))
    print(f"import {result['import_s']:.1f} s, billing {result['bill_s']:.1f} s")

    total, new, changed, unchanged, rejected, _summary = result["import"]
    assert (total, new, changed, unchanged, rejected) == (case["rows"], case["rows"], 0, 0, 0)
    assert sum(result["states"].values()) == case["rows"] - case["contacts"]
    assert result["states"]["terminated"] == case["terminated"]

    assert result["exceptions"] == 0
    count, amount = case["total"]
    assert (result["invoices"][0], Decimal(result["invoices"][1])) == (count, amount)
    billed = {
        plan: (count, Decimal(charged), Decimal(invoiced))
        for plan, (count, charged, invoiced, _posted, _whole) in result["plans"].items()
    }
    assert billed == {
        plan: (count, amount, amount) for plan, (count, amount) in case["expected"].items()
    }
    assert all(posted and whole for *_figures, posted, whole in result["plans"].values())

    assert result["second_run"] == 0
    *figures, summary = result["again"]
    assert figures == [case["rows"], 0, 0, case["rows"], 0]
    assert summary.startswith(f"Nothing changed: all {case['rows']} rows")
    assert result["untouched"]
