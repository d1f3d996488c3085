"""Each gateway and a whole Odoo: a hundred messages at once, and a kill at the worst moment."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness import server
from harness.gateways import CODES, Simulators
from harness.rpc import Rpc
from harness.waiting import Background, wait_for
from simulators.gateways.bkash import Bkash
from simulators.gateways.sslcommerz import STORE_PASSWD

MESSAGES, AT_ONCE = 100, 20
WORKERS = 2
# The call that asks whether the money is there; bKash takes it in this very call.
ASKS = {"bkash": "execute", "nagad": "verify", "sslcommerz": "validate"}
SECRETS = [
    STORE_PASSWD,
    *(value for name, value in Bkash().credentials.items() if name != "username"),
]

SETUP = """
from odoo import Command

partner = env["res.partner"].create({"name": "Karim Uddin", "email": "karim@example.com"})
company = env.company
company.write({"email": "hi@padma.example", "phone": "+8809612000000"})
made = {}
for code in ("bkash", "nagad", "sslcommerz"):
    provider = provider_of(env, code)
    made[code] = [provider.id, []]
    for price in (510.0, 520.0):
        bill = env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_line_ids": [
                    Command.create({"name": "Internet", "price_unit": price, "tax_ids": False})
                ],
            }
        )
        bill.action_post()
        tx = env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[0].id,
                "amount": price,
                "currency_id": company.currency_id.id,
                "partner_id": partner.id,
                "reference": env["payment.transaction"]._compute_reference(code, prefix=bill.name),
                "operation": "online_redirect",
                "invoice_ids": [Command.set(bill.ids)],
            }
        )
        tx._get_processing_values()
        made[code][1].append([tx.gateway_payment_id, bill.id])
made["job"] = env.ref("isp_payments_bd.payment_transaction_cron_reconcile").id
env.cr.commit()
print("RESULT" + json.dumps(made))
"""

BOOKS = """
    SELECT move.payment_state, count(DISTINCT payment.id)::int, count(DISTINCT tx.id)::int
      FROM account_move move
      LEFT JOIN account_invoice_transaction_rel rel ON rel.invoice_id = move.id
      LEFT JOIN payment_transaction tx ON tx.id = rel.transaction_id AND tx.state = 'done'
      LEFT JOIN account_payment payment ON payment.payment_transaction_id = tx.id
     WHERE move.id = %s
     GROUP BY 1
"""


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with Simulators(tmp_path_factory.mktemp("gateways")) as started:
        yield started


@pytest.fixture(scope="module")
def odoo(module_db):
    with server.OdooServer(module_db, workers=WORKERS) as running:
        yield running


@pytest.fixture(scope="module")
def shop(simulators, odoo):
    """What is to be paid: ``{code: [provider, [[payment id, bill], …]], "job": cron}``."""
    return json.loads(simulators.set_up(odoo, SETUP).split("RESULT")[1].splitlines()[0])


@pytest.fixture
def books(query):
    """``(payment state, payments, paid transactions)`` of a bill."""
    return lambda bill_id: query(BOOKS, bill_id)[0]


@pytest.fixture
def run_job(odoo, shop, query):
    """Let the job ask about everything that is open, as an administrator does by hand."""

    def run():
        query(
            "UPDATE payment_transaction SET gateway_next_ask_at = '2020-01-01'"
            " WHERE gateway_next_ask_at IS NOT NULL"
        )
        admin = Rpc(odoo.url, timeout=300).sign_in(odoo.db, "admin", "admin")
        admin.call("ir.cron", "method_direct_trigger", [shop["job"]])

    return run


def messages_of(code, back):
    """What tells the shop: the customer's return, of SSLCommerz three notifications to each."""
    if code != "sslcommerz":
        return [back]
    notification = {**back, "url": back["url"].replace("/return", "/ipn")}
    return [notification, notification, notification, back]


def asked(simulators, code):
    """How often the gateway was asked whether the money is there."""
    calls = [one["call"] for one in simulators.control(code)["requests"]]
    return calls.count(ASKS[code])


@pytest.mark.parametrize("code", CODES)
def test_a_hundred_messages_and_the_job_at_once_make_one_payment(
    code, shop, simulators, odoo, books, run_job
):
    provider_id, [[payment_id, bill_id], _other] = shop[code]
    if code == "bkash":
        # Tells twenty times what the first of the customer's returns brings about.
        url = f"{odoo.url}/payment/bkash/notification/{provider_id}"
        simulators.control(code, "/do/subscribe", {"url": url})
        wait_for(lambda: is_subscribed(simulators), what="Odoo did not confirm the subscription")
        simulators.control(code, "/faults", {"call": "notify", "repeat": 20})
    messages = messages_of(code, simulators.pay(code, payment_id))
    start = threading.Barrier(AT_ONCE + 1)

    def tell(number):
        if number < AT_ONCE:
            start.wait(60)
        message = messages[number % len(messages)]
        return requests.request(**message, timeout=120, allow_redirects=False).status_code

    def ask():
        start.wait(60)
        run_job()

    with ThreadPoolExecutor(AT_ONCE + 1) as crowd:
        job = crowd.submit(ask)
        answers = list(crowd.map(tell, range(MESSAGES)))
        job.result(300)
    assert set(answers) <= {200, 303}
    run_job()  # what came while the row was taken is left to it
    state, payments, done = books(bill_id)
    assert state in ("in_payment", "paid")
    assert (payments, done) == (1, 1)
    if code == "bkash":
        assert asked(simulators, code) == 1, "money was asked for twice"
        wait_for(lambda: are_delivered(simulators), 60, "a notification was not taken")
        assert books(bill_id) == (state, 1, 1)
    log = odoo.log.read_text(errors="replace")
    assert "Traceback" not in log
    assert not [secret for secret in SECRETS if secret in log]


def is_subscribed(simulators):
    calls = [one["call"] for one in simulators.control("bkash")["requests"]]
    return "confirm" in calls


def are_delivered(simulators):
    deliveries = simulators.control("bkash")["deliveries"]
    return len(deliveries) > 20 and all(one["attempts"][-1:] == [200] for one in deliveries)


@pytest.mark.parametrize("code", CODES)
def test_killed_between_the_capture_and_the_commit(code, shop, simulators, odoo, books, run_job):
    _provider, [_other, [payment_id, bill_id]] = shop[code]
    message = simulators.pay(code, payment_id)
    before = asked(simulators, code)
    # The gateway has done what it was asked for, and Odoo does not know yet.
    simulators.control(code, "/faults", {"call": ASKS[code], "late_s": 20})

    def come_back():
        with pytest.raises(requests.ConnectionError):
            requests.request(**message, timeout=60, allow_redirects=False)

    with Background(come_back):
        wait_for(lambda: asked(simulators, code) > before, 30, "Odoo did not ask")
        wait_for(lambda: has_money(simulators, code), 10, "the money did not move")
        odoo.kill()
    assert books(bill_id) == ("not_paid", 0, 0)
    odoo.start()
    for _time in range(2):
        run_job()
        state, payments, done = books(bill_id)
        assert state in ("in_payment", "paid")
        assert (payments, done) == (1, 1)
    assert requests.request(**message, timeout=60, allow_redirects=False).status_code == 303
    assert books(bill_id) == (state, 1, 1)
    if code == "bkash":
        assert asked(simulators, code) == before + 1, "money was asked for twice"


def has_money(simulators, code):
    """Whether the 520.00 are at the gateway; Nagad and SSLCommerz took them before."""
    return code != "bkash" or "520.00" in json.dumps(simulators.control(code)["state"])
