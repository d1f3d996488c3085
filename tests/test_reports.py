"""The manager's reports in a real browser: every view, the dashboard, the workbook.

Pictures go to the log folder; ``ISP_DOCS_SCREENSHOTS=1`` puts those of the guide into
docs/screenshots.
"""

import os
from contextlib import contextmanager

import pytest
from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import expect

from harness.settings import REPO

STEP_MS = 30_000
ANIMATION_MS = 1_500
DESKTOP = {"width": 1280, "height": 800}
PAGE = {"width": 1280, "height": 1900}

BOOKS = """
from datetime import timedelta
from dateutil.relativedelta import relativedelta

company = env.company
company.write({"name": "Padma Net Ltd.", "city": "Dhaka"})
company.partner_id.tz = "Asia/Dhaka"
# Of a few customers little would be seen: of months in which fewer than ten joined, nothing.
company.isp_report_min_group = 4
if "isp_print_after_run" in company._fields:
    company.isp_print_after_run = False
this_month = company._get_isp_today().replace(day=1)
months = [this_month - relativedelta(months=n) for n in range(7, -1, -1)]
plans = env["isp.plan"].create(
    [
        {"name": name, "price": price, "tax_ids": [(5,)], "download_kbps": 20480}
        for name, price in (("Home 20", 800), ("Home 50", 1500), ("Office 100", 6000))
    ]
)
areas = ("Dhaka", "Khulna", "Bogura", "Sylhet")
env = env(context=dict(env.context, tracking_disable=True))
term = env.ref("account.account_payment_term_immediate").id
subscriptions = env["isp.subscription"]
for number in range(48):
    partner = env["res.partner"].create({"name": f"Customer {number:02}", "city": areas[number % 4]})
    subscriptions |= env["isp.subscription"].create(
        {
            "partner_id": partner.id,
            "plan_id": plans[0 if number % 3 else number % 2 + 1].id,
            "date_start": months[max(0, number % 12 - 4)],
            "payment_term_id": term,
        }
    )
subscriptions._activate()
for month in months:
    env["isp.billing.run"].create({"target_date": month, "invoice_date": month})._run_to_end()
    due = env["account.move"].search(
        [("isp_charge_ids", "!=", False), ("invoice_date", "=", month), ("payment_state", "=", "not_paid"),
         ("move_type", "=", "out_invoice")],
        order="id",
    )
    paid = due.filtered(lambda move: (move.id + month.month) % 7)
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=paid.ids
    ).create(
        {"payment_date": min(month + timedelta(days=6), company._get_isp_today()), "group_payment": False}
    )._create_payments()
    if month == months[3]:
        for subscription in subscriptions[:4]:
            subscription._terminate("Moved away", month + timedelta(days=9))
    if month == months[5]:
        for subscription in subscriptions[4:8]:
            subscription._change_plan(plans[1] if subscription.plan_id != plans[1] else plans[0],
                                      month + timedelta(days=10))
        subscriptions[9]._suspend("other", "Complaint")
env["isp.report.refresh"]._refresh(full=True)
Users = env["res.users"].with_context(no_reset_password=True)
groups = [(6, 0, env.ref("isp_base.group_isp_manager").ids)]
Users.create({"login": "nasrin", "name": "Nasrin Akter", "password": "nasrin-secret", "group_ids": groups})
env.cr.commit()
print(sum(env["isp.report.mrr"].search([("month", "=", this_month)]).mapped("mrr")))
"""

EMPTY = """
Users = env["res.users"].with_context(no_reset_password=True)
groups = [(6, 0, env.ref("isp_base.group_isp_manager").ids)]
Users.create({"login": "nasrin", "name": "Nasrin Akter", "password": "nasrin-secret", "group_ids": groups})
env.cr.commit()
"""

REPORTS = {
    "Recurring revenue": ("pivot", "graph", "list"),
    "Subscribers by month": ("pivot", "graph", "list"),
    "Who joined and left": ("list",),
    "Churn by joining month": ("pivot", "graph", "list"),
    "What is owed": ("pivot", "graph", "list"),
    "Collected against billed": ("pivot", "graph", "list"),
}
DRAWN = {"pivot": ".o_pivot td", "graph": "canvas", "list": ".o_data_row"}
# What the guide shows.
SHOWN = {"Recurring revenue pivot", "Churn by joining month pivot", "What is owed pivot"}


@pytest.fixture
def server(suite_db, odoo_server):
    return odoo_server(suite_db, workers=0)


@pytest.fixture
def open_page(browser, server, screenshots):
    """A browser window of the manager that fails the test when a page reports an error."""

    @contextmanager
    def opened():
        context = browser.new_context(
            viewport=DESKTOP, base_url=server.url, locale="en-US", accept_downloads=True
        )
        page = context.new_page()
        page.set_default_timeout(STEP_MS)
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type == "error" else None,
        )
        page.goto("/web/login")
        page.fill("input[name=login]", "nasrin")
        page.fill("input[name=password]", "nasrin-secret")
        page.click(".oe_login_form button[type=submit]")
        try:
            page.locator(".o_navbar_apps_menu button").click()
            page.get_by_role("menuitem", name="ISP", exact=True).click()
            yield page
        except BaseException as error:
            error.add_note(f"The page reported: {problems}")
            page.screenshot(path=screenshots / "failed_report.png")
            raise
        finally:
            context.close()
        assert not problems, problems

    return opened


@pytest.fixture
def picture(screenshots):
    """Take a small picture of what is on the screen."""

    def take(page, name, for_docs=False):
        folder = screenshots
        if for_docs and os.environ.get("ISP_DOCS_SCREENSHOTS"):
            folder = REPO / "docs/screenshots"
        path = folder / f"report_{name.lower().replace(' ', '_')}.png"
        page.screenshot(path=path, animations="disabled")
        Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)

    return take


def open_report(page, entry):
    page.locator(".o_menu_sections").get_by_role("button", name="Reporting", exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def title_of(page):
    return page.locator(".o_breadcrumb .active, .o_last_breadcrumb_item").first


def test_a_manager_looks_at_every_report(server, odoo_shell, open_page, picture, tmp_path):
    recurring = float(odoo_shell(server.db, BOOKS).split()[-1])
    assert recurring > 30_000
    with open_page() as page:
        for entry, views in REPORTS.items():
            open_report(page, entry)
            expect(title_of(page)).to_contain_text(entry)
            for kind in views:
                if len(views) > 1:
                    page.locator(f".o_cp_switch_buttons button.o_{kind}").click()
                expect(page.locator(f".o_{kind}_view, .o_{kind}_renderer").first).to_be_visible()
                expect(page.locator(".o_view_nocontent")).to_have_count(0)
                name = f"{entry} {kind}"
                page.wait_for_timeout(ANIMATION_MS if kind == "graph" else 0)
                expect(page.locator(DRAWN[kind]).first).to_be_visible()
                picture(page, name, name in SHOWN)
                if name == "Recurring revenue pivot":
                    expect(page.locator(".o_pivot table")).to_contain_text(f"{recurring:,.2f}")

        open_report(page, "Dashboard")
        expect(page.locator(".o-figure").first).to_be_visible()
        # Only what is on the screen is drawn, a moment after the page.
        page.set_viewport_size(PAGE)
        expect(page.locator(".o-figure")).to_have_count(11)
        page.wait_for_timeout(2 * ANIMATION_MS)
        picture(page, "dashboard", True)
        errors = page.evaluate(
            r"document.body.innerText.match(/#(ERROR|REF|NAME|BAD_EXPR|N\/A)[!?]?/g)"
        )
        assert not errors, errors

        open_report(page, "Export as XLSX")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download", exact=True).click()
        path = tmp_path / "reports.xlsx"
        download.value.save_as(path)
    book = load_workbook(path)
    assert book.sheetnames == ["Movements", "Subscribers", "Ageing", "Collected"]
    rows = list(book["Movements"].iter_rows(values_only=True))
    last = max(row[0] for row in rows[1:-1])
    closing = rows[0].index("Recurring revenue")
    assert sum(row[closing] for row in rows[1:-1] if row[0] == last) == pytest.approx(recurring)


def test_reports_of_a_new_provider_are_empty_and_say_so(server, odoo_shell, open_page, picture):
    odoo_shell(server.db, EMPTY)
    with open_page() as page:
        for entry in REPORTS:
            open_report(page, entry)
            expect(title_of(page)).to_contain_text(entry)
            expect(page.locator(".o_view_nocontent")).to_be_visible()
            picture(page, f"empty {entry}")
        open_report(page, "Dashboard")
        expect(page.locator(".o-figure").first).to_be_visible()
        page.wait_for_timeout(2000)
        picture(page, "empty dashboard")
