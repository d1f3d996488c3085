"""Customers pay by each gateway on a phone, and close the browser in the middle.

The simulators run and are set up as ``make run`` does it.
"""

import json
import time

import pytest
from playwright.sync_api import expect

from harness.gateways import Simulators

from .test_browser import (  # noqa: F401
    JOB_MS,
    PHONE,
    has_no_horizontal_scroll,
    log_in,
    open_page,
    picture,
    prepare,
    server,
)

# What the customer reads.
GATEWAYS = {
    "bkash": "bKash",
    "nagad": "Nagad",
    "sslcommerz": "Card, mobile or internet banking",
}
# What each gateway is told so that only the job can find the payment, and what the customer presses.
# bKash takes the money when our server says so: here its answers are lost.
BREAKS = {
    "bkash": (
        [{"call": "execute", "lose": True}, {"call": "query", "status": 503, "times": None}],
        "Pay",
    ),
    "nagad": ([], "Pay, then close the page"),
    "sslcommerz": ([{"call": "notify", "lose": True}], "Pay, then close the page"),
}

CUSTOMERS = """
from datetime import timedelta

first_day = (company._get_isp_today().replace(day=1) - timedelta(days=1)).replace(day=1)
made = {}
for code in ("bkash", "nagad", "sslcommerz"):
    plan = env["isp.plan"].create(
        {"name": "Family " + code, "price": @PRICE@, "tax_ids": [(5,)], "download_kbps": 30720}
    )
    partner = env["res.partner"].create(
        {
            "name": "Karim " + code,
            "email": "karim-@FLOW@@" + code + ".example",
            "phone": "+8801711000001",
            "street": "House 5, Road 7",
            "city": "Dhaka",
        }
    )
    service = env["isp.subscription"].create(
        {
            "partner_id": partner.id,
            "plan_id": plan.id,
            "date_start": first_day,
            "payment_term_id": env.ref("account.account_payment_term_immediate").id,
        }
    )
    service._activate()
    service._bill(first_day, first_day)
    user("@FLOW@-" + code, partner.name, "base.group_portal", partner_id=partner.id)
    made[code] = service.id
env.cr.commit()
env.ref("isp_billing.isp_subscription_cron_suspend").method_direct_trigger()
env.cr.commit()
import json
print(json.dumps(made))
"""

JOB = """
payments = env["payment.transaction"].search([("gateway_next_ask_at", "!=", False)])
for time in range(2):
    payments.filtered("gateway_next_ask_at").gateway_next_ask_at = "2020-01-01"
    env.cr.commit()
    env["payment.transaction"]._cron_bd_reconcile()
    env.cr.commit()
"""

STATE = """
    SELECT subscription.state, entitlement.access, move.amount_residual::int,
           (SELECT count(*) FROM account_payment payment
             WHERE payment.partner_id = move.commercial_partner_id)::int
      FROM isp_subscription subscription
      JOIN isp_entitlement entitlement ON entitlement.subscription_id = subscription.id
      JOIN isp_charge charge ON charge.subscription_id = subscription.id
      JOIN account_move move ON move.id = charge.move_id
     WHERE subscription.id = %s
"""
UNPAID = ("suspended", "walled")
PAID_ONCE = ("active", "full", 0, 1)


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with Simulators(tmp_path_factory.mktemp("gateways")) as started:
        yield started


@pytest.fixture
def gateways(simulators, server):  # noqa: F811
    """Set the three providers up once, as for the sample provider; return the simulators."""
    if not simulators.is_set_up:
        simulators.set_up(server)
    return simulators


def make_customers(prepare, flow, price):  # noqa: F811
    code = CUSTOMERS.replace("@FLOW@", flow).replace("@PRICE@", str(price))
    return json.loads(prepare(code).splitlines()[-1])


def state_of(pg, server, service_id):  # noqa: F811
    with pg(server.db).cursor() as cr:
        cr.execute(STATE, [service_id])
        (row,) = cr.fetchall()
    return row


def go_to_gateway(page, code, service_id):
    """Choose a gateway on the page of the service and go to its pay page."""
    page.goto(f"/my/services/{service_id}")
    expect(page.locator("[name=service_state]")).to_have_text("Suspended")
    page.get_by_role("button", name="Pay now").tap()
    page.locator("label.o_payment_option_label", has_text=GATEWAYS[code]).tap()
    assert has_no_horizontal_scroll(page)
    return page


def submit(page, server):  # noqa: F811
    page.get_by_role("button", name="Pay now").tap()
    page.wait_for_url(lambda url: not url.startswith(server.url), timeout=JOB_MS)


def test_a_customer_pays_by_each_gateway(server, gateways, prepare, pg, open_page, picture):  # noqa: F811
    services = make_customers(prepare, "pay", 1050)
    for code, service_id in services.items():
        assert state_of(pg, server, service_id)[:2] == UNPAID
        with open_page(PHONE, is_mobile=True, has_touch=True) as page:
            log_in(page, f"pay-{code}")
            go_to_gateway(page, code, service_id)
            picture(page, f"portal_pay_{code}", full_page=True)
            submit(page, server)
            assert has_no_horizontal_scroll(page)
            picture(page, f"gateway_{code}", full_page=True)
            page.get_by_role("button", name="Pay", exact=True).click()
            expect(page.locator("[name=service_state]")).to_have_text("Active", timeout=JOB_MS)
            expect(page.locator("[name=amount_due]")).to_contain_text("0.00")
            assert has_no_horizontal_scroll(page)
        assert state_of(pg, server, service_id) == PAID_ONCE, code


def test_a_customer_breaks_off_and_pays_another_way(server, gateways, prepare, pg, open_page):  # noqa: F811
    services = make_customers(prepare, "cancel", 1060)
    with open_page(PHONE, is_mobile=True, has_touch=True) as page:
        log_in(page, "cancel-nagad")
        service_id = services["nagad"]
        go_to_gateway(page, "nagad", service_id)
        submit(page, server)
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_url(f"{server.url}/**")
        assert state_of(pg, server, service_id) == (*UNPAID, 1060, 0)
        go_to_gateway(page, "bkash", service_id)
        submit(page, server)
        page.get_by_role("button", name="Pay", exact=True).click()
        expect(page.locator("[name=service_state]")).to_have_text("Active", timeout=JOB_MS)
    assert state_of(pg, server, service_id) == PAID_ONCE


def test_a_customer_closes_the_browser_and_the_job_credits_once(
    server,  # noqa: F811
    gateways,
    prepare,  # noqa: F811
    odoo_shell,
    pg,
    open_page,  # noqa: F811
):
    services = make_customers(prepare, "close", 1070)
    for code, service_id in services.items():
        faults, button = BREAKS[code]
        for fault in faults:
            gateways.control(code, "/faults", fault)
        with open_page(PHONE, is_mobile=True, has_touch=True) as page:
            log_in(page, f"close-{code}")
            go_to_gateway(page, code, service_id)
            submit(page, server)
            page.get_by_role("button", name=button, exact=True).click(no_wait_after=True)
            wait_for_money(gateways, code)
        gateways.control(code, "/clear", {})
        assert state_of(pg, server, service_id) == (*UNPAID, 1070, 0), code
    odoo_shell(server.db, JOB)
    for code, service_id in services.items():
        assert state_of(pg, server, service_id) == PAID_ONCE, code


def wait_for_money(gateways, code):
    """Wait until the gateway has the money of 1,070.00, whatever the browser does."""
    deadline = time.monotonic() + 60
    while "1070" not in json.dumps(taken(gateways.control(code)["state"], code)):
        assert time.monotonic() < deadline, f"{code} took no money"
        time.sleep(0.2)


def taken(state, code):
    if code == "bkash":
        return state["transactions"]
    if code == "nagad":
        return [one for one in state["payments"].values() if one["status"] == "Success"]
    return [one["attempts"] for one in state["sessions"].values()]
