"""A dunning job that is killed and started again: nobody is reminded, charged or suspended twice."""

from contextlib import closing

import pytest

from harness import processes
from harness.waiting import wait_for

SUBSCRIPTIONS = 500

PREPARE = f"""
from datetime import timedelta

company = env.company
today = company._get_isp_today()
day = today.replace(day=1) - timedelta(days=40)
weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
product = env["product.product"].create({{"name": "Late fee", "type": "service", "taxes_id": False}})
template = env.ref("isp_billing.mail_template_dunning_overdue")
company.isp_dunning_policy_id.write(
    {{
        "step_ids": [
            (5,),
            (0, 0, {{"action": "late_fee", "days": 2, "hour": 0, "fee_amount": 50.0,
                    "product_id": product.id, "charge_from": "2000-01-01"}}),
            (0, 0, {{"action": "suspend", "days": 4, "hour": 0}}),
            (0, 0, {{"action": "remind", "days": 5, "hour": 0, "mail_template_id": template.id}}),
        ],
        **{{f"rest_{{weekday}}": False for weekday in weekdays}},
    }}
)
plan = env["isp.plan"].create({{"name": "Home", "price": 500.0, "tax_ids": [(5,)]}})
partners = env["res.partner"].create(
    [
        {{"name": f"Customer {{number}}", "email": f"c{{number}}@example.com"}}
        for number in range({SUBSCRIPTIONS})
    ]
)
subscriptions = env["isp.subscription"].create(
    [
        {{
            "partner_id": partner.id,
            "plan_id": plan.id,
            "date_start": day,
            "payment_term_id": env.ref("account.account_payment_term_immediate").id,
        }}
        for partner in partners
    ]
)
subscriptions._activate()
subscriptions._bill(day, day)
# The bills of yesterday: on the day a bill is made it gets no late fee.
env.flush_all()
env.cr.execute("UPDATE account_move SET create_date = create_date - interval '2 days'")
env.cr.commit()
"""

WORK = """
env["isp.subscription"]._dun_company(env.company)
"""

COUNTS = """
SELECT (SELECT count(*) FROM isp_subscription WHERE state = 'suspended'),
       (SELECT count(*) FROM isp_subscription_fee),
       (SELECT count(*) FROM mail_mail WHERE mail_message_id IN (
           SELECT id FROM mail_message WHERE model = 'isp.subscription')),
       (SELECT count(*) FROM isp_dunning_log),
       (SELECT count(*) FROM isp_subscription_event WHERE event_type = 'dunning'),
       (SELECT count(*) FROM isp_subscription_event WHERE to_value = 'suspended')
"""


@pytest.fixture
def counts(suite_db, pg):
    """Read how much has been done so far: ``counts()``."""
    connection = pg(suite_db)

    def read():
        with closing(connection.cursor()) as cursor:
            cursor.execute(COUNTS)
            return cursor.fetchone()

    return read


@pytest.mark.parametrize("suspended_before", [1, 300])
def test_killed_and_started_again(suite_db, odoo_shell, counts, suspended_before):
    odoo_shell(suite_db, PREPARE)
    job = processes.start_shell(suite_db, WORK)
    wait_for(lambda: counts()[0] >= suspended_before, 120, "nothing happened", pause_s=0.02)
    still_ran, _lines = processes.kill(job)
    assert still_ran, "the job ended before it could be killed"
    suspended, *_rest = counts()
    assert 0 < suspended < SUBSCRIPTIONS, "killed in the middle"
    assert suspended % 200 == 0, "a batch is done whole or not at all"
    for _again in range(2):
        odoo_shell(suite_db, WORK)
        # A late fee, a suspension and a reminder each, once: three rows of the log, two events of
        # dunning and one of the state.
        assert counts() == (
            SUBSCRIPTIONS,
            SUBSCRIPTIONS,
            SUBSCRIPTIONS,
            SUBSCRIPTIONS * 3,
            SUBSCRIPTIONS * 2,
            SUBSCRIPTIONS,
        )
