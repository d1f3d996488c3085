"""The control room and a lawful request in a real browser, with a real FreeRADIUS behind them."""

import hashlib
import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from harness import radius

from .test_browser import (  # noqa: F401
    DESKTOP,
    log_in,
    open_page,
    picture,
    prepare,
    press,
    server,
)

MAC = "AA:BB:CC:00:11:22"
ONLINE = """
user("rina", "Rina Das", "isp_base.group_isp_support")
user("omar", "Omar Faruk", "isp_network.group_isp_lawful")
user("tania", "Tania Karim", "isp_base.group_isp_network")
plan = env["isp.plan"].create(
    {"name": "Family 30", "price": 1050, "download_kbps": 30720, "upload_kbps": 15360,
     "framed_pool": "pool-home", "tax_ids": [(5,)]}
)
partners = env["res.partner"].create([
    {"name": "Karim Uddin", "phone": "+8801711000001", "street": "House 5", "city": "Dhaka"},
    {"name": "Nasrin Akter", "phone": "+8801819445566", "city": "Dhaka"},
])
subscriptions = env["isp.subscription"].create(
    [{"partner_id": partner.id, "plan_id": plan.id, "username": name}
     for partner, name in zip(partners, ("karim", "nasrin"))]
)
subscriptions._activate()
pools = env["isp.ip.pool"].create([
    {"name": "Households", "purpose": "dynamic", "radius_name": "pool-home",
     "range_ids": [(0, 0, {"name": "100.64.0.0/24"})]},
    {"name": "Shared", "purpose": "cgnat", "range_ids": [(0, 0, {"name": "203.0.113.0/29"})]},
    {"name": "Static customers", "purpose": "static", "gateway": "103.10.0.1",
     "excluded": "103.10.0.0, 103.10.0.255",
     "range_ids": [(0, 0, {"name": "103.10.0.0/24"})]},
])
translation = env["isp.cgnat.pool"].create({
    "name": "Households", "private_pool_id": pools[0].id, "public_pool_id": pools[1].id,
    "valid_from": "2026-01-01 00:00:00",
})
translation.action_put_in_force()
secret = env["isp.nas"]._ensure_local_nas("Mirpur core").secret
env.cr.commit()
import json
print("RESULT" + json.dumps({
    "passwords": {s.username: s.password for s in subscriptions}, "secret": secret,
    "ids": {s.username: s.id for s in subscriptions}, "translation": translation.id,
}))
"""


@pytest.fixture(scope="module")
def facts():
    """What the first preparation printed; the tests share one database."""
    return {}


@pytest.fixture
def wire(server, prepare, facts):  # noqa: F811
    """FreeRADIUS, with Karim online from 100.64.0.9."""
    if not facts:
        facts.update(json.loads(prepare(ONLINE).split("RESULT")[1]))
    with radius.RadiusServer(server.db) as running:
        prepare(
            'env["ir.config_parameter"].set_param('
            f'"isp_network.radius_port", "{running.auth_port}")\nenv.cr.commit()'
        )
        login = running.login(
            "karim", facts["passwords"]["karim"], facts["secret"], Calling_Station_Id=MAC
        )
        running.login("nasrin", "not the password", facts["secret"])
        session = {
            "User_Name": "karim",
            "Acct_Session_Id": "81000001",
            "Class": login["Class"],
            "Framed_IP_Address": "100.64.0.9",
            "Calling_Station_Id": MAC,
        }
        answer = running.account("Start", facts["secret"], **session)
        assert answer.code == "Accounting-Response"
        yield running
        running.account("Stop", facts["secret"], **session)


def search(page, text):
    page.locator("input[name=query]").fill(text)
    return page.locator("[name=hits] .o_isp_hit")


def test_a_newcomer_finds_a_customer_by_what_is_said(wire, facts, open_page, picture):  # noqa: F811
    with open_page(DESKTOP) as page:
        log_in(page, "rina")
        page.goto("/odoo/isp-control-room")
        for said in ("Uddin", "01711-000001", "karim", "100.64.0.9", "aabb.cc00.1122"):
            hits = search(page, said)
            expect(hits).to_have_count(1)
            expect(hits.locator("[name=customer]")).to_have_text("Karim Uddin")
            page.locator("input[name=query]").fill("zzzz")
            expect(hits).to_have_count(0)
        hit = search(page, "karim")
        expect(hit.locator("[name=connection]")).to_contain_text("Online")
        expect(hit.locator("[name=ip]")).to_have_text("100.64.0.9")
        expect(hit.locator("[name=mac]")).to_have_text("AA-BB-CC-00-11-22")
        expect(hit.locator("[name=router]")).to_have_text("Mirpur core")
        picture(page, "control_room_search")

        hit.locator("[name=test_login]").click()
        dialog = page.locator(".modal")
        expect(dialog).to_contain_text("The customer can go online")
        expect(dialog).to_contain_text("15360k/30720k")
        picture(page, "control_room_test_login")
        dialog.get_by_role("button", name="Close").last.click()

        hit = search(page, "nasrin")
        expect(hit.locator("[name=connection]")).to_contain_text("Never online")
        expect(hit.locator("[name=refused]")).to_contain_text("Wrong password")

        page.locator("[name=tab_online]").click()
        rows = page.locator("[name=sessions] tbody tr")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("Karim Uddin")
        second = {"User_Name": "nasrin", "Acct_Session_Id": "81000002"}
        wire.account("Start", facts["secret"], **second, Framed_IP_Address="100.64.0.10")
        expect(rows).to_have_count(2)  # without a click, within five seconds
        expect(page.locator("[name=online_total]")).to_have_text("2")
        picture(page, "control_room_online")
        wire.account("Stop", facts["secret"], **second)
        page.locator("[name=tab_routers]").click()
        expect(page.locator("[name=routers]")).to_contain_text("In contact")
        picture(page, "control_room_routers")


def test_network_staff_gives_a_static_address(wire, facts, open_page, picture):  # noqa: F811
    with open_page(DESKTOP) as page:
        log_in(page, "tania")
        page.goto(f"/odoo/action-isp_billing.isp_subscription_action/{facts['ids']['nasrin']}")
        page.get_by_role("tab", name="Connection").click()
        page.locator("button[name=action_next_free_ipv4]").click()
        expect(page.locator("[name=ipv4_address]").last).to_contain_text("103.10.0.2")
        page.goto("/odoo/isp-ip-pools")
        expect(page.locator(".o_data_row", has_text="Static customers")).to_contain_text("252")
        picture(page, "address_pools")
        page.goto(f"/odoo/isp-cgnat/{facts['translation']}")
        page.get_by_role("tab", name="Commands for the router").click()
        expect(page.locator("[name=router_commands]")).to_contain_text("action=netmap")
        picture(page, "address_translation")


def test_a_lawful_request_is_answered_and_handed_over(
    wire,
    server,  # noqa: F811
    facts,
    pg,
    open_page,  # noqa: F811
    picture,  # noqa: F811
    tmp_path,
):
    moment = datetime.now(UTC) + timedelta(hours=6)  # Dhaka
    with open_page(DESKTOP) as page:
        log_in(page, "rina")
        expect(page.locator(".o_navbar_apps_menu button, .o_apps")).to_be_visible()
        assert page.goto("/odoo/isp-lawful-requests").status == 200
        expect(page.locator(".o_data_row")).to_have_count(0)

    with open_page(DESKTOP, accept_downloads=True) as page:
        log_in(page, "omar")
        page.goto("/odoo/isp-lawful-requests/new")
        for name, text in (
            ("authority", "Cyber Crime Unit, Dhaka"),
            ("reference", "CCU/2026/117"),
            ("requested_by", "Inspector Rahman"),
            ("address", "203.0.113.1"),
            ("port", "4711"),
            ("moment_text", f"{moment:%Y-%m-%d %H:%M:%S}"),
        ):
            page.locator(f"[name={name}] input").first.fill(text)
        page.locator("[name=date_received] input, [name=date_received] button").first.click()
        page.keyboard.type(f"{moment:%m/%d/%Y}")
        page.keyboard.press("Tab")
        page.locator("[name=reason] textarea").fill("Case 44/2026, section 22 of the act")
        press(page, "Look up")
        page.locator(".modal").get_by_role("button", name="Ok").click()
        answers = page.locator("[name=answer_ids] .o_data_row")
        expect(answers).to_have_count(1)
        expect(answers).to_contain_text("Karim Uddin")
        expect(answers).to_contain_text("= 100.64.0.9")
        picture(page, "lawful_request")
        with page.expect_download(timeout=60_000) as download:
            page.locator("button[name=action_export_pdf]").click()
        pdf = tmp_path / "answer.pdf"
        download.value.save_as(pdf)
        with page.expect_download(timeout=60_000) as download:
            page.locator("button[name=action_export_csv]").click()
        table = tmp_path / "answer.csv"
        download.value.save_as(table)
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True, text=True)
    for page_text in text.stdout.rstrip("\f").split("\f"):
        assert "CCU/2026/117" in page_text
    assert "Karim Uddin" in text.stdout
    assert "Karim Uddin" in table.read_text(encoding="utf-8-sig")
    with pg(server.db).cursor() as cr:
        cr.execute(
            "SELECT l.action, u.login, l.row_count, l.sha256 FROM isp_address_log l"
            " JOIN res_users u ON u.id = l.user_id ORDER BY l.id"
        )
        assert cr.fetchall() == [
            ("search", "omar", 1, None),
            ("pdf", "omar", 1, hashlib.sha256(pdf.read_bytes()).hexdigest()),
            ("csv", "omar", 1, hashlib.sha256(table.read_bytes()).hexdigest()),
        ]
