"""A payment that lands while the customer is being suspended: who has paid keeps the line."""

PREPARE = """
import threading
from datetime import timedelta

from odoo import SUPERUSER_ID, api
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

company = env.company
today = company._get_isp_today()
day = today.replace(day=1) - timedelta(days=40)
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


def show():
    env.cr.rollback()
    env.invalidate_all()
    print(subscription.state, subscription.entitlement_ids.access, subscription.amount_due)
"""

PAID_BETWEEN_LOOKING_AND_SUSPENDING = """
job = environment()
overdue = job["isp.subscription"]._get_overdue(company)
assert overdue.ids == subscription.ids
payer = environment()
pay(payer)
try:
    overdue._suspend_overdue(job.company)
    job.flush_all()
    job.cr.commit()
    print("decided again")
except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
    job.cr.rollback()
    print("collided")
show()
"""

PAID_WHILE_SUSPENDING = """
job = environment()
job["isp.subscription"]._get_overdue(company)._suspend_overdue(job.company)
job.flush_all()
outcomes = []


def pay_like_a_request():
    # As Odoo's own retry of a request: the same work again in a new transaction.
    for attempt in range(5):
        payer = environment()
        try:
            pay(payer)
            outcomes.append(f"paid at attempt {attempt + 1}")
            return
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            payer.cr.rollback()
        finally:
            payer.cr.close()


thread = threading.Thread(target=pay_like_a_request)
thread.start()
thread.join(2)
assert thread.is_alive(), "the payment waits for the suspension"
job.cr.commit()
thread.join(30)
print(*outcomes)
show()
"""


def test_paid_between_looking_and_suspending(suite_db, odoo_shell):
    output = odoo_shell(suite_db, PREPARE + PAID_BETWEEN_LOOKING_AND_SUSPENDING)
    assert output.splitlines() == ["collided", "active full 0.0"]


def test_paid_while_suspending(suite_db, odoo_shell):
    output = odoo_shell(suite_db, PREPARE + PAID_WHILE_SUSPENDING)
    assert output.splitlines() == ["paid at attempt 2", "active full 0.0"]
