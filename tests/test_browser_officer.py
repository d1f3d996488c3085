"""A customer asks on a phone; two privacy officers look at the board, decide, and see it carried out."""

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
    press,
    server,
)

OFFICE = """
def furnish():
    company.write({"country_id": env.ref("base.bd").id, "email": "office@padma.example"})
    for login in ("nasrin", "farid"):
        group = "isp_privacy.group_privacy_officer"
        user(login, login.title(), group, email=f"{login}@padma.example")
    nasrin, farid = (Users.search([("login", "=", one)]) for one in ("nasrin", "farid"))
    requests = {}
    for name, kind, words in (
        ("Karim Uddin", None, None),
        ("Rahim Ali", "rectification", "My street is Green Road."),
        ("Salma Begum", "restriction_set", "Wait until we have talked."),
        ("Jamal Hossain", "erasure", "I have moved away."),
    ):
        email = f"{name.split()[0].lower()}@example.com"
        partner = env["res.partner"].create({"name": name, "email": email, "city": "Dhaka"})
        user(email, name, "base.group_portal", partner_id=partner.id)
        if kind:
            vals = {"request_type": kind, "partner_id": partner.id, "words": words}
            requests[kind] = env["privacy.request"].with_user(nasrin).create(vals)
            requests[kind]._verify_identity("letter")
    requests["restriction_set"].action_review()
    requests["erasure"].action_review()
    requests["erasure"].with_user(farid).action_approve()


# The tests of this file share one database.
if not Users.search_count([("login", "=", "nasrin")]):
    furnish()
env.cr.commit()
"""

WORK = """
env["privacy.export"]._cron_build()
env.cr.commit()
"""

# The window to call it off has closed; there is no server for the last mail, so it goes on without.
ERASE = """
import tempfile

rules = env["privacy.profile.rule"].search([("id", "!=", False)])
rules.write({"min_days": 0, "min_months": 0})
env["ir.config_parameter"].set_param("isp_privacy.ledger_dir", tempfile.mkdtemp())
env.cr.execute("UPDATE privacy_request SET recover_until = '2020-01-01' WHERE state = 'recovery'")
env.cr.commit()
env["privacy.request"]._cron_end_recovery()
for _attempt in range(8):
    env["privacy.erasure"]._cron_work()
env.cr.commit()
print(env["privacy.erasure"].search([], limit=1).state)
"""


@pytest.fixture
def office(prepare):  # noqa: F811
    """Two officers, and customers whose requests stand at different places."""
    prepare(OFFICE)


def open_request(page, name):
    """Open the card of a customer on the board."""
    page.goto("/odoo/privacy-requests")
    page.locator(".o_kanban_record", has_text=name).click()
    expect(page.locator(".o_form_view")).to_be_visible()


def test_a_request_from_the_phone_to_its_package(
    office,
    prepare,  # noqa: F811
    open_page,  # noqa: F811
    picture,  # noqa: F811
):
    with open_page(PHONE) as page:
        log_in(page, "karim@example.com")
        page.goto("/my/privacy")
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_requests_phone", full_page=True)
        page.locator("[name=new_request]").click()
        page.get_by_label("What do you ask for?").select_option("access")
        page.get_by_label("In your words").fill("What do you know about my line?")
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_request_new_phone", full_page=True)
        page.get_by_role("button", name="Send the request").click()
        page.locator("#privacy_password").fill("karim@example.com-secret")
        page.get_by_role("button", name="It is me").click()
        expect(page.locator("[name=request_state]")).to_have_text("Verified")
        assert has_no_horizontal_scroll(page)

    with open_page(DESKTOP) as page:
        log_in(page, "nasrin")
        page.goto("/odoo/privacy-requests")
        for name in ("Karim Uddin", "Rahim Ali", "Salma Begum", "Jamal Hossain"):
            expect(page.locator(".o_kanban_record", has_text=name)).to_be_visible()
        picture(page, "privacy_board")
        page.locator(".o_switch_view.o_calendar").click()
        page.locator(".o_calendar_button_next").click()  # an answer is due in thirty days
        expect(page.locator(".fc-event", has_text="PR-")).to_have_count(4)
        picture(page, "privacy_calendar")
        open_request(page, "Karim Uddin")
        press(page, "Review")
        expect(page.locator(".o_arrow_button_current")).to_have_text("In review")
        picture(page, "privacy_request")
        # Four eyes: who reviewed it is not asked to approve it.
        expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)

    with open_page(DESKTOP) as page:
        log_in(page, "farid")
        open_request(page, "Karim Uddin")
        press(page, "Approve")
        expect(page.locator(".o_arrow_button_current")).to_have_text("Executing")
    prepare(WORK)
    with open_page(PHONE) as page:
        log_in(page, "karim@example.com")
        page.goto("/my/privacy")
        page.locator("[name=request_card]").first.click()
        expect(page.locator("[name=package_ready]")).to_be_visible()
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_package_phone", full_page=True)
        page.locator("#privacy_package_password").fill("karim@example.com-secret")
        with page.expect_download() as download:
            page.get_by_role("button", name="Fetch the package").click()
        assert download.value.suggested_filename.endswith(".zip")


def test_an_erasure_and_a_purge(
    office,
    prepare,  # noqa: F811
    open_page,  # noqa: F811
    picture,  # noqa: F811
):
    assert prepare(ERASE).split()[-1] == "done"
    with open_page(DESKTOP) as page:
        log_in(page, "nasrin")
        page.goto("/odoo/privacy-erasures")
        page.locator(".o_data_row").first.click()
        expect(page.locator(".o_form_view")).to_be_visible()
        assert "Jamal" not in page.locator(".o_form_view").inner_text()
        picture(page, "privacy_erasure", full_page=True)
        page.goto("/odoo/privacy-purges")
        page.get_by_role("button", name="New").click()
        page.locator(".o_form_button_save").click()
        press(page, "Count again")
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
        picture(page, "privacy_purge")
        page.goto("/odoo/privacy-packages")
        expect(page.locator(".o_data_row").first).to_be_visible()
        picture(page, "privacy_packages")
