"""The SSLCommerz simulator as a browser and a shop see it: its page, its messages, its faults."""

import html
import re
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest
import requests

from gateways.sslcommerz import SslcommerzClient
from gateways.sslcommerz_session import Order
from gateways.sslcommerz_sign import Forged
from simulators.gateways.sslcommerz import (
    REQUIRED,
    SESSION_LIFE_S,
    STORE_ID,
    STORE_PASSWD,
    Sslcommerz,
)


@pytest.fixture
def shop():
    """A shop that keeps the notifications it gets, as dictionaries."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(dict(parse_qsl(body.decode(), keep_blank_values=True)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.heard = heard
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway():
    with Sslcommerz() as simulator:
        yield simulator


@pytest.fixture
def client(gateway):
    return SslcommerzClient(STORE_ID, STORE_PASSWD, gateway.url, answer_s=5)


@pytest.fixture
def page(client, shop):
    order = Order(
        order_id="ORDER0000000001",
        amount=Decimal("500.00"),
        currency="BDT",
        success_url=f"{shop.url}/success",
        fail_url=f"{shop.url}/fail",
        cancel_url=f"{shop.url}/cancel",
        ipn_url=f"{shop.url}/ipn",
        merchant_email="accounts@isp.example",
        merchant_phone="+8809612000000",
    )
    return client.open_session(order)


def click(page, choice):
    """Press a button of the pay page."""
    shown = requests.get(page.url, timeout=5)
    assert f'value="{choice}"' in shown.text
    return requests.post(page.url, data={"choice": choice, "card": "visa"}, timeout=5)


def posted_back(response):
    """Return the address and the fields by which the browser returns to the shop."""
    inputs = re.findall(r'name="([^"]+)" value="([^"]*)"', response.text)
    url = re.search(r'action="([^"]+)"', response.text)[1]
    return html.unescape(url), {name: html.unescape(value) for name, value in inputs}


@pytest.mark.parametrize(
    ("choice", "path", "status"),
    [
        ("pay", "success", "VALID"),
        ("pay_risk", "success", "VALID"),
        ("fail", "fail", "FAILED"),
        ("cancel", "cancel", "CANCELLED"),
    ],
)
def test_the_browser_and_the_notification_bring_the_same(
    gateway, client, shop, page, choice, path, status
):
    url, fields = posted_back(click(page, choice))
    assert url == f"{shop.url}/{path}"
    signed = client.signed_fields(fields)
    assert (signed["status"], signed["tran_id"]) == (status, "ORDER0000000001")
    assert ("val_id" in signed) == (status == "VALID")
    assert signed["risk_level"] == ("1" if choice == "pay_risk" else "0")
    gateway.notifier.wait(1)
    assert client.signed_fields(shop.heard[0]) == signed


def test_a_browser_that_is_closed(gateway, client, shop, page):
    assert "close this page" in click(page, "close").text
    assert not gateway.sessions[page.key].attempts
    assert "close this page" in click(page, "pay_close").text
    gateway.notifier.wait(1)
    assert client.signed_fields(shop.heard[0])["status"] == "VALID"


def test_failing_and_trying_again_on_the_page(gateway, client, shop, page):
    assert "Try again" in click(page, "fail_stay").text
    gateway.notifier.wait(1)
    assert client.signed_fields(posted_back(click(page, "pay"))[1])["status"] == "VALID"
    gateway.notifier.wait(2)
    assert [one["status"] for one in shop.heard] == ["FAILED", "VALID"]


def test_a_page_that_is_over_or_never_was(gateway, client, shop, page):
    click(page, "cancel")
    assert requests.get(page.url, timeout=5).status_code == 410
    assert requests.get(f"{gateway.url}/EasyCheckOut/NONE", timeout=5).status_code == 404


def test_sessions_that_end_are_told(gateway, client, shop, page):
    gateway.clock.advance(SESSION_LIFE_S + 1)
    assert requests.get(page.url, timeout=5).status_code == 410
    gateway.close_sessions()
    gateway.close_sessions()
    gateway.notifier.wait(1)
    assert [client.signed_fields(one)["status"] for one in shop.heard] == ["EXPIRED"]


def test_faults_of_notifications(gateway, client, shop, page):
    gateway.faults.add("notify", repeat=3)
    gateway.faults.add("notify", hold=True)
    gateway.faults.add("notify", change={"amount": "1.00"})
    gateway.faults.add("notify", tamper={"amount": "1.00"})
    gateway.faults.add("notify", forge=True)
    gateway.faults.add("notify", lose=True)
    waits = (3, 3, 5, 6, 7, 7)
    for number in waits:
        gateway.pay(page.key, "fail")
        gateway.notifier.wait(number)
    assert [one["amount"] for one in shop.heard] == ["500.00"] * 3 + [
        *("1.00", "500.00"),  # changed and signed; the one that was held back
        *("1.00", "500.00"),  # tampered with; forged
    ]
    for one in shop.heard[:5]:
        client.signed_fields(one)
    for one in shop.heard[5:]:
        with pytest.raises(Forged):
            client.signed_fields(one)


@pytest.mark.parametrize("fault", [{"forge": True}, {"tamper": {"status": "VALID"}}])
def test_faults_of_the_return(gateway, client, page, fault):
    gateway.faults.add("choose", **fault)
    with pytest.raises(Forged):
        client.signed_fields(posted_back(click(page, "fail"))[1])


@pytest.mark.parametrize("name", [*REQUIRED])
def test_a_session_needs_every_field(gateway, client, page, name):
    sent = gateway.received("session")[0].form() | {"tran_id": "ORDER0000000002"}
    for wrong in ({name: ""}, {name: "x" * (REQUIRED[name] + 1)}):
        answer = requests.post(
            f"{gateway.url}/gwprocess/v4/api.php", data=sent | wrong, timeout=5
        ).json()
        assert answer["status"] == "FAILED"
        assert answer["failedreason"]
    assert len(gateway.sessions) == 1


def test_over_http(gateway, page):
    state = requests.get(f"{gateway.url}/_control", timeout=5).json()
    assert state["state"]["sessions"][page.key]["tran_id"] == "ORDER0000000001"
    done = requests.post(
        f"{gateway.url}/_control/do/pay", json={"key": page.key, "choice": "pay"}, timeout=5
    ).json()
    assert done["result"][1]["status"] == "VALID"
