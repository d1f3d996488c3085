"""A provider's day in a real browser: the accountant imports and bills, a customer pays.

Pictures of each step go to the log folder; ``ISP_DOCS_SCREENSHOTS=1`` puts them into
docs/screenshots instead.
"""

import csv
import os
import re
import subprocess
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import expect

from harness import radius
from harness.settings import ADDONS, REPO

SAMPLE = ADDONS / "isp_billing/demo/sample_subscribers.csv"
STEP_MS = 30_000
JOB_MS = 120_000
expect.set_options(timeout=STEP_MS)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}

PROVIDER = """
company = env.company
company.write({"name": "Padma Net Ltd.", "street": "12 Gulshan Avenue", "city": "Dhaka"})
company.partner_id.tz = "Asia/Dhaka"
policy = company.isp_dunning_policy_id
weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
policy.write({f"rest_{day}": False for day in weekdays})
policy.step_ids.filtered(lambda step: step.action == "suspend").hour = 0
# An administrator who logs in would set it; nobody does here.
env["ir.config_parameter"].set_param("web.base.url", "@URL@")
Users = env["res.users"].with_context(no_reset_password=True)


def user(login, name, group, **vals):
    if not Users.search_count([("login", "=", login)]):
        groups = [(6, 0, env.ref(group).ids)]
        vals.update(login=login, name=name, password=login + "-secret", group_ids=groups)
        Users.create(vals)
"""

ACCOUNTANT = """
import csv

user("ayesha", "Ayesha Siddiqua", "isp_base.group_isp_accountant")
env["res.lang"]._activate_lang("bn_IN")
with open("@SAMPLE@", encoding="utf-8-sig") as file:
    prices = {row["Package"]: row["Monthly Bill"] for row in csv.DictReader(file)}
for name, price in prices.items():
    if name != "None":
        vals = {"name": name, "price": float(price.replace(",", "")), "tax_ids": [(5,)]}
        env["isp.plan"].create(dict(vals, download_kbps=20480, upload_kbps=20480))
env.cr.commit()
"""

CUSTOMER = """
from datetime import timedelta

provider = env["payment.provider"].search(
    [("code", "=", "demo"), ("company_id", "=", company.id)], limit=1
)
assert provider, "payment_demo is not in the suite's database"
provider.write({"state": "test", "is_published": True})
provider.payment_method_ids.active = True
first_day = (company._get_isp_today().replace(day=1) - timedelta(days=1)).replace(day=1)
plan = env["isp.plan"].create(
    {
        "name": "Family 30",
        "price": 1050,
        "download_kbps": 30720,
        "upload_kbps": 15360,
        "tax_ids": [(5,)],
        "description": "Unlimited, no fair-use limit",
    }
)
partner = env["res.partner"].create(
    {"name": "করিম উদ্দিন", "email": "karim@example.com", "street": "House 5, Road 7", "city": "Dhaka"}
)
subscription = env["isp.subscription"].create(
    {
        "partner_id": partner.id,
        "plan_id": plan.id,
        "date_start": first_day,
        "payment_term_id": env.ref("account.account_payment_term_immediate").id,
    }
)
subscription._activate()
subscription._bill(first_day, first_day)
user("karim@example.com", partner.name, "base.group_portal", partner_id=partner.id)
env.cr.commit()  # the job works in a transaction of its own
env.ref("isp_billing.isp_subscription_cron_suspend").method_direct_trigger()
secret = env["isp.nas"]._ensure_local_nas().secret
env.cr.commit()
print(subscription.id, subscription.username, subscription.password, secret)
"""

STATE_OF_SERVICE = """
    SELECT subscription.state, entitlement.access, move.payment_state, count(tx.*)
      FROM isp_subscription subscription
      JOIN isp_entitlement entitlement ON entitlement.subscription_id = subscription.id
      JOIN isp_charge charge ON charge.subscription_id = subscription.id
      JOIN account_move move ON move.id = charge.move_id
      LEFT JOIN account_invoice_transaction_rel rel ON rel.invoice_id = move.id
      LEFT JOIN payment_transaction tx ON tx.id = rel.transaction_id AND tx.state = 'done'
     WHERE subscription.id = %s
     GROUP BY 1, 2, 3
"""


@pytest.fixture
def server(module_db, odoo_server):
    """Odoo with the runner of background jobs; in threads, which serve web sockets as well."""
    return odoo_server(module_db, workers=0)


@pytest.fixture
def prepare(server, odoo_shell):
    """Run Python code in the provider's database."""

    def run(code):
        code = (PROVIDER + code).replace("@URL@", server.url).replace("@SAMPLE@", str(SAMPLE))
        tell_the_server = "\nenv.registry.signal_changes()\n"
        return odoo_shell(server.db, code + tell_the_server).strip()

    return run


@pytest.fixture
def open_page(browser, server, screenshots):
    """A fresh browser window that fails the test when a page reports an error."""

    @contextmanager
    def opened(viewport, **options):
        context = browser.new_context(
            viewport=viewport, base_url=server.url, locale="en-US", **options
        )
        page = context.new_page()
        page.set_default_timeout(STEP_MS)
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type == "error" else None,
        )
        try:
            yield page
        except BaseException as error:
            error.add_note(f"The page reported: {problems}")
            page.screenshot(path=screenshots / "failed.png")
            raise
        finally:
            context.close()
        assert not problems, problems

    return opened


@pytest.fixture
def picture(screenshots):
    """Take a small picture of what is on the screen."""
    folder = screenshots
    if os.environ.get("ISP_DOCS_SCREENSHOTS"):
        folder = REPO / "docs/screenshots"
        folder.mkdir(parents=True, exist_ok=True)

    def take(page, name, full_page=False):
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=full_page, animations="disabled")
        Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)

    return take


def log_in(page, login):
    page.goto("/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", f"{login}-secret")
    page.click(".oe_login_form button[type=submit]")
    # Who goes on before the answer is there goes on without being logged in.
    page.wait_for_url(lambda url: "/web/login" not in url, wait_until="domcontentloaded")


def open_menu(page, section, entry):
    page.locator(".o_menu_sections").get_by_role("button", name=section, exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()
    expect(page.locator(".o_breadcrumb .active, .o_last_breadcrumb_item")).to_contain_text(entry)


def press(page, label):
    """Press a button in the head of the form."""
    page.locator(".o_form_statusbar").get_by_role("button", name=label, exact=True).click()


def choose(page, field, value):
    """Choose a record in a many2one field."""
    page.locator(f"[name={field}] input").fill(value)
    page.locator(".o-autocomplete--dropdown-item").get_by_text(value, exact=True).click()


def state_of(page):
    return page.locator(".o_statusbar_status .o_arrow_button_current")


def number_of(page, field):
    return float(page.locator(f"[name={field}]").last.inner_text().replace(",", "").split()[0])


def has_no_horizontal_scroll(page):
    return page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def test_the_accountant_imports_bills_and_prints(server, prepare, pg, open_page, picture, tmp_path):
    prepare(ACCOUNTANT)
    with SAMPLE.open(encoding="utf-8-sig") as file:
        rows = len(list(csv.reader(file))) - 1
    with open_page(DESKTOP, accept_downloads=True) as page:
        log_in(page, "ayesha")
        page.locator(".o_navbar_apps_menu button").click()
        page.get_by_role("menuitem", name="ISP", exact=True).click()

        open_menu(page, "Subscribers", "Import")
        page.get_by_role("button", name="New", exact=True).click()
        page.locator("[name=file] input[type=file]").set_input_files(SAMPLE)
        press(page, "Read file")
        choose(page, "mapping_id", "Sample provider")
        press(page, "Check")
        expect(state_of(page)).to_have_text("Checked")
        expect(page.locator("[name=summary]")).to_contain_text("would be new")
        picture(page, "import_checked")
        would_be_new = number_of(page, "new_count")
        press(page, "Import")
        expect(state_of(page)).to_have_text("Done", timeout=JOB_MS)
        picture(page, "import_done")
        assert number_of(page, "total_count") == rows
        assert number_of(page, "new_count") == would_be_new
        assert would_be_new + number_of(page, "rejected_count") == rows

        open_menu(page, "Billing", "Billing runs")
        page.get_by_role("button", name="New", exact=True).click()
        press(page, "Preview")
        expect(page.locator("[name=due_count]").last).not_to_be_empty()
        found = number_of(page, "due_count")
        assert 100 < found <= would_be_new
        assert number_of(page, "preview_blocked_count") == 0
        picture(page, "billing_run_preview")
        left_out = leave_one_out(page, picture)
        due, expected = number_of(page, "due_count"), number_of(page, "due_amount")
        assert due == found - 1
        page.evaluate("window.notReloaded = true")
        press(page, "Run")
        expect(state_of(page)).to_have_text("Done", timeout=JOB_MS)
        assert page.evaluate("window.notReloaded"), "The form follows the run by itself"
        expect(page.locator("[name=live_count]")).to_contain_text(f"{due:g} of {due:g}")
        expect(page.locator("[name=excluded_ids]")).to_contain_text(left_out)
        picture(page, "billing_run_done")
        assert number_of(page, "amount_total") == expected
        invoices = page.locator("button[name=action_view_invoices]")
        assert int(re.search(r"\d+", invoices.inner_text())[0]) == due

        invoices.click()
        expect(page.locator(".o_form_view")).to_have_count(0)
        page.locator(".o_list_view .o_data_row td[name=name]").first.click()
        expect(page.locator(".o_form_view")).to_be_visible()
        number = page.locator(".o_form_view [name=name]").first.inner_text().strip()
        assert re.fullmatch(r"INV/\d{4}/\d+", number), number
        picture(page, "invoice")
        with page.expect_download(timeout=JOB_MS) as download:
            press(page, "Print")
        pdf = tmp_path / "invoice.pdf"
        download.value.save_as(pdf)
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True, text=True)
    assert number in text.stdout
    assert "Padma Net Ltd." in text.stdout
    with pg(server.db).cursor() as cr:
        cr.execute(
            "SELECT count(*), sum(amount_total) FROM account_move"
            " WHERE state = 'posted' AND id IN (SELECT move_id FROM isp_charge)"
        )
        posted, total = cr.fetchone()
    assert (posted, float(total)) == (due, expected)


def leave_one_out(page, picture):
    """Look at the preview, leave the first subscription out of the run, and return its number."""
    page.locator("button[name=action_view_preview]").first.click()
    page.locator(".o_group_header").first.click()
    row = page.locator(".o_data_row").first
    number = row.locator("td[name=subscription_id]").inner_text().split()[0]
    row.locator("button[name=action_exclude]").click()
    expect(row.locator("button[name=action_include]")).to_be_visible()
    picture(page, "billing_run_preview_lines")
    page.locator(".o_breadcrumb a, .breadcrumb-item a").last.click()
    expect(page.locator(".o_form_view [name=excluded_count]").last).to_have_text("1")
    return number


def test_the_customer_pays_and_is_reconnected(server, prepare, pg, open_page, picture):
    service_id, username, password, secret = prepare(CUSTOMER).split()
    with radius.RadiusServer(server.db) as wire:

        def rate_and_list():
            reply = wire.login(username, password, secret)
            assert reply.accepted, reply
            return reply["Mikrotik-Rate-Limit"], reply["Mikrotik-Address-List"]

        assert rate_and_list() == ("512k/512k", "walled-garden")
        pay_in_the_portal(server, pg, open_page, picture, service_id)
        # Upload first, as RouterOS reads it.
        assert rate_and_list() == ("15360k/30720k", None)


def pay_in_the_portal(server, pg, open_page, picture, service_id):
    """Log in on a phone, see the suspension, pay, and see the service back."""
    with pg(server.db).cursor() as cr:
        cr.execute(STATE_OF_SERVICE, [service_id])
        assert cr.fetchall() == [("suspended", "walled", "not_paid", 0)]
    with open_page(PHONE, is_mobile=True, has_touch=True) as page:
        log_in(page, "karim@example.com")
        page.get_by_text("My internet").tap()
        page.locator("[name=service_card]").tap()
        expect(page.locator("[name=service_state]")).to_have_text("Suspended")
        expect(page.locator("[name=access]")).to_have_text(
            "Payment page only – pay to be reconnected"
        )
        assert has_no_horizontal_scroll(page)
        picture(page, "portal_suspended", full_page=True)

        page.get_by_role("button", name="Pay now").tap()
        expect(page.locator("[name=pay_total]")).to_contain_text("1,050.00")
        page.fill("#customer_input", "4242 4242 4242 4242")
        assert has_no_horizontal_scroll(page)
        picture(page, "portal_pay", full_page=True)
        page.get_by_role("button", name="Pay now").tap()

        expect(page.locator("[name=service_state]")).to_have_text("Active", timeout=JOB_MS)
        expect(page.locator("[name=access]")).to_have_text("Full speed")
        expect(page.locator("[name=amount_due]")).to_contain_text("0.00")
        expect(page.locator("[name=history]")).to_contain_text("Reconnected")
        assert has_no_horizontal_scroll(page)
        picture(page, "portal_reconnected", full_page=True)
    with pg(server.db).cursor() as cr:
        cr.execute(STATE_OF_SERVICE, [service_id])
        assert cr.fetchall() == [("active", "full", "paid", 1)]
