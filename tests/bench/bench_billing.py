"""Posted invoices per second: OCA contract, the ORM, sets, and the bare INSERT of the same rows.

All bill copies of one database with one taxed line an invoice. ``--full`` adds 100,000
subscriptions. Every 20th customer has paid in advance, every second of those for a prepaid service,
so that the suite's figures hold the reconciliation of credits and the entitlements that follow.
The OCA addon comes from PyPI into a folder of its own; nothing of the suite needs it.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from harness import databases
from harness.settings import environment, odoo_command

OCA_CONTRACT = "odoo-addon-contract==19.0.1.2.1.2"
DAY = "2027-01-01"
# The slow paths cost the same for each invoice however many there are.
SLOW_PATH_INVOICES = 1000
TIMEOUT_S = 7200
# Each with the column that tells the rows of a billing run from those that were there before.
TABLES = {
    "account_move": "id",
    "account_move_line": "id",
    "account_move_line_account_tax_rel": "account_move_line_id",
    "account_account_tag_account_move_line_rel": "account_move_line_id",
}

SEED = """
count = {count}
env.company.partner_id.tz = "Asia/Dhaka"
tax = env["account.tax"].search([("type_tax_use", "=", "sale"), ("amount", "=", 5)], limit=1)
plan, prepaid = env["isp.plan"].create(
    [
        {{"name": "Bench", "price": 749.5, "tax_ids": [(6, 0, tax.ids)]}},
        {{"name": "Prepaid", "price": 749.5, "tax_ids": [(6, 0, tax.ids)],
         "billing_mode": "prepaid", "anchor": "anniversary"}},
    ]
)
receivable = env["res.partner"].new({{}}).property_account_receivable_id
bank = env["account.journal"].search([("type", "=", "bank")], limit=1)

def advance(partner):
    lines = [
        {{"account_id": receivable.id, "partner_id": partner.id, "credit": 1000.0}},
        {{"account_id": bank.default_account_id.id, "debit": 1000.0}},
    ]
    return {{"journal_id": bank.id, "date": "{day}", "line_ids": [(0, 0, line) for line in lines]}}

env = env(context=dict(env.context, tracking_disable=True))
while count > 0:
    chunk = min(count, 2000)
    count -= chunk
    partners = env["res.partner"].create(
        [{{"name": f"Customer {{count + n}}", "customer_rank": 1}} for n in range(chunk)]
    )
    env["isp.subscription"].create(
        [
            {{"partner_id": p.id, "plan_id": (plan if n % 40 else prepaid).id, "date_start": "{day}"}}
            for n, p in enumerate(partners)
        ]
    )._activate()
    env["account.move"].create([advance(partner) for partner in partners[::20]])._post(soft=False)
    env.cr.commit()
    env.invalidate_all()
"""

MEASURE = """
import json, resource, time
spent = {{}}

def timed(owner, name, label):
    call = getattr(owner, name)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        try:
            return call(*args, **kwargs)
        finally:
            spent[label] = spent.get(label, 0.0) + time.perf_counter() - start
    setattr(owner, name, wrapper)

def report(seconds, invoices):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("RESULT", json.dumps(dict(seconds=seconds, invoices=invoices, peak_mb=peak, spent=spent)))
"""

SUITE = (
    MEASURE
    + """
from odoo.addons.isp_billing.engine import bulk_invoice, bulk_rank, bulk_sql
subscription = type(env["isp.subscription"])
timed(subscription, "_get_due_charges", "charges worked out")
timed(subscription, "_create_charges", "charges written")
timed(subscription, "_prepare_invoice_vals", "invoices prepared")
timed(subscription, "_post_invoices", "posted")
timed(type(env["account.move"]), "_isp_apply_credits", "credits reconciled")
batch = bulk_invoice._Batch
timed(batch, "_group", "  grouped")
timed(batch, "_post_prototypes", "  prototypes by the ORM")
timed(batch, "_number", "  numbered")
timed(batch, "_get_rows", "  labels and rows")
for name in ("insert_moves", "insert_lines", "link_charges"):
    timed(bulk_sql, name, f"  {{name}}")
timed(bulk_rank, "count_customers", "  customer ranks")
env.company.isp_bulk_invoicing = {bulk}
env.cr.commit()
run = env["isp.billing.run"].create({{"target_date": "{day}", "invoice_date": "{day}"}})
class Commit:
    @staticmethod
    def commit(run):
        run.env.cr.commit()
        run.env.invalidate_all()

timed(Commit, "commit", "commits")
commit = Commit.commit
start = time.perf_counter()
run._start()
if {limit}:
    left = {limit}
    while left > 0:
        left -= run._bill_batch(min(left, 250))[0]
        commit(run)
else:
    run._run_to_end(after_batch=commit)
seconds = time.perf_counter() - start
# What is looked at below takes memory that billing did not.
report(seconds, run.invoice_count)
assert not run.exception_ids, run.exception_ids[0].reason
assert run.bulk_count > run.orm_count or not {bulk}, run.fallback_reasons
paid = run.charge_ids.move_id.filtered(lambda move: move.payment_state in ("paid", "in_payment"))
assert len(paid) >= run.invoice_count // 20, "credits were not reconciled"
extended = paid.isp_charge_ids.subscription_id.filtered(lambda one: one.paid_until)
assert all(
    one.entitlement_ids.valid_until for one in extended if one.plan_id.billing_mode == "prepaid"
), "entitlements were not set"
"""
)

CONTRACTS = """
plan = env["isp.plan"].search([], limit=1)
partners = env["isp.subscription"].search([], limit={count}, order="id").partner_id
env["contract.contract"].create(
    [
        {{
            "name": f"Contract {{p.id}}",
            "partner_id": p.id,
            "line_recurrence": True,
            "contract_line_ids": [
                (0, 0, {{
                    "product_id": plan.product_id.id, "name": "Bench", "quantity": 1.0,
                    "price_unit": 749.5, "recurring_rule_type": "monthly", "recurring_interval": 1,
                    "date_start": "{day}", "recurring_next_date": "{day}",
                }})
            ],
        }}
        for p in partners
    ]
)
env.cr.commit()
"""

OCA = (
    MEASURE
    + """
from datetime import date
start = time.perf_counter()
env["contract.contract"]._cron_recurring_create(date.fromisoformat("{day}"))
moves = env["account.move"].search([("state", "=", "draft"), ("move_type", "=", "out_invoice")])
moves.action_post()
env.cr.commit()
seconds = time.perf_counter() - start
assert len(moves) == {count} and set(moves.mapped("state")) == {{"posted"}}, len(moves)
assert moves[0].line_ids.tax_line_id and len(moves[0].line_ids) == 3
report(seconds, len(moves))
"""
)


class Bench:
    """Copies of one seeded database, each used by one way of billing."""

    def __init__(self, template):
        self.template = template
        self.prefix = f"isp_test_{os.getpid()}_bench"
        self.made = []

    def new(self, source, name):
        self.made.append(f"{self.prefix}_{name}")
        databases.drop_database(self.made[-1])
        databases.copy_database(source, self.made[-1])
        return self.made[-1]

    def drop(self, *names):
        for name in names or list(self.made):
            databases.drop_database(name)
            self.made.remove(name)

    def run_odoo(self, *args, code=""):
        """Run an Odoo command with the OCA addon in reach; return the result it printed."""
        command = [
            f"{part},{oca_folder() / 'odoo/addons'}"
            if str(part).startswith("--addons-path=")
            else part
            for part in odoo_command(*args)
        ]
        done = subprocess.run(
            command,
            env=environment(),
            input=code,
            text=True,
            capture_output=True,
            timeout=TIMEOUT_S,
        )
        if done.returncode:
            raise SystemExit(f"{args[:2]} failed:\n{done.stderr[-3000:]}")
        results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        return json.loads(results[-1][7:]) if results else None

    def shell(self, database, code, **values):
        return self.run_odoo(
            *("shell", "-d", database, "--no-http", "--log-level", "error"),
            code=code.format(day=DAY, **values),
        )

    def seed(self, count):
        """The database all start from, with ``count`` subscriptions that are due."""
        name = self.new(self.template, f"seed{count}")
        self.shell(name, SEED, count=count)
        with closing(databases.connect(name)) as connection, connection.cursor() as cr:
            cr.execute("VACUUM ANALYZE")
        return name

    def oca(self, seed, count):
        name = self.new(seed, "oca")
        self.run_odoo("module", "install", "-d", name, "contract")
        self.shell(name, CONTRACTS, count=count)
        result = self.shell(name, OCA, count=count)
        self.drop(name)
        return result

    def suite(self, seed, name, bulk, limit=0):
        database = self.new(seed, name)
        return database, self.shell(database, SUITE, bulk=bulk, limit=limit)

    def raw(self, seed, billed):
        """Seconds to insert the rows of ``billed`` in one statement a table, indexes and all."""
        name = self.new(seed, "raw")
        with (
            closing(databases.connect(billed)) as source,
            closing(databases.connect(name)) as target,
            source.cursor() as read,
            target.cursor() as write,
        ):
            for table, column in TABLES.items():
                write.execute(f"SELECT coalesce(max({column}), 0) FROM {table}")
                new = f"SELECT * FROM {table} WHERE {column} > {write.fetchone()[0]}"
                path = Path(environment()["STATE"]) / f"cache/bench-{os.getpid()}.copy"
                with path.open("w+b") as file:
                    read.copy_expert(f"COPY ({new}) TO STDOUT", file)
                    file.seek(0)
                    write.execute(f"CREATE UNLOGGED TABLE raw_{table} (LIKE {table})")
                    write.copy_expert(f"COPY raw_{table} FROM STDIN", file)
                path.unlink()
            start = time.perf_counter()
            write.execute(
                "BEGIN;"
                + "".join(f"INSERT INTO {t} SELECT * FROM raw_{t};" for t in TABLES)
                + "COMMIT"
            )
            seconds = time.perf_counter() - start
        self.drop(name)
        return seconds


def oca_folder():
    """The folder of the OCA addon, filled from PyPI once."""
    folder = Path(environment()["STATE"]) / "cache/bench"
    if not (folder / "odoo/addons/contract").is_dir():
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder]
            + [OCA_CONTRACT],
            check=True,
        )
    return folder


def measure(bench, count, with_slow):
    seed = bench.seed(count)
    rows = {}
    if with_slow:
        slow = min(count, SLOW_PATH_INVOICES)
        oca = bench.oca(seed, slow)
        rows["OCA contract"] = oca["invoices"] / oca["seconds"], oca["peak_mb"]
        name, orm = bench.suite(seed, "orm", False, limit=slow)
        bench.drop(name)
        rows["ORM path"] = orm["invoices"] / orm["seconds"], orm["peak_mb"]
    billed, bulk = bench.suite(seed, "bulk", True)
    assert bulk["invoices"] == count, bulk
    raw_s = bench.raw(seed, billed)
    bench.drop(billed, seed)
    rows["sets, end to end"] = count / bulk["seconds"], bulk["peak_mb"]
    posting_s = bulk["spent"]["posted"] + bulk["spent"]["commits"]
    rows["sets, posting"] = count / posting_s, bulk["peak_mb"]
    rows["bare INSERT"] = count / raw_s, None
    return rows, bulk


def show(count, rows, oca, bulk):
    print(f"\n{count:,} subscriptions")
    for name, (rate, peak) in rows.items():
        memory = f"{peak:6.0f} MB" if peak else " " * 9
        print(f"  {name:20} {rate:9.1f} invoices/s  {rate / oca:7.1f} x OCA  {memory}")
    print("  where the time of the sets goes, ms per invoice:")
    for label, seconds in bulk["spent"].items():
        print(f"    {label:26} {1000 * seconds / count:7.3f}")
    rest = bulk["seconds"] - sum(s for label, s in bulk["spent"].items() if label[0] != " ")
    print(f"    {'finding, locking, flushing':26} {1000 * rest / count:7.3f}")


def show_bars(results, oca):
    largest = max(results)
    rows = {name: rate for name, (rate, _peak) in results[largest].items()}
    bars = [
        ("posting by sets, times OCA contract", rows["sets, posting"] / oca, ">=", 60),
        (
            "posting by sets, of the bare INSERT",
            rows["sets, posting"] / rows["bare INSERT"],
            ">=",
            0.5,
        ),
        ("end to end, times OCA contract", rows["sets, end to end"] / oca, ">=", 25),
        ("peak memory, MB", results[largest]["sets, posting"][1], "<=", 1024),
    ]
    if 100_000 in results:
        growth = results[10_000]["sets, posting"][0] / rows["sets, posting"]
        bars.append(("time an invoice at 100,000 by 10,000", growth, "<=", 1.2))
    print(f"\nAt {largest:,}")
    for what, value, sign, bar in bars:
        met = value >= bar if sign == ">=" else value <= bar
        print(f"  {what:38} {value:8.2f}  bar {sign} {bar:<6} {'met' if met else 'MISSED'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="also 100,000 subscriptions")
    parser.add_argument("--sizes", help="others than 1000,10000")
    options = parser.parse_args()
    sizes = [int(size) for size in (options.sizes or "1000,10000").split(",")]
    sizes += [100_000] if options.full else []
    databases.drop_leftovers()
    bench = Bench(databases.suite_template(print))
    results, oca = {}, None
    try:
        for count in sizes:
            rows, bulk = measure(bench, count, with_slow=oca is None)
            oca = oca or rows["OCA contract"][0]
            results[count] = rows
            show(count, rows, oca, bulk)
        show_bars(results, oca)
    finally:
        bench.drop()


if __name__ == "__main__":
    main()
