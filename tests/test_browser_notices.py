"""What customers are told, in the browser: text messages, a new owner; and an administrator in need."""

import re

import pytest
from playwright.sync_api import expect

from simulators.sms.ssl_wireless import SID, TOKEN, SslWireless

from .test_browser import (  # noqa: F401
    DESKTOP,
    PHONE,
    has_no_horizontal_scroll,
    log_in,
    open_menu,
    open_page,
    picture,
    prepare,
    press,
    server,
    state_of,
)

PEOPLE = """
company.write({"country_id": env.ref("base.bd").id, "email": "office@padma.example"})
user("ayesha", "Ayesha Siddiqua", "isp_base.group_isp_manager")
user("nasrin", "Nasrin", "isp_privacy.group_privacy_officer", email="nasrin@padma.example")
user("root", "Rafiq", "base.group_system")
email = "karim@example.com"
karim = env["res.partner"].search([("email", "=", email)]) or env["res.partner"].create(
    {"name": "Karim Uddin", "email": email, "phone": "+8801711000001", "city": "Dhaka"}
)
user(email, karim.name, "base.group_portal", partner_id=karim.id)
if not env["isp.subscription"].search_count([("partner_id", "=", karim.id)]):
    plan = env["isp.plan"].create({"name": "Home 20", "price": 500, "tax_ids": [(5,)]})
    vals = {"partner_id": karim.id, "plan_id": plan.id, "date_start": company._get_isp_today()}
    env["isp.subscription"].create(vals)._activate()
env.cr.commit()
"""

GATEWAY = """
gateway = env["isp.message.gateway"].create({
    "name": "SSL Wireless", "provider": "ssl_wireless", "company_id": company.id,
    "sender": "%s", "api_token": "%s", "test_url": "%s",
})
karim = env["res.partner"].search([("email", "=", "karim@example.com")])
for number, words in enumerate(("Your line is repaired.", "We work on your line tonight.")):
    env["isp.message"]._queue(company, f"notice:{number}", partner_id=karim.id, body=words)
env.cr.commit()
"""

SEND = """
env["isp.message"]._cron_send()
env.cr.commit()
"""

TELL = """
env["privacy.handover.notice"]._cron_notify()
env.cr.commit()
"""


@pytest.fixture
def people(prepare):  # noqa: F811
    """A manager, a privacy officer, an administrator and a customer."""
    prepare(PEOPLE)


def test_a_message_goes_out_and_the_customer_chooses_how(
    people,
    prepare,  # noqa: F811
    open_page,  # noqa: F811
    picture,  # noqa: F811
):
    with SslWireless() as gateway:
        prepare(GATEWAY % (SID, TOKEN, gateway.url))
        gateway.faults.add("send", html=True)  # nobody knows of the first one
        prepare(SEND)
    with open_page(DESKTOP) as page:
        log_in(page, "ayesha")
        page.locator(".o_navbar_apps_menu button").click()
        page.get_by_role("menuitem", name="ISP", exact=True).click()
        open_menu(page, "Subscribers", "Messages")
        rows = page.locator(".o_data_row")
        expect(rows).to_have_count(2)
        picture(page, "messages")
        rows.filter(has_text="Nobody knows").locator("td[name=reason]").click()
        expect(page.locator(".o_form_view")).to_be_visible()
        picture(page, "message_unknown")
        press(page, "It arrived")
        expect(page.locator(".o_form_view")).to_contain_text("Delivered")
        open_menu(page, "Configuration", "Gateways")
        page.locator(".o_data_row td[name=name]").click()
        expect(page.locator(".o_form_view")).to_be_visible()
        picture(page, "message_gateway")
    with open_page(PHONE) as page:
        log_in(page, "karim@example.com")
        page.goto("/my/services")
        channels = page.locator("#channels")
        channels.get_by_label("Way 1").select_option("email")
        assert has_no_horizontal_scroll(page)
        channels.scroll_into_view_if_needed()
        picture(page, "message_channels_phone")
        channels.get_by_role("button", name="Save").click()
        expect(channels.get_by_label("Way 1")).to_have_value("email")


def test_customers_hear_of_a_new_owner(people, prepare, open_page, picture):  # noqa: F811
    with open_page(DESKTOP) as page:
        log_in(page, "nasrin")
        page.goto("/odoo/privacy-handovers")
        page.get_by_role("button", name="New", exact=True).click()
        for field, value in {
            "name": "Meghna Net",
            "contact": "info@meghna.example",
            "scope": "Contracts and bills",
            "legal_basis": "Contract of sale",
            "effective_date": "01/31/2099",
        }.items():
            page.locator(f"[name={field}] :is(input, textarea)").first.fill(value)
        page.locator("[name=country_id] input").fill("Bangladesh")
        page.locator(".o-autocomplete--dropdown-item").get_by_text("Bangladesh", exact=True).click()
        press(page, "Announce")
        page.locator(".modal").get_by_role("button", name="Ok").click()
        expect(state_of(page)).to_have_text("Announced")
        picture(page, "privacy_handover")
    prepare(TELL)
    with open_page(PHONE) as page:
        log_in(page, "karim@example.com")
        page.goto("/my")
        banner = page.locator("[name=handover_banner]")
        expect(banner).to_contain_text("Meghna Net")
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_handover_phone")
        banner.get_by_role("button", name="I have seen it").click()
        expect(banner).to_have_count(0)


def test_an_administrator_takes_a_role_for_an_hour(people, open_page, picture):  # noqa: F811
    with open_page(DESKTOP) as page:
        log_in(page, "root")
        page.goto("/odoo/emergency-access")
        page.get_by_role("button", name="Take a role").first.click()
        dialog = page.locator(".modal")
        dialog.locator("[name=role_id] input").fill("Support")
        page.locator(".o-autocomplete--dropdown-item").get_by_text(re.compile("Support")).click()
        reason = "Router down, subscriber 1203 cannot be reached"
        dialog.locator("[name=reason] :is(input, textarea)").fill(reason)
        picture(page, "privacy_emergency_start")
        dialog.get_by_role("button", name="Take the role").click()
        # Who left the desk unlocked gives nobody a role.
        password = page.locator(".modal input[type=password]")
        confirm = page.get_by_role("button", name="Confirm Password")
        password.fill("wrong")
        confirm.click()
        expect(page.locator("body")).to_contain_text("Incorrect Password")
        page.get_by_role("button", name="Close").last.click()
        password.fill("root-secret")
        confirm.click()
        expect(page.locator(".o_notification")).to_contain_text("privacy officers were told")
        page.goto("/odoo/emergency-access")
        page.locator(".o_data_row td[name=reason]").click()
        expect(page.locator(".o_form_view")).to_contain_text(reason)
        picture(page, "privacy_emergency")
        press(page, "Give it back")
        expect(page.locator(".o_form_view")).to_contain_text("Ended")
