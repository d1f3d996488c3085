"""An accountant exports a long list in a real browser, and is asked why."""

import csv

from playwright.sync_api import expect

from .test_browser import (  # noqa: F401
    DESKTOP,
    log_in,
    open_page,
    picture,
    prepare,
    server,
)

PEOPLE = """
user("ayesha", "Ayesha Siddiqua", "isp_base.group_isp_accountant")
env["res.users"].search([("login", "=", "ayesha")]).group_ids |= env.ref("base.group_allow_export")
env["ir.config_parameter"].set_param("isp_privacy.mass_export_rows", "3")
env["res.partner"].create(
    [{"name": "=1+1", "customer_rank": 1}]
    + [{"name": f"Export {number}", "customer_rank": 1} for number in range(5)]
)
env.cr.commit()
"""
WRITTEN = """
for row in env["privacy.mass.export"].search([], order="id"):
    print(row.user_id.login, row.res_model, row.row_count > 3, row.reason)
"""


def ask_for_csv(page):
    """Select all customers of the page, and ask for their names as CSV."""
    page.goto("/odoo/action-account.res_partner_action_customer?view_type=list")
    page.locator("th.o_list_record_selector input").check()
    page.get_by_role("button", name="Actions").click()
    page.locator(".o-dropdown--menu .o_menu_item", has_text="Export").first.click()
    page.locator("#o_radiocsv").check()
    page.locator(".o_export_data_dialog .o_select_button").click()


def test_whoever_exports_many_rows_says_why(prepare, open_page, picture):  # noqa: F811
    prepare(PEOPLE)
    with open_page(DESKTOP) as page:
        log_in(page, "ayesha")
        ask_for_csv(page)
        reason = page.locator("textarea[name=export_reason]")
        expect(reason).to_be_visible()
        expect(page.locator("button[name=export_with_reason]")).to_be_disabled()
        picture(page, "privacy_export_reason")
        # Too short: it asks again.
        reason.fill("why")
        page.locator("button[name=export_with_reason]").click()
        expect(reason).to_have_value("")
        reason.fill("List for the auditor of 2026")
        with page.expect_download() as download:
            page.locator("button[name=export_with_reason]").click()
        rows = list(csv.reader(download.value.path().open(encoding="utf-8")))
        assert "'=1+1" in {cell for row in rows for cell in row}
    written = prepare(WRITTEN).splitlines()
    assert "ayesha res.partner True List for the auditor of 2026" in written
