"""From a customer's payment to the wire: how long until the router obeys, and until full speed.

Real Odoo with workers and job runner, real FreeRADIUS, a NAS simulator for each of a hundred
routers, of which one in a hundred takes no commands. Every customer is online and owes a bill: half
are walled in (paying ends in a Disconnect and a new login), half are throttled (paying ends in a
CoA). Each pays once through the portal with the demo provider. The clock starts when the provider's
confirmation is sent to Odoo and stops

- when the router has obeyed the CoA or Disconnect and sends its answer;
- when a login of the customer is answered with the full speed: the one after the Disconnect, or,
  where the session goes on or the router is unreachable, one made as soon as the payment is done.

A customer at an unreachable router counts as infinitely late for the first.
"""

import argparse
import json
import math
import os
import queue
import random
import threading
import time
from contextlib import ExitStack

from harness import databases, radius
from harness.rpc import Rpc
from harness.server import OdooServer, run_shell
from simulators.nas import Nas

BAR_P50_S, BAR_P99_S = 1.0, 5.0
PATIENCE_S = 30
SECRET = "secret-of-the-bench"
FULL = "10M/20M"

SETUP = """
import json
from datetime import timedelta

env = env(context=dict(env.context, tracking_disable=True))
company = env.company
company.partner_id.tz = "Asia/Dhaka"
ports = json.loads('@PORTS@')
env["isp.nas"].create([
    {"name": address, "ip_address": address, "secret": "@SECRET@", "coa_port": port}
    for address, port in ports.items()
])
day = company._get_isp_today().replace(day=1) - timedelta(days=40)
plan = env["isp.plan"].create({
    "name": "Home 20", "price": 1000, "tax_ids": [(5,)], "upload_kbps": 10000,
    "download_kbps": 20000, "throttle_upload_kbps": 1000, "throttle_download_kbps": 1000,
    "framed_pool": "pool-home",
})
names = [f"user{number:04}" for number in range(@COUNT@)]
subscriptions = env["isp.subscription"].create([
    {
        "partner_id": partner.id, "plan_id": plan.id, "username": partner.name,
        "password": "secret of " + partner.name, "date_start": day,
        "payment_term_id": env.ref("account.account_payment_term_immediate").id,
    } for partner in env["res.partner"].create([
        {"name": name, "email": name + "@example.com"} for name in names])
])
subscriptions._activate()
run = env["isp.billing.run"].create({"target_date": day, "invoice_date": day})
run._run_to_end()
subscriptions[::2]._suspend("overdue", "Unpaid")
subscriptions[1::2]._throttle("overdue", "Unpaid")
provider = env["payment.provider"].search(
    [("code", "=", "demo"), ("company_id", "=", company.id)], limit=1)
provider.write({"state": "test", "is_published": True})
provider.payment_method_ids.active = True
# Odoo may make the provider's line in the journal twice, and then refuses to book.
provider.journal_id.inbound_payment_method_line_ids.filtered(
    lambda line: line.payment_provider_id == provider)[1:].unlink()
env.cr.commit()
print("RESULT" + json.dumps({
    "provider": provider.id,
    "method": provider.payment_method_ids[0].id,
    "services": [
        [one.username, one.id, one._portal_ensure_token(), one.amount_due]
        for one in subscriptions
    ],
}))
env.cr.commit()
"""


class Customer:
    """One subscriber with the session that is up, and the times of the payment."""

    def __init__(self, nas, name, service_id, token, amount):
        self.nas, self.name, self.service_id = nas, name, service_id
        self.token, self.amount = token, amount
        self.session = None
        self.paid_at = self.answered_at = self.obeyed_at = self.fast_at = math.inf

    def log_in(self):
        self.session = self.nas.login(self.name, f"secret of {self.name}")
        assert self.session, f"{self.name} was refused"
        assert self.session.rate != FULL

    def pay(self, url, provider):
        """Pay through the portal by the link of the bill; the clock runs from the confirmation."""
        browser = Rpc(url)
        begun = browser.post(
            f"/my/services/{self.service_id}/transaction",
            {
                "access_token": self.token,
                "provider_id": provider["provider"],
                "payment_method_id": provider["method"],
                "token_id": None,
                "amount": self.amount,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": f"/my/services/{self.service_id}",
                "is_validation": False,
            },
        )
        self.paid_at = time.monotonic()
        browser.post(
            "/payment/demo/simulate_payment",
            {
                "reference": begun["reference"],
                "payment_details": "1234",
                "simulated_state": "done",
            },
        )
        browser.post("/payment/status/poll", {})
        self.answered_at = time.monotonic()

    def watch(self):
        """Note when the router obeyed and when a login got the full speed."""
        nas = self.nas
        if not nas.faults.silent:
            command = nas.wait_for(session_id=self.session.id, seconds=PATIENCE_S)[0]
            self.obeyed_at = command.at
            if command.kind == "disconnect":
                at, reply = nas.wait_for_login(self.name, after=command.at)
                assert reply["Mikrotik-Rate-Limit"] == FULL, reply
                self.fast_at = at
                return
            assert self.session.rate == FULL, self.session
        nas.hang_up(self.session)
        again = nas.login(self.name, f"secret of {self.name}")
        assert again and again.rate == FULL, again
        self.fast_at = time.monotonic()


def percentile(values, share):
    """The nearest-rank percentile; infinite when too few have happened."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def show(what, values):
    numbers = [percentile(values, share) for share in (0.5, 0.95, 0.99)]
    worst = max(value for value in values if value < math.inf)
    print(
        f"  {what:44}" + "".join(f" {number:7.2f}" for number in numbers) + f" {worst:7.2f}",
        flush=True,
    )
    return numbers


def pay_all(customers, url, provider, clients):
    """Let so many customers pay at a time, until all have paid; return what went wrong."""
    waiting, problems = queue.Queue(), []
    for customer in customers:
        waiting.put(customer)

    def work():
        while True:
            try:
                customer = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                customer.pay(url, provider)
                watcher = threading.Thread(target=watch, args=(customer,))
                watchers.append(watcher)
                watcher.start()
            except Exception as error:
                problems.append(f"{customer.name}: {error}")

    def watch(customer):
        try:
            customer.watch()
        except Exception as error:
            problems.append(f"{customer.name}: {error}")

    watchers = []
    workers = [threading.Thread(target=work) for _client in range(clients)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    for thread in watchers:
        thread.join()
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--payments", type=int, default=200)
    parser.add_argument("--routers", type=int, default=100, help="at most 250")
    parser.add_argument("--clients", type=int, default=1, help="customers who pay at a time")
    parser.add_argument("--workers", type=int, default=4, help="Odoo's HTTP workers")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    template = os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print)
    database = f"isp_test_{os.getpid()}_wire"
    databases.copy_database(template, database)
    try:
        with ExitStack() as stack:
            measure(options, database, stack)
    finally:
        databases.drop_database(database)


def measure(options, database, stack):
    routers = [
        stack.enter_context(Nas(f"127.0.1.{number}", SECRET, redial_s=0.1))
        for number in range(1, options.routers + 1)
    ]
    # Not among the first, which have the customers of the warm-up as well.
    dead = random.sample(routers[options.routers // 2 :], max(1, options.routers // 100))
    for nas in dead:
        nas.faults.silent = True
    ports = json.dumps({nas.address: nas.coa_port for nas in routers})
    code = SETUP.replace("@PORTS@", ports).replace("@SECRET@", SECRET)
    # Every worker takes a few payments first: a server that has just started loads its code.
    warmup = 3 * options.workers
    count = options.payments + warmup
    output = run_shell(database, code.replace("@COUNT@", str(count)), timeout=600)
    provider = json.loads(output.split("RESULT")[1].splitlines()[0])
    freeradius = stack.enter_context(radius.RadiusServer(database))
    for nas in routers:
        nas.auth_port, nas.acct_port = freeradius.auth_port, freeradius.acct_port
    customers = [
        Customer(routers[number // 2 % len(routers)], *service)
        for number, service in enumerate(provider["services"])
    ]
    for customer in customers:
        customer.log_in()
    alive = [customer for customer in customers if customer.nas not in dead]
    early, customers = alive[:warmup], [c for c in customers if c not in alive[:warmup]]
    random.shuffle(customers)
    odoo = stack.enter_context(OdooServer(database, workers=options.workers))
    time.sleep(7)  # the job runner starts 5 s after the server
    print(
        f"{options.payments} payments, {options.clients} at a time, {options.routers} routers, "
        f"{len(dead)} of them unreachable, {options.workers} workers:"
    )
    problems = pay_all(early, odoo.url, provider, options.workers)
    start = time.monotonic()
    problems += pay_all(customers, odoo.url, provider, options.clients)
    took = time.monotonic() - start
    unreachable = sum(customer.nas in dead for customer in customers)
    print(f"  {'seconds':44}     p50     p95     p99   worst")
    show("payment answered to the customer", [c.answered_at - c.paid_at for c in customers])
    obeyed = show(
        "payment to CoA/Disconnect acknowledged", [c.obeyed_at - c.paid_at for c in customers]
    )
    show(
        "of that, after the payment was answered",
        [max(0.0, c.obeyed_at - c.answered_at) for c in customers],
    )
    fast = show(
        "payment to full speed at the next login", [c.fast_at - c.paid_at for c in customers]
    )
    print(
        f"  {len(customers) / took:.2f} payments a second; {unreachable} customers at unreachable routers"
    )
    for problem in problems:
        print(f"  PROBLEM {problem}")
    for what, (p50, _p95, p99) in (("acknowledged", obeyed), ("full speed", fast)):
        verdict = "held" if p50 <= BAR_P50_S and p99 <= BAR_P99_S else "MISSED"
        print(f"  bar p50 <= {BAR_P50_S:g} s and p99 <= {BAR_P99_S:g} s: {what}: {verdict}")


if __name__ == "__main__":
    main()
