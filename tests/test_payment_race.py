"""A payment that lands while the customer is being dunned: who has paid keeps the line."""

import pytest

PREPARE = """
import threading
from datetime import timedelta

from odoo import SUPERUSER_ID, api
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

company = env.company
today = company._get_isp_today()
day = today.replace(day=1) - timedelta(days=40)
weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
company.isp_dunning_policy_id.write(
    {
        "step_ids": [(5,), (0, 0, {"action": "@ACTION@", "days": 4, "hour": 0})],
        **{f"rest_{weekday}": False for weekday in weekdays},
    }
)
plan = env["isp.plan"].create({"name": "Home", "price": 500.0, "tax_ids": [(5,)]})
subscription = env["isp.subscription"].create(
    {
        "partner_id": env["res.partner"].create({"name": "Karim"}).id,
        "plan_id": plan.id,
        "date_start": day,
        "payment_term_id": env.ref("account.account_payment_term_immediate").id,
    }
)
subscription._activate()
subscription._bill(day, day)
env.cr.commit()


def environment():
    return api.Environment(env.registry.cursor(), SUPERUSER_ID, {})


def pay(other):
    moves = other["isp.subscription"].browse(subscription.id).charge_ids.move_id
    other["account.payment.register"].with_context(
        active_model="account.move", active_ids=moves.ids
    ).create({"group_payment": True})._create_payments()
    other.flush_all()
    other.cr.commit()


def pay_in_advance(other):
    # Money that nobody has matched with the bill: posted, but not reconciled.
    other["account.payment"].create(
        {"partner_id": subscription.partner_id.id, "amount": 500.0, "payment_type": "inbound"}
    ).action_post()
    other.flush_all()
    other.cr.commit()


def show():
    env.cr.rollback()
    env.invalidate_all()
    owed = sum(amount for _due, amount in subscription._get_unpaid_since().values())
    print(subscription.state, subscription.entitlement_ids.access, owed)


def show_log():
    print(*[f"{log.action}: {log.outcome}" for log in subscription.dunning_log_ids])
"""

PAID_BETWEEN_LOOKING_AND_ACTING = """
job = environment()
due = job["isp.subscription"]._get_dunning_decisions(job.company)
assert [decision.subscription_id for decision in due] == subscription.ids
payer = environment()
@PAY@(payer)
try:
    job["isp.subscription"].browse(subscription.ids)._dun(job.company, planned=due)
    job.flush_all()
    job.cr.commit()
    print("decided again")
except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
    job.cr.rollback()
    print("collided")
show()
"""

# As the job does it: the batch that collides is done again, and notes why nothing happened.
PAID_WHILE_THE_JOB_RUNS = """
job = environment()
model = job["isp.subscription"]
due = model._get_dunning_decisions(job.company)
@PAY@(environment())
assert model._dun_batch(job.company, subscription.ids, None, due)
job.cr.commit()
show()
show_log()
assert not model._get_dunning_decisions(job.company)
"""

PAID_WHILE_ACTING = """
job = environment()
job["isp.subscription"].browse(subscription.ids)._dun(job.company)
job.flush_all()
outcomes = []


def pay_like_a_request():
    # As Odoo's own retry of a request: the same work again in a new transaction.
    for attempt in range(5):
        payer = environment()
        try:
            @PAY@(payer)
            outcomes.append(f"paid at attempt {attempt + 1}")
            return
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            payer.cr.rollback()
        finally:
            payer.cr.close()


thread = threading.Thread(target=pay_like_a_request)
thread.start()
thread.join(2)
assert thread.is_alive(), "the payment waits for the job"
job.cr.commit()
thread.join(30)
print(*outcomes)
show()
"""


def run(odoo_shell, database, scene, action="suspend", pay="pay"):
    """Play one scene and return the lines it printed."""
    code = (PREPARE + scene).replace("@ACTION@", action).replace("@PAY@", pay)
    return odoo_shell(database, code).splitlines()


@pytest.mark.parametrize(
    ("action", "pay"),
    [
        ("suspend", "pay"),
        ("suspend", "pay_in_advance"),
        ("throttle", "pay"),
        ("terminate", "pay_in_advance"),
    ],
)
def test_paid_between_looking_and_acting(suite_db, odoo_shell, action, pay):
    lines = run(odoo_shell, suite_db, PAID_BETWEEN_LOOKING_AND_ACTING, action, pay)
    assert lines == ["collided", "active full 0"]


def test_the_job_looks_again(suite_db, odoo_shell):
    lines = run(odoo_shell, suite_db, PAID_WHILE_THE_JOB_RUNS)
    assert lines == ["active full 0", "suspend: paid"]


@pytest.mark.parametrize(("action", "pay"), [("suspend", "pay"), ("throttle", "pay_in_advance")])
def test_paid_while_acting(suite_db, odoo_shell, action, pay):
    lines = run(odoo_shell, suite_db, PAID_WHILE_ACTING, action, pay)
    assert lines == ["paid at attempt 2", "active full 0"]
