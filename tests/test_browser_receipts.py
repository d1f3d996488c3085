"""Money that came by a QR code without a known payment code: an accountant says whose it is."""

from playwright.sync_api import expect

from .test_browser import (  # noqa: F401
    DESKTOP,
    choose,
    log_in,
    open_page,
    picture,
    prepare,
    press,
    server,
    state_of,
)

RECEIPTS = """
user("ayesha", "Ayesha Siddiqua", "isp_base.group_isp_accountant")
env.ref("base.BDT").active = True
env["res.partner"].create([{"name": "Karim Uddin"}, {"name": "Rahim Ali"}])
provider = env["payment.provider"].search(
    [("code", "=", "bkash"), ("company_id", "=", company.id)], limit=1)
names = ("username", "password", "app_key", "app_secret")
provider.write({"state": "test", **{f"bkash_{name}": f"{name}-of-the-test" for name in names}})
for number, (state, kind, code, amount) in enumerate((
    ("review", "qr", "house 12", 850.0),
    ("review", "ussd", "C-99999", 1200.5),
    ("refused", "qr", "C-1001", 500.0),
)):
    env["isp.gateway.receipt"].create({
        "provider_id": provider.id, "currency_id": env.ref("base.BDT").id, "kind": kind,
        "reference": f"BKX{number}7Q2", "code": code, "amount": amount, "state": state,
        "payer": "01•••••••12", "paid_at": "2026-11-27 10:15:00",
    })
env.cr.commit()
"""


def test_an_accountant_says_whose_the_money_is(
    prepare,  # noqa: F811
    open_page,  # noqa: F811
    picture,  # noqa: F811
):
    prepare(RECEIPTS)
    with open_page(DESKTOP) as page:
        log_in(page, "ayesha")
        page.goto("/odoo/gateway-receipts")
        expect(page.locator(".o_data_row", has_text="house 12")).to_be_visible()
        picture(page, "gateway_receipts")
        page.locator(".o_data_row", has_text="house 12").click()
        expect(page.locator(".o_form_view")).to_be_visible()
        choose(page, "partner_id", "Karim Uddin")
        picture(page, "gateway_receipt")
        press(page, "Book for this customer")
        expect(state_of(page)).to_have_text("Booked")
        expect(page.locator("[name=payment_id]")).to_be_visible()
        page.goto("/odoo/gateway-settlements")
        expect(page.locator(".o_view_nocontent")).to_be_visible()
        picture(page, "gateway_settlements")
