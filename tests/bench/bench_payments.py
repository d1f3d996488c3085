"""Payments by bKash, Nagad and SSLCommerz: the way back of one customer, and the job over thousands.

1. A customer's way back: from the request that tells Odoo of a payment to its answer, when the
   payment is posted and reconciled with the bill. Beside it Odoo's demo provider, which asks nobody:
   its confirmation and the call of the status page that books it. One customer after the other,
   the providers in turn.
2. The job: open payments of the three gateways, of which some are paid, asked about by Odoo's own
   scheduler; then those that are still open once more.
3. The same while every gateway accepts calls and answers none: how long a worker is held.
"""

import argparse
import json
import math
import os
import random
import re
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import requests

from harness import crowd, databases
from harness.gateways import CODES, Simulators
from harness.rpc import Rpc
from harness.server import OdooServer, run_shell

TIME_OUT_S = 30  # of one call, to each of the gateways
JOB_S = 10  # what Odoo's scheduler gives a job before others have their turn
SEEDS = 20

CUSTOMERS = """
import json
from datetime import timedelta

env = env(context=dict(env.context, tracking_disable=True))
company = env.company
company.partner_id.tz = "Asia/Dhaka"
company.write({"email": "hi@padma.example", "phone": "+8809612000000"})
day = company._get_isp_today().replace(day=1) - timedelta(days=40)
plan = env["isp.plan"].create({"name": "Home", "price": 1000, "tax_ids": [(5,)]})
subscriptions = env["isp.subscription"].create([
    {
        "partner_id": env["res.partner"].create({"name": f"Customer {number}"}).id,
        "plan_id": plan.id, "username": f"customer{number}", "date_start": day,
    } for number in range(@COUNT@)
])
subscriptions._activate()
env.cr.commit()
"""

BILL_THEM = """
from datetime import timedelta

day = env.company._get_isp_today().replace(day=1) - timedelta(days=40)
run = env["isp.billing.run"].create({"target_date": day, "invoice_date": day})
env.cr.commit()
run._run_to_end()
env["queue.job"].search([]).unlink()  # files of the bills: not what is measured here
env.cr.commit()
"""

BILLS = """
demo = provider_of(env, "demo")
demo.write({"state": "test", "is_published": True})
demo.payment_method_ids.active = True
# Odoo may make the provider's line in the journal twice, and then refuses to book.
demo.journal_id.inbound_payment_method_line_ids.filtered(
    lambda line: line.payment_provider_id == demo)[1:].unlink()
env.cr.commit()
moves = env["account.move"].search(
    [("move_type", "=", "out_invoice"), ("state", "=", "posted")], order="id")
first = moves[:@FIRST@]
print("RESULT" + json.dumps({
    "providers": {
        code: [provider_of(env, code).id, provider_of(env, code).payment_method_ids[0].id]
        for code in ("demo", "bkash", "nagad", "sslcommerz")
    },
    "bills": [[move.id, move._portal_ensure_token(), move.amount_residual] for move in first],
    "cron": env.ref("isp_payments_bd.payment_transaction_cron_reconcile").id,
}))
env.cr.commit()
"""

# Each customer was sent to a gateway. Some paid there and never came back; bKash takes money only
# when the customer comes back, so its payments are all open.
OPEN_PAYMENTS = """
import json, urllib.request

env = env(context=dict(env.context, tracking_disable=True))
port, paid = @PORT@, 0
codes = ["bkash", "nagad", "sslcommerz"]
providers = {
    code: env["payment.provider"].search(
        [("code", "=", code), ("company_id", "=", env.company.id)], limit=1) for code in codes
}


def control(code, path, values):
    url = f"http://127.0.0.1:{port + codes.index(code)}/_control{path}"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(values).encode()), timeout=10).read()


moves = env["account.move"].search(
    [("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("amount_residual", ">", 0)],
    order="id", limit=@COUNT@)
control("sslcommerz", "/faults", {"call": "notify", "lose": True, "times": None})
# Each payment of a transaction makes the next one slower.
for start in range(0, len(moves), 50):
    part = env["account.move"].browse(moves.ids[start:start + 50])
    for number, move in enumerate(part, start):
        code = codes[number % 3]
        tx = env["payment.transaction"].create({
            "provider_id": providers[code].id,
            "payment_method_id": providers[code].payment_method_ids[0].id,
            "amount": move.amount_residual,
            "currency_id": move.currency_id.id,
            "partner_id": move.partner_id.id,
            "reference": f"open-{move.id}",
            "operation": "online_redirect",
            "invoice_ids": [(6, 0, move.ids)],
        })
        tx._get_specific_rendering_values({})
        if code == "bkash" or number // 3 % @EVERY@:
            continue
        paid += 1
        if code == "nagad":
            control(code, "/do/choose", {"payment_id": tx.gateway_payment_id, "choice": "pay_close"})
        else:
            control(code, "/do/pay", {"key": tx.gateway_payment_id, "choice": "pay_close"})
    env.cr.commit()
    env.invalidate_all()
# Odoo's own job has looked at payments that were begun hours ago; other jobs are not measured.
env["payment.transaction"].search([("state", "=", "draft")]).is_post_processed = True
env.cr.execute("UPDATE ir_cron SET nextcall = now() + interval '1 day' WHERE id <> %s", [
    env.ref("isp_payments_bd.payment_transaction_cron_reconcile").id])
env.cr.commit()
control("sslcommerz", "/clear", {})
print("RESULT" + json.dumps([len(moves), paid]))
"""

# When a payment is made due; one that was asked about is due again before the last has been.
LONG_AGO = "2020-01-01"
DUE = f"gateway_next_ask_at = '{LONG_AGO}'"


class Customer:
    """Pays one bill by its link, as the portal's page does."""

    def __init__(self, odoo, simulators, code, provider, bill):
        self._browser = Rpc(odoo.url)
        self._simulators, self._code = simulators, code
        self._bill_id, token, amount = bill
        self._begun = self._browser.post(
            f"/invoice/transaction/{self._bill_id}",
            {
                "access_token": token,
                "provider_id": provider[0],
                "payment_method_id": provider[1],
                "token_id": None,
                "amount": amount,
                "flow": "direct" if code == "demo" else "redirect",
                "tokenization_requested": False,
                "landing_route": "/my",
                "is_validation": False,
            },
        )

    def come_back(self, database):
        """Pay; return the seconds from telling Odoo to its answer. The bill is settled then."""
        tell = self._demo if self._code == "demo" else self._returns(database)
        start = time.monotonic()
        tell()
        took = time.monotonic() - start
        [(state, payments)] = databases.query(
            database,
            "SELECT m.payment_state, (SELECT count(*) FROM account_payment p"
            " WHERE p.partner_id = m.commercial_partner_id AND p.move_id IS NOT NULL)"
            " FROM account_move m WHERE m.id = %s",
            [self._bill_id],
        )
        assert state in ("in_payment", "paid") and payments == 1, (
            *(self._code, state, payments),
            databases.query(
                database,
                "SELECT e.channel, e.outcome, e.summary FROM isp_gateway_event e"
                " JOIN payment_transaction t ON t.id = e.transaction_id WHERE t.reference = %s",
                [self._begun["reference"]],
            ),
        )
        return took

    def _demo(self):
        self._browser.post(
            "/payment/demo/simulate_payment",
            {
                "reference": self._begun["reference"],
                "payment_details": "1234",
                "simulated_state": "done",
            },
        )
        self._browser.post("/payment/status/poll", {})

    def _returns(self, database):
        [(payment_id,)] = databases.query(
            database,
            "SELECT gateway_payment_id FROM payment_transaction WHERE reference = %s",
            [self._begun["reference"]],
        )
        wallet = {}
        if self._code == "bkash":
            # bKash takes the same amount from the same wallet once in two minutes.
            wallet = {"wallet": f"018{self._bill_id:08}"}
            self._simulators.control("bkash", "/do/open_wallet", {**wallet, "balance": "100000"})
        request = self._simulators.pay(self._code, payment_id, **wallet)
        return lambda: requests.request(**request, allow_redirects=False, timeout=60)


class Job:
    """Odoo's scheduler with the job that asks about open payments."""

    def __init__(self, database, cron_id):
        self._database, self._cron_id = database, cron_id

    def run(self, what):
        """Make every open payment due, let the scheduler work, and print the rate.

        :return: the seconds of each time that a worker was held
        """
        self._make_due()
        count = self._count()
        with OdooServer(self._database, crons=1, args=("--limit-time-real-cron", "0")) as odoo:
            self._trigger()
            start = time.monotonic()
            while self._count():
                assert time.monotonic() < start + 7200, "the job does not get on"
                time.sleep(0.2)
            took = time.monotonic() - start
            time.sleep(3)  # the last run is logged
            log = odoo.log.read_text(errors="replace")
        held = [
            float(one) for one in re.findall(r"Job '[^']*payment[^']*'.*duration ([\d.]+)s", log)
        ]
        print(f"  {what:44}{count:8,} in {took:7.1f} s {count / took:8.1f}/s", flush=True)
        return held

    def _make_due(self):
        databases.query(
            self._database,
            f"UPDATE payment_transaction SET gateway_next_ask_at = '{LONG_AGO}'"
            " WHERE gateway_next_ask_at IS NOT NULL AND state IN ('draft', 'pending')",
        )

    def _count(self):
        [(count,)] = databases.query(
            self._database, f"SELECT count(*) FROM payment_transaction WHERE {DUE}"
        )
        return count

    def _trigger(self):
        databases.query(
            self._database,
            "INSERT INTO ir_cron_trigger (cron_id, call_at) VALUES (%s, now() AT TIME ZONE 'UTC')",
            [self._cron_id],
        )
        databases.query("postgres", "SELECT pg_notify('cron_trigger', %s)", [self._database])


def percentile(values, share):
    """The nearest-rank percentile."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--payments", type=int, default=10_000, help="open payments of the job")
    parser.add_argument("--paid", type=int, default=10, help="one in so many has paid")
    parser.add_argument("--returns", type=int, default=100, help="customers of each provider")
    options = parser.parse_args()
    template = os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print)
    database = f"isp_test_{os.getpid()}_payments"
    databases.copy_database(template, database)
    try:
        with ExitStack() as stack:
            keys = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            measure(options, database, stack.enter_context(Simulators(keys)))
    finally:
        databases.drop_database(database)


def measure(options, database, simulators):
    codes = ["demo", *CODES]
    warmup = 4
    first = len(codes) * (options.returns + warmup)
    run_shell(database, CUSTOMERS.replace("@COUNT@", str(SEEDS)))
    crowd.multiply_subscriptions(database, math.ceil((first + options.payments) / SEEDS))
    run_shell(database, BILL_THEM, timeout=1800)
    with OdooServer(database, workers=2) as odoo:
        output = simulators.set_up(odoo, BILLS.replace("@FIRST@", str(first)))
        facts = json.loads(output.split("RESULT")[1].splitlines()[0])
        bills = iter(facts["bills"])
        times = {code: [] for code in codes}
        for number in range(warmup + options.returns):
            for code in random.sample(codes, len(codes)):
                bill = next(bills)
                customer = Customer(odoo, simulators, code, facts["providers"][code], bill)
                took = customer.come_back(database)
                if number >= warmup:
                    times[code].append(took)
    show_returns(times)
    code = OPEN_PAYMENTS.replace("@PORT@", str(simulators.port))
    code = code.replace("@COUNT@", str(options.payments)).replace("@EVERY@", str(options.paid))
    output = run_shell(database, code, timeout=3600)
    count, paid = json.loads(output.split("RESULT")[1].splitlines()[0])
    print(f"The job, {count:,} open payments of three gateways, {paid:,} of them paid:")
    job = Job(database, facts["cron"])
    held = job.run("all, the paid ones booked")
    [(done,)] = databases.query(
        database,
        "SELECT count(*) FROM payment_transaction WHERE reference LIKE 'open-%' AND state = 'done'",
    )
    assert done == paid, f"{done:,} are booked, {paid:,} were paid"
    held += job.run("those still open, once more")
    show_held("gateways that answer", held, JOB_S)
    for code in CODES:
        simulators.control(code, "/faults", {"slow_s": 2 * TIME_OUT_S, "times": None})
    held = job.run("no gateway answers: put off")
    show_held("no gateway answers", held, JOB_S + TIME_OUT_S)


def show_returns(times):
    print(f"Told of a payment to posted and reconciled, ms, {len(times['demo'])} of each:")
    print(f"  {'':14}{'p50':>8}{'p95':>8}{'worst':>8}   p95 : demo's")
    peer = percentile(times["demo"], 0.95)
    for code, values in times.items():
        numbers = [percentile(values, share) for share in (0.5, 0.95, 1)]
        row = "".join(f"{1000 * number:8.0f}" for number in numbers)
        print(f"  {code:14}{row}{numbers[1] / peer:10.2f}", flush=True)


def show_held(what, held, limit):
    verdict = "held" if held and max(held) <= limit + 2 else "MISSED"
    print(
        f"  {what}: longest hold of a worker {max(held, default=math.nan):.1f} s, bar {limit} s: {verdict}"
    )


if __name__ == "__main__":
    main()
