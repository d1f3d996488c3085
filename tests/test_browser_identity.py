"""Identity documents in a real browser: the customer sends one by phone, two officers decide."""

import io

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from .test_browser import (  # noqa: F401
    DESKTOP,
    PHONE,
    choose,
    has_no_horizontal_scroll,
    log_in,
    open_page,
    picture,
    prepare,
    press,
    server,
)

NUMBER = "19905551234567890"
PEOPLE = """
partner = env["res.partner"].create({"name": "Karim Uddin", "email": "karim@example.com"})
user("karim@example.com", partner.name, "base.group_portal", partner_id=partner.id)
for login in ("amina", "bashir"):
    user(login, login.title(), "isp_privacy.group_kyc_officer")
env.cr.commit()
"""


def photo(words):
    image = Image.new("RGB", (640, 400), "#cfe3d4")
    ImageDraw.Draw(image).text((40, 40), f"SPECIMEN\n{words}", fill="black", font_size=48)
    content = io.BytesIO()
    image.save(content, "JPEG")
    return {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}


@pytest.mark.proves("P-03")
def test_a_customer_sends_a_document_and_two_officers_decide(
    prepare,  # noqa: F811
    open_page,  # noqa: F811
    picture,  # noqa: F811
    pg,
    server,  # noqa: F811
):
    prepare(PEOPLE)
    with open_page(PHONE) as page:
        log_in(page, "karim@example.com")
        page.goto("/my/privacy")
        page.locator("a[name=identity]").click()
        assert has_no_horizontal_scroll(page)
        page.get_by_label("Number on it").fill(NUMBER)
        page.get_by_label("Front").set_input_files(photo("front"))
        page.get_by_label("Back").set_input_files(photo("back"))
        picture(page, "privacy_identity_form", full_page=True)
        page.get_by_role("button", name="Send").click()
        expect(page.locator("[name=identity_state]")).to_have_text("Submitted")
        expect(page.locator("[name=masked_number]")).to_contain_text(NUMBER[-4:])
        assert NUMBER not in page.content()
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_identity_sent", full_page=True)
    with open_page(DESKTOP) as page:
        log_in(page, "amina")
        page.goto("/odoo/identity-documents")
        page.get_by_role("cell", name="Karim Uddin").click()
        expect(page.locator(".o_field_widget[name=number]")).to_contain_text(NUMBER[-4:])
        assert NUMBER not in page.content()
        page.get_by_role("button", name="Reveal").click()
        expect(page.locator(".o_notification")).to_contain_text(NUMBER)
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Open").first.click()
        shown = opened.value
        shown.wait_for_load_state()
        assert "/isp_privacy/identity/" in shown.url
        expect(shown.locator("img")).to_be_visible()
        shown.close()
        press(page, "Number and pictures agree")
        expect(page.locator(".alert-info")).to_contain_text("another KYC officer")
        picture(page, "privacy_identity_checked")
    with open_page(DESKTOP) as page:
        log_in(page, "bashir")
        page.goto("/odoo/identity-documents")
        page.get_by_role("cell", name="Karim Uddin").click()
        press(page, "Approve")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        picture(page, "privacy_identity_approved")
    with pg(server.db).cursor() as cr:
        cr.execute("SELECT state FROM privacy_kyc")
        assert cr.fetchall() == [("approved",)]
        cr.execute(
            "SELECT action, count(*) FROM privacy_audit WHERE action IN ('reveal', 'open') GROUP BY 1"
        )
        assert sorted(cr.fetchall()) == [("open", 1), ("reveal", 1)]


def test_an_officer_captures_by_hand(prepare, open_page, picture):  # noqa: F811
    prepare(
        """
env["res.partner"].create({"name": "Rahim Ali"})
user("chitra", "Chitra", "isp_privacy.group_kyc_officer")
env.cr.commit()
"""
    )
    with open_page(DESKTOP) as page:
        log_in(page, "chitra")
        page.goto("/odoo/identity-documents/new")
        choose(page, "partner_id", "Rahim Ali")
        page.locator(".o_field_widget[name=number] input").fill("1234567890")
        for side in ("Front", "Back"):
            page.get_by_role("button", name="Add a line").click()
            row = page.locator(".o_data_row").last
            if side == "Back":
                row.locator("[name=side] input").click()
                page.locator(".o_select_menu_item").get_by_text("Back", exact=True).click()
            row.locator("[name=upload] input[type=file]").set_input_files(photo(side))
        press(page, "Submit")
        expect(page.get_by_role("button", name="Number and pictures agree")).to_be_visible()
        expect(page.get_by_role("button", name="Open")).to_have_count(2)
        picture(page, "privacy_identity_captured")
