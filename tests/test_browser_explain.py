"""Why is my bill so high? The clerk and the customer open the explanation in a real browser."""

import pytest
from playwright.sync_api import expect

from .test_browser import (  # noqa: F401
    DESKTOP,
    PHONE,
    has_no_horizontal_scroll,
    log_in,
    open_page,
    picture,
    prepare,
    server,
)

CHANGED_PLAN = """
def make_bill():
    user("ayesha", "Ayesha Siddiqua", "isp_base.group_isp_accountant")
    env["res.lang"]._activate_lang("bn_IN")
    env["ir.module.module"]._load_module_terms(["isp_billing"], ["bn_IN"])
    vat = env["account.tax"].create({"name": "VAT 5 %", "amount": 5, "type_tax_use": "sale"})
    plans = env["isp.plan"].create(
        [
            {"name": name, "price": price, "tax_ids": [(6, 0, vat.ids)]}
            for name, price in (("Family 30", 1000.0), ("Office 50", 2500.0))
        ]
    )
    today = company._get_isp_today()
    partner = env["res.partner"].create({"name": "Karim Uddin", "email": "karim@example.com"})
    subscription = env["isp.subscription"].create(
        {"partner_id": partner.id, "plan_id": plans[0].id, "date_start": today, "anchor_day": 1}
    )
    subscription._activate()
    subscription._bill(today, today)
    ayesha = env["res.users"].search([("login", "=", "ayesha")])
    subscription.with_user(ayesha)._change_plan(plans[1], today)
    user("karim@example.com", partner.name, "base.group_portal", partner_id=partner.id)
    return subscription._bill(today, today)


# The tests of this file share one database.
bill = env["isp.charge"].search([("rule", "=", "repair")], limit=1).move_id or make_bill()
env.cr.commit()
print(bill.id)
"""


@pytest.fixture
def bill_id(prepare):  # noqa: F811
    """A bill that takes one plan back and charges another."""
    return int(prepare(CHANGED_PLAN).split()[-1])


def test_the_clerk_opens_the_explanation(bill_id, open_page, picture):  # noqa: F811
    with open_page(DESKTOP) as page:
        log_in(page, "ayesha")
        page.goto(f"/odoo/action-account.action_move_out_invoice_type/{bill_id}")
        page.locator("button.oe_stat_button[name=action_isp_explain]").click()
        dialog = page.locator(".modal")
        expect(dialog.locator("details[open]")).to_have_count(2)
        expect(dialog).to_contain_text("Plan changed from Family 30 to Office 50")
        expect(dialog).to_contain_text("Ayesha Siddiqua")
        expect(dialog.locator("[name=totals]")).to_contain_text("× 5 ÷ 100 =")
        picture(page, "explain_invoice")
        dialog.get_by_role("button", name="Close").last.click()
        page.locator("[name=invoice_line_ids] button[name=action_isp_explain]").last.click()
        expect(page.locator(".modal [name=explained_charge]")).to_contain_text("per month")
        picture(page, "explain_line")


def test_the_customer_opens_the_explanation(bill_id, open_page, picture):  # noqa: F811
    with open_page(PHONE) as page:
        log_in(page, "karim@example.com")
        page.goto(f"/my/invoices/{bill_id}")
        page.locator("a[name=explain_bill]").click()
        expect(page.locator("details[open]")).to_have_count(0)
        for line in page.locator("summary").all():
            line.click()
        expect(page.locator("details[open]")).to_have_count(2)
        whole = page.locator("main")
        expect(whole).to_contain_text("Plan changed from Family 30 to Office 50")
        expect(whole).not_to_contain_text("Ayesha")
        assert has_no_horizontal_scroll(page)
        picture(page, "explain_portal", full_page=True)

        page.locator(".js_language_selector button, .js_language_selector a").first.click()
        page.get_by_role("menuitem", name="বাংলা").or_(
            page.locator(".js_change_lang", has_text="বাংলা")
        ).first.click()
        expect(page.locator("[name=back_to_bill]")).to_have_text("বিলে ফিরে যান")
        for line in page.locator("summary").all():
            line.click()
        expect(page.locator("[name=because]").first).to_contain_text("কারণ")
        assert has_no_horizontal_scroll(page)
        picture(page, "explain_portal_bangla", full_page=True)
