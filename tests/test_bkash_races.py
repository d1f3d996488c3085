"""bKash with many workers at once, each with a database connection of its own."""

import json

import pytest

from simulators.gateways.bkash import Bkash

PREPARE = """
import threading

from odoo import SUPERUSER_ID, Command, api
from odoo.addons.isp_payments_bd.models.isp_bkash_login import LoginStore
from odoo.service.model import retrying

settings = @SETTINGS@
provider = env["payment.provider"].search(
    [("code", "=", "bkash"), ("company_id", "=", env.company.id)]
)
provider.write({**settings, "state": "test"})
customer = env["res.partner"].create({"name": "Karim", "ref": "C-1"})
bill = env["account.move"].create(
    {
        "move_type": "out_invoice",
        "partner_id": customer.id,
        "currency_id": env.ref("base.BDT").id,
        "invoice_line_ids": [
            Command.create({"name": "Internet", "price_unit": 500, "tax_ids": False})
        ],
    }
)
bill.action_post()
env.cr.commit()


def many(work, count):
    # Each in a transaction of its own, tried again on a conflict as Odoo does with requests.
    def run(number):
        with env.registry.cursor() as cr:
            other = api.Environment(cr, SUPERUSER_ID, {})
            try:
                barrier.wait(30)
                retrying(lambda: work(other, number), other)
            except Exception as error:
                failures.append(repr(error))

    failures = []
    barrier = threading.Barrier(count)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    env.cr.rollback()
    env.invalidate_all()
    print("failures:", failures)
"""

LOGIN = """
provider._bd_client().check_login()
env.cr.rollback()  # the payment is lost, the login counts
many(lambda other, number: provider.with_env(other)._bd_client().check_login(), 8)
"""

SETTLE = """
tx = env["payment.transaction"].create(
    {
        "provider_id": provider.id,
        "payment_method_id": env.ref("isp_payments_bd.payment_method_bkash").id,
        "amount": 500,
        "currency_id": env.ref("base.BDT").id,
        "partner_id": customer.id,
        "operation": "online_redirect",
        "invoice_ids": [Command.set(bill.ids)],
    }
)
tx._get_specific_rendering_values({})
env.cr.commit()
import json, urllib.request
url = settings["bkash_test_url"] + "/_control/do/customer"
body = json.dumps({"payment_id": tx.gateway_payment_id}).encode()
urllib.request.urlopen(urllib.request.Request(url, data=body, method="POST"), timeout=30).read()

WAYS = (
    lambda one: one._bd_settle("return", hint={"status": "success"}),
    lambda one: one._bd_settle("notification", hint={"trxID": "A"}),
    lambda one: one._bd_settle("job"),
)
many(lambda other, number: WAYS[number % 3](tx.with_env(other)), 9)
# Whoever asked first may have turned every return away: the job does what they claimed.
env.ref("isp_payments_bd.payment_transaction_cron_reconcile").method_direct_trigger()
env.cr.commit()
env.invalidate_all()
payments = env["account.payment"].search([("payment_transaction_id", "=", tx.id)])
print(tx.state, len(payments), payments.amount, bill.amount_residual)
"""

RECEIPT = """
claims = {"trxID": "@TRX@", "transactionReference": "C-1", "transactionType": "10003126"}


def receive(other, number):
    found = other["isp.gateway.receipt"]._receive(provider.with_env(other), claims)
    return found.id


many(receive, 8)
receipts = env["isp.gateway.receipt"].search([])
payments = env["account.payment"].search([("memo", "like", "@TRX@")])
print(len(receipts), receipts.state, len(payments), payments.amount)
"""


@pytest.fixture
def gateway():
    with Bkash() as simulator:
        yield simulator


def run(odoo_shell, database, gateway, code):
    settings = {f"bkash_{name}": value for name, value in gateway.credentials.items()}
    settings["bkash_test_url"] = gateway.url
    prepare = PREPARE.replace("@SETTINGS@", json.dumps(settings))
    return odoo_shell(database, prepare + code).split("failures: ", 1)[1].strip().splitlines()


def test_many_workers_log_in_once(suite_db, odoo_shell, gateway):
    gateway.faults.add("grant", slow_s=0.5)
    assert run(odoo_shell, suite_db, gateway, LOGIN) == ["[]"]
    assert len(gateway.received("grant")) == 1


def test_return_notification_and_job_at_once_make_one_payment(suite_db, odoo_shell, gateway):
    gateway.faults.add("execute", slow_s=0.3)
    assert run(odoo_shell, suite_db, gateway, SETTLE) == ["[]", "done 1 500.0 0.0"]
    assert len(gateway.received("execute")) == 1
    assert gateway.merchant_balance == 500


def test_one_qr_payment_in_many_messages_is_booked_once(suite_db, odoo_shell, gateway):
    code = RECEIPT.replace("@TRX@", gateway.pay_directly("250"))
    failures, booked = run(odoo_shell, suite_db, gateway, code)
    assert booked == "1 done 1 250.0", failures
