"""A customer wants the faster plan: the clerk changes it in a real browser, the next bill corrects."""

import pytest
from playwright.sync_api import expect

from .test_browser import (  # noqa: F401
    DESKTOP,
    log_in,
    open_page,
    picture,
    prepare,
    server,
)

BILLED = """
user("ayesha", "Ayesha Siddiqua", "isp_base.group_isp_accountant")
plans = env["isp.plan"].create(
    [{"name": name, "price": price, "tax_ids": [(5,)]} for name, price in
     (("Street 10", 600.0), ("Street 100", 1800.0))]
)
first = company._get_isp_today().replace(day=1)
subscription = env["isp.subscription"].create(
    {
        "partner_id": env["res.partner"].create({"name": "Nasrin Akter"}).id,
        "plan_id": plans[0].id,
        "date_start": first,
    }
)
subscription._activate()
subscription._bill(first, first)
env.cr.commit()
print(subscription.id)
"""


@pytest.fixture
def subscription_id(prepare):  # noqa: F811
    """A service that is billed for the month."""
    return int(prepare(BILLED).split()[-1])


def test_the_clerk_changes_the_plan(subscription_id, open_page, picture):  # noqa: F811
    with open_page(DESKTOP) as page:
        log_in(page, "ayesha")
        page.goto(f"/odoo/action-isp_billing.isp_subscription_action/{subscription_id}")
        page.locator("button[name=action_change]").click()
        dialog = page.locator(".modal")
        dialog.locator("[name=plan_id] input").fill("Street 100")
        page.locator(".o-autocomplete--dropdown-item", has_text="Street 100").first.click()
        dialog.locator("button[name=action_preview]").click()
        preview = dialog.locator("[name=preview]")
        expect(preview).to_contain_text("Correction of Street 10")
        expect(preview).to_contain_text("Street 100:")
        picture(page, "change_preview")

        dialog.locator("button[name=action_confirm]").click()
        expect(page.locator("[name=plan_id]").first).to_contain_text("Street 100")
        expect(page.get_by_text("is part of the next bill")).to_be_visible()
        page.locator("button[name=action_bill_now]").click()
        lines = page.locator("[name=invoice_line_ids]")
        expect(lines).to_contain_text("Correction of Street 10")
        expect(lines).to_contain_text("Street 100:")
        picture(page, "change_billed")
