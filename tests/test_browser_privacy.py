"""A customer's choices in a real browser: cookies by keyboard, consents, the notice of a new policy."""

from urllib.parse import urlsplit

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

CUSTOMER = """
from datetime import timedelta

def publish():
    company.write({"phone": "+8801711000000", "email": "office@padma.example"})
    policy = env.ref("isp_privacy.privacy_policy_main")
    policy.write({"officer_name": "Nasrin Akter", "officer_email": "nasrin@padma.example"})
    first = env.ref("isp_privacy.privacy_policy_version_first")
    first.effective_date = company._get_privacy_today()
    first.action_publish()
    partner = env["res.partner"].create({"name": "Karim Uddin", "email": "karim@example.com"})
    user("karim@example.com", partner.name, "base.group_portal", partner_id=partner.id)
    second = first.browse(first.action_new_version()["res_id"])
    english = second.text_ids.filtered(lambda text: text.lang == "en_US")
    english.body = english.body.replace("# Links", "# Wi-Fi\\nWe hold the name of your Wi-Fi.\\n\\n# Links")
    second.write({
        "summary": "We hold the name of your Wi-Fi, to help you by phone.",
        "effective_date": first.effective_date + timedelta(days=20),
    })
    second.action_publish()
    env["privacy.policy.notice"]._cron_notify()


# The tests of this file share one database.
if env.ref("isp_privacy.privacy_policy_version_first").state == "draft":
    publish()
env.cr.commit()
"""
BANNER = "[name=cookie_banner]"


@pytest.fixture
def prepared(prepare):  # noqa: F811
    """Two versions of the policy, and Karim, who was told of the second one."""
    prepare(CUSTOMER)


def cookies_of(page):
    return {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}


@pytest.mark.proves("P-09", "P-44", "P-45", "P-46", "P-47")
def test_cookies_wait_for_the_choice(prepared, open_page, picture):  # noqa: F811
    """P-09, P-44 to P-47."""
    with open_page(PHONE) as page:
        asked = []
        page.on("request", lambda request: asked.append(urlsplit(request.url)))
        page.goto("/web/login")
        page.wait_for_load_state("networkidle")
        own = urlsplit(page.url).netloc
        assert {url.netloc for url in asked if url.scheme in ("http", "https")} == {own}
        expect(page.locator(BANNER)).to_be_visible()
        assert set(cookies_of(page)) == {"session_id"}
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_cookie_banner")
        page.locator(BANNER).get_by_role("link", name="Choose").click()

        # With the keyboard alone.
        page.get_by_label("Functional").focus()
        page.keyboard.press("Space")
        expect(page.get_by_label("Functional")).to_be_checked()
        expect(page.get_by_label("Analytics")).not_to_be_checked()
        expect(page.get_by_label("Essential")).to_be_disabled()
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_cookies", full_page=True)
        save = page.get_by_role("button", name="Save my choice")
        for _press in range(10):
            page.keyboard.press("Tab")
            if save.evaluate("button => button === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(page.locator("[name=has_chosen]")).to_be_visible()
        page.goto("/web/login")
        expect(page.locator(BANNER)).to_have_count(0)
        assert cookies_of(page)["privacy_cookies"] == "functional"
        assert {"tz", "frontend_lang"} <= set(cookies_of(page))

        page.locator("[name=privacy_links]").get_by_role("link", name="Cookies").click()
        page.get_by_role("button", name="Only essential").click()
        page.wait_for_load_state()
        assert set(cookies_of(page)) == {"session_id", "privacy_cookies"}


@pytest.mark.proves("P-41", "P-49", "P-50")
def test_the_customer_chooses(prepared, open_page, picture):  # noqa: F811
    """P-41, P-49, P-50: the notice, and one click for each decision."""
    with open_page(PHONE) as page:
        log_in(page, "karim@example.com")
        page.goto("/my/privacy")
        notice = page.locator("[name=policy_banner]")
        expect(notice).to_contain_text("We hold the name of your Wi-Fi")
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_policy_banner", full_page=True)
        notice.get_by_role("link", name="Read what changes").click()
        expect(page.locator("ins").first).to_have_text("# Wi-Fi")
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_policy_version", full_page=True)
        page.locator("[name=policy_banner]").get_by_role("button", name="I have seen it").click()
        expect(page.locator("[name=policy_banner]")).to_have_count(0)

        page.goto("/my/privacy")
        page.locator("a[name=consents]").click()
        page.locator("form[name=age] button").click()
        expect(page.locator("form[name=age]")).to_have_count(0)
        mail = page.locator("#marketing [data-channel=mail]")
        expect(mail.locator("[name=state]")).to_have_text("Off")
        mail.get_by_role("button").click()
        expect(mail.locator("[name=state]")).to_have_text("On")
        assert has_no_horizontal_scroll(page)
        picture(page, "privacy_consents_phone", full_page=True)
        mail.get_by_role("button").click()
        expect(mail.locator("[name=state]")).to_have_text("Off")
    with open_page(DESKTOP) as page:
        log_in(page, "karim@example.com")
        page.goto("/my/privacy/consents")
        picture(page, "privacy_consents", full_page=True)


def test_the_link_in_a_message_asks_once(prepared, prepare, open_page, picture):  # noqa: F811
    url = prepare(
        CUSTOMER
        + """
partner = env["res.partner"].search([("email", "=", "karim@example.com")], limit=1)
purpose = env.ref("isp_privacy.privacy_purpose_marketing")
digest = partner._privacy_contact_hashes("mail")[partner.id]
print(env["privacy.consent"]._get_withdrawal_url(purpose, "mail", company, partner, digest))
"""
    ).split()[-1]
    with open_page(PHONE) as page:
        page.goto(url)
        expect(page.locator("main form")).to_have_count(1)
        picture(page, "privacy_withdraw", full_page=True)
        page.get_by_role("button", name="Stop them").click()
        expect(page.locator("[name=withdrawn]")).to_be_visible()
        assert has_no_horizontal_scroll(page)
