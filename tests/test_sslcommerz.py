"""SSLCommerz with a real Odoo, a real browser and the simulated gateway."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from playwright.sync_api import expect

from simulators.gateways.sslcommerz import STORE_ID, STORE_PASSWD, Sslcommerz

STEP_MS = 60_000
expect.set_options(timeout=STEP_MS)
PHONE = {"width": 390, "height": 844}
WORKERS = 2

PREPARE = f"""
env["ir.config_parameter"].set_param("web.base.url", "@URL@")
company = env.company
company.write({{"name": "Padma Net Ltd.", "email": "hi@padma.example", "phone": "+8809612000000"}})
provider = env["payment.provider"].search(
    [("code", "=", "sslcommerz"), ("company_id", "=", company.id)], limit=1
)
provider.write(
    {{
        "sslcommerz_store_id": "{STORE_ID}",
        "sslcommerz_store_passwd": "{STORE_PASSWD}",
        "sslcommerz_test_url": "@GATEWAY@",
        "state": "test",
        "is_published": True,
    }}
)
others = env["payment.provider"].search([("state", "!=", "disabled"), ("id", "!=", provider.id)])
others.state = "disabled"
partner = env["res.partner"].create({{"name": "করিম উদ্দিন", "email": "karim@example.com"}})
bill = env["account.move"].create(
    {{
        "move_type": "out_invoice",
        "partner_id": partner.id,
        "invoice_line_ids": [
            (0, 0, {{"name": "Internet", "price_unit": 500.0, "tax_ids": [(5,)]}})
        ],
    }}
)
bill.action_post()
"""

START = """
tx = env["payment.transaction"].create(
    {
        "provider_id": provider.id,
        "payment_method_id": provider.payment_method_ids.id,
        "amount": 500.0,
        "currency_id": company.currency_id.id,
        "partner_id": partner.id,
        "operation": "online_redirect",
        "invoice_ids": [(6, 0, bill.ids)],
    }
)
tx._get_processing_values()
env.cr.commit()
print(tx.gateway_payment_id, bill.id)
"""

PORTAL = """
env["res.users"].with_context(no_reset_password=True).create(
    {
        "login": "karim@example.com",
        "name": partner.name,
        "password": "karim@example.com-secret",
        "partner_id": partner.id,
        "group_ids": [(6, 0, env.ref("base.group_portal").ids)],
    }
)
url = bill.get_portal_url()
env.cr.commit()
env.registry.signal_changes()
print(bill.id, url)
"""

BOOKS = """
    SELECT move.payment_state, count(DISTINCT payment.id), count(DISTINCT tx.id)
      FROM account_move move
      LEFT JOIN account_invoice_transaction_rel rel ON rel.invoice_id = move.id
      LEFT JOIN payment_transaction tx ON tx.id = rel.transaction_id AND tx.state = 'done'
      LEFT JOIN account_payment payment ON payment.payment_transaction_id = tx.id
     WHERE move.id = %s
     GROUP BY 1
"""

JOB = """
env["payment.transaction"].search([("gateway_next_ask_at", "!=", False)]).gateway_next_ask_at = (
    "2020-01-01"
)
env.cr.commit()
env.ref("isp_payments_bd.payment_transaction_cron_reconcile").method_direct_trigger()
env.cr.commit()
"""


@pytest.fixture
def gateway():
    with Sslcommerz() as simulator:
        yield simulator


@pytest.fixture
def server(module_db, odoo_server):
    return odoo_server(module_db, workers=WORKERS)


@pytest.fixture
def prepare(server, gateway, odoo_shell):
    """Run Python code in the provider's database; returns what it printed, in words."""

    def run(code):
        code = (PREPARE + code).replace("@URL@", server.url).replace("@GATEWAY@", gateway.url)
        return odoo_shell(server.db, code).split()

    return run


@pytest.fixture
def books(pg, server):
    def read(bill_id):
        with pg(server.db).cursor() as cr:
            cr.execute(BOOKS, [bill_id])
            return cr.fetchone()

    return read


def test_a_hundred_notifications_returns_and_the_job_at_once(
    server, gateway, prepare, books, odoo_shell
):
    key, bill_id = prepare(START)
    gateway.faults.add("notify", lose=True)
    _url, fields = gateway.pay(key)
    start = threading.Barrier(21)

    def post(number):
        if number < 20:
            start.wait(60)
        path = "return" if number % 4 == 3 else "ipn"
        return requests.post(
            f"{server.url}/payment/sslcommerz/{path}",
            data=fields,
            timeout=120,
            allow_redirects=False,
        ).status_code

    with ThreadPoolExecutor(21) as crowd:
        job = crowd.submit(lambda: (start.wait(60), odoo_shell(server.db, JOB)))
        answers = list(crowd.map(post, range(100)))
        job.result(300)
    assert set(answers) == {200, 303}
    # What came while the row was taken is left to the job.
    odoo_shell(server.db, JOB)
    state, payments, done = books(bill_id)
    assert state in ("in_payment", "paid")
    assert (payments, done) == (1, 1)
    log = server.log.read_text(errors="replace")
    assert STORE_PASSWD not in log
    assert "Traceback" not in log


def test_a_payment_nobody_told_of_is_found_by_the_job(server, gateway, prepare, books, odoo_shell):
    """The browser is closed, the notification lost, the server was down."""
    key, bill_id = prepare(START)
    server.kill()
    gateway.faults.add("notify", lose=True)
    gateway.pay(key)
    for _time in range(2):
        odoo_shell(server.db, JOB)
        state, payments, done = books(bill_id)
        assert state in ("in_payment", "paid")
        assert (payments, done) == (1, 1)


def choose_to_pay(page, bill_url):
    """Open the bill and go to the gateway's page."""
    page.goto(bill_url)
    page.get_by_role("link", name="Pay Now").first.tap()
    page.locator("[name=o_payment_submit_button]").last.tap()
    expect(page.get_by_role("heading", name="SSLCommerz")).to_be_visible()


def test_a_customer_pays_on_the_phone(server, gateway, prepare, books, browser, screenshots):
    bill_id, bill_url = prepare(PORTAL)
    context = browser.new_context(
        viewport=PHONE, base_url=server.url, is_mobile=True, has_touch=True, locale="en-US"
    )
    page = context.new_page()
    page.set_default_timeout(STEP_MS)
    try:
        page.goto("/web/login")
        page.fill("input[name=login]", "karim@example.com")
        page.fill("input[name=password]", "karim@example.com-secret")
        page.click(".oe_login_form button[type=submit]")
        page.wait_for_url(lambda url: "/web/login" not in url, wait_until="domcontentloaded")
        choose_to_pay(page, bill_url)
        # Left in the middle: nothing is paid, and the bill can be paid anew.
        assert books(bill_id) == ("not_paid", 0, 0)
        choose_to_pay(page, bill_url)
        page.get_by_role("button", name="Pay", exact=True).tap()
        page.wait_for_url(lambda url: "/my/invoices" in url, wait_until="domcontentloaded")
        page.screenshot(path=screenshots / "sslcommerz_paid.png")
    except BaseException:
        page.screenshot(path=screenshots / "failed.png")
        raise
    finally:
        context.close()
    gateway.notifier.wait(1)
    state, payments, done = books(bill_id)
    assert state in ("in_payment", "paid")
    assert (payments, done) == (1, 1)
