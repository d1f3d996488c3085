"""Nagad's simulator goes wrong in every way at every call: what Odoo makes of it.

Real Odoo code over real HTTP, in ``odoo shell``; each case begins with a new bill and payment.
"""

import json

import pytest

from simulators.gateways.nagad import Nagad

MERCHANT = "683000000000001"
# name: (fault of simulators.gateways.faults, whether what was asked for is done all the same)
FAULTS = {
    "slow": ({"slow_s": 3}, True),  # longer than the client waits in this test
    "late": ({"late_s": 3}, True),
    "lost": ({"lose": True}, True),
    "dropped": ({"drop": True}, False),
    "down": ({"status": 503}, False),
    "HTML, done": ({"html": True}, True),
    "HTML, undone": ({"html": "undone"}, False),
    "a list": ({"answer": ["x"]}, False),
    "nothing": ({"answer": {}}, False),
}
FORGED = {"forged": ({"forge": True}, True)}
START = [(call, name) for call in ("initialize", "complete") for name in FAULTS] + [
    ("initialize", "forged")
]

SETUP = """
provider = env["payment.provider"].search(
    [("code", "=", "nagad"), ("company_id", "=", env.company.id)]
)
provider.action_nagad_new_keys()
provider.write(
    {
        "nagad_merchant_id": "@MERCHANT@",
        "nagad_public_key": "@KEY@",
        "nagad_server_ip": "203.0.113.7",
        "nagad_test_url": "@URL@",
        "nagad_refunds": True,
        "state": "test",
        "journal_id": env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1
        ).id,
    }
)
env.cr.commit()
print("PUBLIC", provider.nagad_own_public_key)
"""

PREPARE = """
import json
import time

import requests

from odoo import Command
from odoo.addons.isp_payments_bd.gateways import nagad

nagad.NagadClient.__init__.__kwdefaults__["timeout"] = 2
CONTROL = "@CONTROL@"
provider = env["payment.provider"].search(
    [("code", "=", "nagad"), ("company_id", "=", env.company.id)]
)
customer = env["res.partner"].create({"name": "Karim Uddin"})


def post(path, **values):
    response = requests.post(f"{CONTROL}/{path}", json=values, timeout=10)
    response.raise_for_status()
    return response.json()


def start():
    bill = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": customer.id,
            "invoice_line_ids": [
                Command.create({"name": "Internet", "price_unit": 500.0, "tax_ids": False})
            ],
        }
    )
    bill.action_post()
    tx = env["payment.transaction"].create(
        {
            "provider_id": provider.id,
            "payment_method_id": provider.payment_method_ids.id,
            "amount": 500.0,
            "currency_id": bill.currency_id.id,
            "partner_id": customer.id,
            "reference": env["payment.transaction"]._compute_reference("nagad", prefix=bill.name),
            "operation": "online_redirect",
            "invoice_ids": [Command.set(bill.ids)],
        }
    )
    tx._get_processing_values()
    env.cr.commit()
    return tx


def settle(tx):
    tx._bd_settle("job")
    env.cr.commit()
    return state(tx)


def state(tx):
    env.invalidate_all()
    payments = env["account.payment"].search_count([("payment_transaction_id", "=", tx.id)])
    return [tx.state, tx.gateway_status, payments, tx.source_transaction_id.id or tx.invoice_ids.payment_state]


def show(results):
    print("RESULTS", json.dumps(results))
"""


@pytest.fixture(scope="module")
def nagad():
    with Nagad() as running:
        yield running


@pytest.fixture(scope="module")
def run(nagad, module_db, odoo_shell):
    """Run code in Odoo against the simulator: ``run(code, CASES=…)`` returns what it showed."""
    setup = SETUP.replace("@MERCHANT@", MERCHANT).replace("@KEY@", nagad.public_key)
    output = odoo_shell(module_db, setup.replace("@URL@", nagad.api_url))
    [line] = [line for line in output.splitlines() if line.startswith("PUBLIC ")]
    nagad.add_merchant(MERCHANT, line.split()[1])

    def run_code(code, cases):
        code = PREPARE.replace("@CONTROL@", f"{nagad.url}/_control") + code
        output = odoo_shell(module_db, code.replace("@CASES@", json.dumps(cases)), timeout=600)
        [line] = [line for line in output.splitlines() if line.startswith("RESULTS ")]
        return json.loads(line.split(" ", 1)[1])

    yield run_code


def test_a_fault_at_the_start_ends_the_attempt_and_the_next_one_works(run):
    cases = [[call, name, (FAULTS | FORGED)[name][0]] for call, name in START]
    results = run(
        """
results = {}
for call, name, fault in json.loads('''@CASES@'''):
    post("faults", call=call, **fault)
    tx = start()
    results[f"{call}: {name}"] = [*state(tx)[:1], bool(tx.gateway_note), bool(tx.gateway_next_ask_at)]
    post("clear")
tx = start()
post("do/choose", payment_id=tx.gateway_payment_id, choice="pay")
results["next"] = settle(tx)
show(results)
""",
        cases,
    )
    assert results.pop("next") == ["done", "paid", 1, "paid"]
    assert len(results) == len(START)
    assert set(map(tuple, results.values())) == {("error", True, False)}, results


def test_a_fault_at_the_question_leaves_the_payment_open_until_it_is_known(run):
    cases = [[name, fault] for name, (fault, _done) in FAULTS.items()]
    results = run(
        """
results = {}
for name, fault in json.loads('''@CASES@'''):
    tx = start()
    post("do/choose", payment_id=tx.gateway_payment_id, choice="pay_close")
    post("faults", call="verify", times=2, **fault)
    results[name] = [settle(tx), settle(tx), bool(tx.gateway_next_ask_at), settle(tx), settle(tx)]
show(results)
""",
        cases,
    )
    unknown, paid = ["pending", "unknown", 0, "not_paid"], ["done", "paid", 1, "paid"]
    open_still = ["draft", "pending", 0, "not_paid"]  # readable, but says nothing
    for name, result in results.items():
        first = open_still if name == "nothing" else unknown
        assert result == [first, first, True, paid, paid], name
    assert results.keys() == FAULTS.keys()


def test_another_amount_is_never_paid(run):
    results = run(
        """
results = []
tx = start()
post("do/choose", payment_id=tx.gateway_payment_id, choice="pay")
post("faults", call="verify", times=3, change={"amount": "1.00"})
for _time in range(3):
    results.append(settle(tx))
show(results)
""",
        [],
    )
    assert results == [["error", "mismatch", 0, "not_paid"]] * 3


def test_a_fault_at_a_refund_never_sends_it_twice(run, nagad):
    faults = FAULTS | FORGED
    cases = [[name, fault] for name, (fault, _done) in faults.items()]
    results = run(
        """
results = {}
for name, fault in json.loads('''@CASES@'''):
    tx = start()
    post("do/choose", payment_id=tx.gateway_payment_id, choice="pay")
    settle(tx)
    post("faults", call="cancel", **fault)
    tx.action_refund(amount_to_refund=200.0)
    env.cr.commit()
    refund = tx.child_transaction_ids
    first = state(refund)[:2]
    time.sleep(fault.get("slow_s", 0))
    results[name] = [first, settle(refund)[:3], settle(refund)[:3], tx.gateway_payment_id]
show(results)
""",
        cases,
    )
    for name, (_fault, done) in faults.items():
        first, second, third, payment_id = results[name]
        assert first == ["pending", "unknown"], name
        known = ["done", "paid", 1] if done else ["pending", "pending", 0]
        assert second == third == known, name
        assert nagad.payments[payment_id].given_back == (200 if done else 0), name
    assert len(nagad.received("cancel")) == len(faults)
