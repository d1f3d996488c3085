"""Usage, extra data volume and the payment page on a customer's phone, with a real FreeRADIUS."""

import csv
import json

import pytest
from playwright.sync_api import expect

from harness import radius

from .test_browser import (  # noqa: F401
    JOB_MS,
    PHONE,
    has_no_horizontal_scroll,
    log_in,
    open_page,
    picture,
    prepare,
    server,
)

MOBILE = {"is_mobile": True, "has_touch": True}

CUSTOMERS = """
from datetime import timedelta
import json

provider = env["payment.provider"].search(
    [("code", "=", "demo"), ("company_id", "=", company.id)], limit=1
)
provider.write({"state": "test", "is_published": True})
provider.payment_method_ids.active = True
today = company._get_isp_today()
vat = env["account.tax"].create({"name": "VAT 15%", "amount": 15, "type_tax_use": "sale"})
plan = env["isp.plan"].create(
    {"name": "Family 30", "price": 1050, "download_kbps": 30720, "upload_kbps": 15360,
     "cap_gb": 400, "cap_action": "block", "tax_ids": [(6, 0, vat.ids)],
     "topup_ids": [(0, 0, {"name": "20 GB more", "volume_gb": 20, "price": 150}),
                   (0, 0, {"name": "100 GB more", "volume_gb": 100, "price": 500})]}
)
env.cr.execute("SELECT radius.ensure_usage_parts(%s::date - 365, %s)", [today, today])


def customer(name, login, username, gigabytes_today):
    partner = env["res.partner"].create({"name": name, "email": login, "city": "Dhaka"})
    user(login, name, "base.group_portal", partner_id=partner.id)
    subscription = env["isp.subscription"].create(
        {"partner_id": partner.id, "plan_id": plan.id, "username": username,
         "date_start": today.replace(day=1)}
    )
    subscription._activate()
    bill = subscription._bill(today, today)
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=bill.ids
    ).create({})._create_payments()
    env.cr.execute(
        "INSERT INTO radius.usage_day (subscription_id, day, company_id, plan_id, upload_bytes,"
        " download_bytes, session_seconds) VALUES (%s, %s, %s, %s, 0, %s, 3600)",
        [subscription.id, today, company.id, plan.id, int(gigabytes_today * 1e9)],
    )
    env["isp.usage.window"]._follow_usage(subscription.ids)
    return subscription


karim = customer("Karim Uddin", "karim@example.com", "karim", 9.5)
env.cr.execute(
    "INSERT INTO radius.usage_day (subscription_id, day, company_id, plan_id, upload_bytes,"
    " download_bytes, session_seconds) SELECT %s, day, %s, %s,"
    " ((2 + extract(day FROM day)::int %% 5) * 2e8)::bigint,"
    " ((3 + extract(day FROM day)::int %% 7 + extract(month FROM day)::int %% 3) * 1e9)::bigint,"
    " 3600 FROM generate_series(%s::date - 340, %s::date - 1, interval '1 day') day",
    [karim.id, company.id, plan.id, today, today],
)
env.cr.execute(
    "INSERT INTO radius.usage_hour SELECT %s, %s::timestamp + hour * interval '1 hour',"
    " (hour %% 4 + 1) * 2e7, (hour %% 6 + 1) * 1.2e8 FROM generate_series(0, 9) hour",
    [karim.id, today],
)
env["isp.usage.window"]._follow_usage(karim.ids)
nasrin = customer("Nasrin Akter", "nasrin@example.com", "nasrin", 400)
rahim = customer("Rahim Ali", "rahim@example.com", "rahim", 1)
next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
rahim._bill(next_month, today)
rahim._suspend("overdue", "Unpaid")
secret = env["isp.nas"]._ensure_local_nas().secret
env.cr.commit()
subscriptions = karim | nasrin | rahim
print("RESULT" + json.dumps({
    "secret": secret, "ids": {s.username: s.id for s in subscriptions},
    "passwords": {s.username: s.password for s in subscriptions},
}))
"""

# The line that the browser comes from.
ONLINE = """
DELETE FROM radius.radacct WHERE acctsessionid = 'browser';
INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, acctstarttime,
    acctupdatetime, framedipaddress, subscription_id)
VALUES ('browser', 'browser-{id}', '{name}', '10.0.0.1', now(), now(), '127.0.0.1', {id})
"""


@pytest.fixture(scope="module")
def facts():
    """What the preparation printed; the tests share one database."""
    return {}


@pytest.fixture
def customers(server, prepare, facts):  # noqa: F811
    """Karim uses his line, Nasrin has used up her volume, Rahim has not paid."""
    if not facts:
        facts.update(json.loads(prepare(CUSTOMERS).split("RESULT")[1]))
    return facts


def test_what_was_used(customers, open_page, picture, tmp_path):  # noqa: F811
    with open_page(PHONE, accept_downloads=True, **MOBILE) as page:
        log_in(page, "karim@example.com")
        page.goto("/my/services")
        page.locator("[name=service_card]").tap()
        page.locator("[name=usage]").tap()
        expect(page.locator("[name=volume]")).to_contain_text("/ 400.0 GB")
        rows = page.locator("[name=usage_table] tbody tr")
        for label, count, name in (
            ("30 days", 30, "portal_usage_30_days"),
            ("Today", 24, "portal_usage_today"),
            ("12 months", 12, "portal_usage_12_months"),
        ):
            page.locator("[name=usage_periods]").get_by_text(label, exact=True).tap()
            expect(rows).to_have_count(count)
            expect(page.locator("[name=usage_periods] .active")).to_have_text(label)
            assert has_no_horizontal_scroll(page)
            picture(page, name, full_page=True)
        page.locator("summary").tap()
        expect(rows.last).to_be_visible()
        assert has_no_horizontal_scroll(page)
        picture(page, "portal_usage_table", full_page=True)
        with page.expect_download() as download:
            page.locator("[name=usage_csv]").tap()
        assert download.value.suggested_filename.startswith("Usage ")
        path = tmp_path / "usage.csv"
        download.value.save_as(path)
    with path.open(encoding="utf-8-sig") as file:
        days = list(csv.DictReader(file))
    assert 300 < len(days) <= 341
    assert int(days[-1]["Total (bytes)"]) == int(days[-1]["Download (bytes)"]) == 9_500_000_000


def test_volume_is_bought_and_the_line_works(
    customers,
    server,  # noqa: F811
    pg,
    open_page,  # noqa: F811
    picture,  # noqa: F811
):
    with radius.RadiusServer(server.db) as wire:

        def log_in_there():
            return wire.login("nasrin", customers["passwords"]["nasrin"], customers["secret"])

        before = log_in_there()
        assert before["Reply-Message"] == "Data volume used up"
        assert before["Mikrotik-Address-List"] == "walled-garden"
        with open_page(PHONE, **MOBILE) as page:
            buy_volume(page, picture)
        with pg(server.db).cursor() as cr:
            cr.execute(
                "SELECT t.state, m.payment_state, m.amount_total::float FROM"
                " isp_subscription_topup t JOIN account_move m ON m.id = t.move_id"
                " WHERE t.subscription_id = %s",
                [customers["ids"]["nasrin"]],
            )
            assert cr.fetchall() == [("active", "paid", 172.5)]
        after = log_in_there()
        assert after["Mikrotik-Rate-Limit"] == "15360k/30720k"
        assert after["Reply-Message"] is None


def buy_volume(page, picture):  # noqa: F811
    """From the usage page to the volume, as Nasrin."""
    log_in(page, "nasrin@example.com")
    page.goto("/my/services")
    page.locator("[name=service_card]").tap()
    expect(page.locator("[name=access]")).to_have_text("Stopped – data volume used up")
    picture(page, "portal_volume_used_up", full_page=True)
    page.locator("[name=usage]").tap()
    expect(page.locator("[name=volume]")).to_contain_text("your connection is stopped")
    picture(page, "portal_usage_used_up", full_page=True)
    page.locator("[name=topup]").tap()
    offer = page.locator("[name=topup_offer]").filter(has_text="20 GB more")
    expect(offer).to_contain_text("172.50")
    assert has_no_horizontal_scroll(page)
    picture(page, "portal_topup", full_page=True)
    offer.get_by_role("button").tap()
    expect(page.locator("[name=pay_total]")).to_contain_text("172.50")
    page.fill("#customer_input", "4242 4242 4242 4242")
    assert has_no_horizontal_scroll(page)
    picture(page, "portal_topup_pay", full_page=True)
    # Who goes away finds the order again.
    page.goto(page.url.removesuffix("/pay"))
    expect(page.locator("[name=topup_order]")).to_contain_text("20 GB more")
    assert has_no_horizontal_scroll(page)
    picture(page, "portal_topup_ordered", full_page=True)
    page.locator("[name=topup_pay]").tap()
    page.fill("#customer_input", "4242 4242 4242 4242")
    page.get_by_role("button", name="Pay now").tap()
    given = page.locator("[name=topup_given]")
    expect(given).to_contain_text("20 GB more has been added", timeout=JOB_MS)
    expect(page.locator("[name=volume_left]")).to_contain_text("20.0 GB")
    assert has_no_horizontal_scroll(page)
    picture(page, "portal_topup_given", full_page=True)


def test_the_payment_page_of_a_walled_line(
    customers,
    server,  # noqa: F811
    prepare,  # noqa: F811
    pg,
    open_page,  # noqa: F811
    picture,  # noqa: F811
):
    def come_from(name):
        with pg(server.db).cursor() as cr:
            cr.execute(ONLINE.format(id=customers["ids"][name], name=name))

    prepare(
        f"""
nasrin = env["isp.subscription"].browse({customers["ids"]["nasrin"]})
env.cr.execute("UPDATE radius.usage_day SET download_bytes = 500e9 WHERE subscription_id = %s",
               [nasrin.id])
env["isp.usage.window"]._follow_usage(nasrin.ids)
env.cr.commit()
"""
    )
    with open_page(PHONE, **MOBILE) as page:
        page.goto("/isp/walled")
        expect(page.locator("#walled_login")).to_be_visible()
        picture(page, "walled_unknown", full_page=True)
        come_from("rahim")
        page.goto("/isp/walled")
        expect(page.locator("[name=walled_overdue]")).to_be_visible()
        assert has_no_horizontal_scroll(page)
        picture(page, "walled_overdue", full_page=True)
        page.locator("[name=walled_pay]").tap()
        expect(page.locator("[name=pay_total]")).to_be_visible()

        come_from("nasrin")
        page.goto("/isp/walled")
        expect(page.locator("[name=walled_cap]")).to_contain_text("Data volume used up")
        assert has_no_horizontal_scroll(page)
        picture(page, "walled_used_up", full_page=True)
        page.locator("[name=walled_topup]").tap()
        page.locator("[name=topup_offer]").last.get_by_role("button").tap()
        expect(page.locator("[name=pay_total]")).to_contain_text("575.00")
        assert has_no_horizontal_scroll(page)
