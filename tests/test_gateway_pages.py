"""The pay page of the simulated bKash, clicked in a browser as wide as a phone."""

import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from simulators.gateways.bkash import Bkash
from simulators.gateways.bkash_state import Payment


@pytest.fixture
def shop():
    """A shop on loopback; ``shop.visits`` is what browsers asked it for."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.visits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Welcome back")

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.visits = []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 360, "height": 640})
    yield page
    page.close()


def new_payment(gateway, shop):
    callback = f"http://127.0.0.1:{shop.server_address[1]}/return/key"
    payment = Payment("TR1", "0011", "C1", callback, gateway.clock(), Decimal(500), "ORDER1")
    gateway.payments[payment.id] = payment
    return payment


@pytest.mark.parametrize(
    ("button", "status", "customer"),
    [
        ("Pay", "success", "confirmed"),
        ("Pay without enough money", "failure", "failed"),
        ("Cancel", "cancel", "canceled"),
        ("Close the page without paying", None, "new"),
        ("Pay, then close the page", None, "confirmed"),
    ],
)
def test_every_button_of_the_page(page, shop, button, status, customer):
    with Bkash() as gateway:
        payment = new_payment(gateway, shop)
        page.goto(gateway.pay_url(payment.id))
        assert page.get_by_text("৳ 500.00").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("button", name=button, exact=True).click()
        page.get_by_text("Welcome back" if status else "You can close this page").wait_for()
        assert payment.customer == customer
    returns = [parse_qs(urlsplit(path).query) for path in shop.visits if "return" in path]
    assert [(one["paymentID"], one["status"]) for one in returns] == (
        [(["TR1"], [status])] if status else []
    )


def test_a_wrong_pin_is_told_and_the_page_stays(page, shop):
    with Bkash() as gateway:
        payment = new_payment(gateway, shop)
        page.goto(gateway.pay_url(payment.id))
        page.get_by_label("PIN").fill("99999")
        page.get_by_role("button", name="Pay", exact=True).click()
        assert page.get_by_role("alert").text_content() == "Wrong PIN"
        page.get_by_label("PIN").fill("12121")
        page.get_by_role("button", name="Pay", exact=True).click()
        page.get_by_text("Welcome back").wait_for()
        assert payment.customer == "confirmed"
