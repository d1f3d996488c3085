"""Nagad's client against a strict simulator: what it sends, what it refuses to believe."""

import base64
import contextlib
import json
import re
import secrets
import socket
import threading
import time
from datetime import datetime, timezone
from decimal import Decimal

import pytest
import requests

from gateways import nagad_crypto
from gateways.common import (
    CANCELED,
    FAILED,
    HELD,
    PAID,
    PENDING,
    Misconfigured,
    Refused,
    Unknown,
)
from gateways.nagad import NagadClient, Started, ipv4
from simulators.gateways import nagad as simulator
from simulators.gateways.base import Answer
from simulators.gateways.nagad import Nagad

MERCHANT = "683000000000001"
CALLBACK = "https://isp.example/payment/nagad/return/abc?lang=bn"
AMOUNT = Decimal("500.00")
PRIVATE, PUBLIC = nagad_crypto.new_key_pair()
OTHER_PRIVATE, OTHER_PUBLIC = nagad_crypto.new_key_pair()


@pytest.fixture(scope="module")
def server():
    with Nagad() as running:
        running.add_merchant(MERCHANT, PUBLIC)
        yield running


@pytest.fixture
def nagad(server):
    yield server
    server.faults.clear()
    server.refuse_connections(False)
    server.clock.offset_s = 0


def client_of(nagad, **changes):
    options = {
        "base_url": nagad.api_url,
        "merchant_id": MERCHANT,
        "private_key": PRIVATE,
        "nagad_key": nagad.public_key,
        "server_ip": "203.0.113.7",
        "timeout": 20,
    }
    return NagadClient(**{**options, **changes})


@pytest.fixture
def client(nagad):
    return client_of(nagad)


def now_of(nagad):
    return datetime.fromtimestamp(nagad.clock(), timezone.utc)


def new_order_id():
    return secrets.token_hex(8).upper()


def started(nagad, client, amount=AMOUNT, order_id=None):
    """Return ``(order id, Started)`` of a payment whose page is open to the customer."""
    order_id = order_id or new_order_id()
    begun = client.initialise(order_id, now_of(nagad))
    client.complete(begun, order_id, amount, CALLBACK)
    return order_id, begun


def paid(nagad, client, amount=AMOUNT):
    order_id, begun = started(nagad, client, amount)
    nagad.choose(begun.payment_id, "pay")
    return order_id, begun.payment_id


# === PAYING === #


def test_a_payment_from_start_to_the_verified_answer(nagad, client):
    order_id = new_order_id()
    begun = client.initialise(order_id, now_of(nagad), customer_ip="103.15.40.9")
    page = client.complete(begun, order_id, AMOUNT, CALLBACK, customer_ip="103.15.40.9")
    assert client.verify(begun.payment_id).status == PENDING

    assert "500.00" in requests.get(page, timeout=5).text
    click = {"choice": "pay", "wallet": "01712345678", "pin": "1234"}
    back = requests.post(page, data=click, timeout=5, allow_redirects=False)

    assert back.headers["Location"].startswith(f"{CALLBACK}&merchant={MERCHANT}&order_id=")
    verified = client.verify(begun.payment_id)
    assert (verified.status, verified.order_id, verified.merchant) == (PAID, order_id, MERCHANT)
    assert (verified.payment_id, verified.amount) == (begun.payment_id, AMOUNT)
    assert (verified.currency, verified.payer, verified.reason) == ("BDT", "017****5678", "")
    assert verified.reference == nagad.payments[begun.payment_id].reference
    assert {one.headers["X-KM-IP-V4"] for one in nagad.received("complete")} == {"103.15.40.9"}


@pytest.mark.parametrize(
    ("choice", "status"), [("fail", FAILED), ("cancel", CANCELED), ("close", PENDING)]
)
def test_what_the_customer_does_on_the_page(nagad, client, choice, status):
    _order_id, begun = started(nagad, client)
    page = f"{nagad.url}/check-out/{begun.payment_id}"
    requests.post(
        page,
        data={"choice": choice, "wallet": "01712345678", "pin": "1234"},
        timeout=5,
        allow_redirects=False,
    )
    assert client.verify(begun.payment_id).status == status


def test_the_page_asks_again_for_a_wrong_wallet_or_pin(nagad, client):
    _order_id, begun = started(nagad, client)
    page = f"{nagad.url}/check-out/{begun.payment_id}"
    for wallet, pin in (("0171234", "1234"), ("01712345678", "0000")):
        answer = requests.post(
            page, data={"choice": "pay", "wallet": wallet, "pin": pin}, timeout=5
        )
        assert 'role="alert"' in answer.text
    assert client.verify(begun.payment_id).status == PENDING


@pytest.mark.parametrize(
    ("word", "money", "code", "status"),
    [
        ("Initiated", False, "", PENDING),
        ("Ready", False, "", PENDING),
        ("OtpSent", False, "", PENDING),
        ("UnKnownFailed", False, "", PENDING),
        ("SomethingNew", False, "", PENDING),
        ("", False, "", PENDING),
        ("Success", True, "000", PAID),
        ("Success", True, "001", PENDING),
        ("Success", True, None, PENDING),
        ("success", True, "000", PENDING),
        ("Failed", False, "", FAILED),
        ("Aborted", False, "", CANCELED),
        ("Cancelled", False, "", CANCELED),
        ("Cancelled", True, "", CANCELED),
        ("PartialCancelled", True, "", HELD),
        ("Fraud", False, "", FAILED),
        ("Fraud", True, "", HELD),
    ],
)
def test_every_status_word(nagad, client, word, money, code, status):
    _order_id, payment_id = paid(nagad, client)
    change = {"status": word, "statusCode": code}
    if not money:
        change["issuerPaymentRefNo"] = None
    nagad.faults.add("verify", change=change)
    verified = client.verify(payment_id)
    assert verified.status == status
    assert verified.reason or status == PAID
    # Who has typed in a wallet and not agreed may still go elsewhere.
    assert bool(verified.payer) == (word not in ("Initiated", "Ready", "OtpSent"))


# === WHAT IS SENT === #


def test_the_time_is_padded_and_that_of_dhaka(nagad, client):
    moment = datetime(2027, 1, 2, 21, 4, 5, tzinfo=timezone.utc)
    nagad.clock.advance(moment.timestamp() - nagad.clock())
    order_id = new_order_id()
    begun = client.initialise(order_id, moment)
    request = nagad.received("initialize")[-1]
    # The simulator compares it with the encrypted one.
    assert request.json()["dateTime"] == "20270103030405"
    with pytest.raises(ValueError, match="aware"):
        client.initialise(new_order_id(), moment.replace(tzinfo=None))
    assert begun.challenge == nagad.payments[begun.payment_id].challenge


@pytest.mark.parametrize("seconds", [-3600, 3600, 6 * 3600])
def test_a_wrong_clock_is_refused_and_named(nagad, client, seconds):
    moment = datetime.fromtimestamp(nagad.clock() + seconds, timezone.utc)
    with pytest.raises(Misconfigured, match="clock of this server"):
        client.initialise(new_order_id(), moment)


def test_the_account_number_is_sent_where_a_contract_wants_it(nagad):
    started(nagad, client_of(nagad, account_number="01900000000"))
    assert nagad.received("initialize")[-1].json()["accountNumber"] == "01900000000"
    started(nagad, client_of(nagad))
    assert "accountNumber" not in nagad.received("initialize")[-1].json()


@pytest.mark.parametrize("order_id", ["AB12", "A" * 21, "INV/2026/1", "A-B-C-D", "অর্ডার", ""])
def test_an_order_id_that_nagad_refuses_is_not_sent(nagad, client, order_id):
    before = len(nagad.received())
    with pytest.raises(ValueError, match="order id"):
        client.initialise(order_id, now_of(nagad))
    assert len(nagad.received()) == before


def test_an_order_id_is_used_once(nagad, client):
    order_id, _begun = started(nagad, client)
    with pytest.raises(Refused, match="Duplicate order ID") as raised:
        client.initialise(order_id, now_of(nagad))
    assert raised.value.code == "DuplicateOrderId"


@pytest.mark.parametrize("amount", [Decimal("0.001"), Decimal("-1"), Decimal("1.005")])
def test_an_amount_that_is_no_money_is_not_sent(nagad, client, amount):
    begun = client.initialise("ORDER" + secrets.token_hex(5), now_of(nagad))
    before = len(nagad.received())
    with pytest.raises(ValueError, match="amount"):
        client.complete(begun, "ORDER", amount, CALLBACK)
    assert len(nagad.received()) == before


def test_the_challenge_of_the_first_step_is_needed_in_the_second(nagad, client):
    order_id = new_order_id()
    begun = client.initialise(order_id, now_of(nagad))
    with pytest.raises(Misconfigured, match="Please verify provided data"):
        client.complete(Started(begun.payment_id, "0" * 40), order_id, AMOUNT, CALLBACK)
    with pytest.raises(Misconfigured, match="Please verify provided data"):
        client.complete(begun, new_order_id(), AMOUNT, CALLBACK)
    client.complete(begun, order_id, AMOUNT, CALLBACK)
    with pytest.raises(Refused, match="cannot become Ready"):
        client.complete(begun, order_id, Decimal("1.00"), CALLBACK)


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("103.15.40.9", "103.15.40.9"),
        ("::ffff:103.15.40.9", "103.15.40.9"),
        ("2001:db8::1", "203.0.113.7"),
        ("10.20.30.40", "203.0.113.7"),
        ("100.64.1.2", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7"),
        ("103.15.40.9, 10.0.0.1", "203.0.113.7"),
        ("", "203.0.113.7"),
        (None, "203.0.113.7"),
    ],
)
def test_the_address_sent_is_always_ipv4(address, sent):
    assert ipv4(address, "203.0.113.7") == sent


def test_without_any_ipv4_address_the_setting_is_named():
    with pytest.raises(Misconfigured, match="public IPv4 address of this server"):
        ipv4("2001:db8::1", "2001:db8::2")


# === WHAT COMES BACK === #


def test_longest_messages_of_all_calls_fit(nagad, client):
    """20 digits of merchant, 20 of order, 12 of amount; a long reason is cut to what is left."""
    merchant = "9" * 20
    nagad.add_merchant(merchant, PUBLIC)
    long = client_of(nagad, merchant_id=merchant)
    amount = Decimal("999999999999.99")
    order_id, begun = started(nagad, long, amount, secrets.token_hex(10).upper())
    nagad.choose(begun.payment_id, "pay")
    refund = long.refund(
        begun.payment_id,
        order_id,
        paid=amount,
        amount=amount,
        reference="R" * 20,
        reason="টাকা ফেরত " * 40,
    )
    assert refund.status == PAID
    assert nagad.payments[begun.payment_id].refunds[0]["referenceMessage"].startswith("টাকা ফেরত")


@pytest.mark.parametrize("call", ["initialize", "cancel"])
def test_an_answer_that_nagad_did_not_sign_is_ignored(nagad, client, call):
    order_id, payment_id = paid(nagad, client)
    nagad.faults.add(call, forge=True)
    with pytest.raises(Unknown, match="not signed by Nagad"):
        if call == "initialize":
            client.initialise(new_order_id(), now_of(nagad))
        else:
            refund(nagad, client, order_id, payment_id)


@pytest.mark.parametrize("name", ["sensitiveData", "signature"])
@pytest.mark.parametrize("value", [None, "", "AAAA", 7, {"a": 1}])
def test_each_part_of_a_signed_answer_is_needed(nagad, client, name, value):
    nagad.faults.add("initialize", change={name: value})
    with pytest.raises((Unknown, Misconfigured)):
        client.initialise(new_order_id(), now_of(nagad))


# === SETTINGS === #


def test_ones_own_key_is_not_taken_for_nagads(nagad):
    with pytest.raises(Misconfigured, match="is the merchant's own one"):
        client_of(nagad, nagad_key=PUBLIC).initialise(new_order_id(), now_of(nagad))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"private_key": OTHER_PRIVATE}, "does not fit the public key that Nagad has"),
        ({"nagad_key": OTHER_PUBLIC}, "entered as Nagad's public key is not Nagad's"),
        ({"merchant_id": "683000000000099"}, "merchant ID is not accepted"),
    ],
)
def test_each_wrong_setting_is_named(nagad, changes, words):
    with pytest.raises(Misconfigured, match=words):
        client_of(nagad, **changes).initialise(new_order_id(), now_of(nagad))


def test_an_answer_for_another_merchant_names_the_key(nagad, monkeypatch):
    """Nagad took the signature, yet encrypts for an older key."""
    other = simulator.serialization.load_der_public_key(base64.b64decode(OTHER_PUBLIC))
    monkeypatch.setattr(
        nagad, "_sealed", lambda _request, _merchant, values: _sealed(nagad, other, values)
    )
    with pytest.raises(Misconfigured, match="hand Nagad the public key"):
        client_of(nagad).initialise(new_order_id(), now_of(nagad))


def _sealed(nagad, key, values):
    clear = json.dumps(values).encode()
    pkcs = simulator.padding.PKCS1v15()
    signature = nagad._key.sign(clear, pkcs, simulator.hashes.SHA256())
    sealed = key.encrypt(clear, pkcs)
    return {
        "sensitiveData": base64.b64encode(sealed).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


# === WHAT GOES WRONG === #

WAF = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected."
    " Please consult with your administrator.<br><br>Your support ID is: 1234567890123</body></html>"
)
# Clients of these tests do not wait long; all others must not fail on a busy machine.
IMPATIENT = {"slow": 1, "late": 1}
FAULTS = {
    "slow": {"slow_s": 1.4},
    "late": {"late_s": 1.4},
    "lost": {"lose": True},
    "dropped": {"drop": True},
    "down": {"status": 503},
    "HTML, done": {"html": True},
    "HTML, undone": {"html": "undone"},
    "a list": {"answer": ["x"]},
    "nothing": {"answer": {}},
}


def refund(nagad, client, order_id, payment_id, amount=AMOUNT, reference=None, known=()):
    return client.refund(
        payment_id,
        order_id,
        paid=AMOUNT,
        amount=amount,
        reference=reference or new_order_id(),
        known=known,
    )


@pytest.mark.parametrize("call", ["initialize", "complete", "cancel"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_a_call_is_an_unknown_outcome(nagad, client, call, fault):
    order_id, payment_id = paid(nagad, client)
    begun = client.initialise(other := new_order_id(), now_of(nagad))
    nagad.faults.add(call, **FAULTS[fault])
    client = client_of(nagad, timeout=IMPATIENT.get(fault, 20))
    # An empty answer to complete is readable and says no page: nothing moved.
    wanted = Unknown if (call, fault) != ("complete", "nothing") else Refused
    if (call, fault) == ("initialize", "nothing"):
        wanted = Misconfigured
    with pytest.raises(wanted):
        {
            "initialize": lambda: client.initialise(new_order_id(), now_of(nagad)),
            "complete": lambda: client.complete(begun, other, AMOUNT, CALLBACK),
            "cancel": lambda: refund(nagad, client, order_id, payment_id),
        }[call]()


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "nothing"])
def test_every_fault_of_a_question_is_an_unknown_outcome(nagad, client, fault):
    _order_id, payment_id = paid(nagad, client)
    hasty = client_of(nagad, timeout=IMPATIENT.get(fault, 20))
    for ask in (hasty.verify, hasty.ask_refund):
        nagad.faults.add("verify", **FAULTS[fault])
        with pytest.raises(Unknown):
            ask(payment_id)
    assert client.verify(payment_id).status == PAID


def test_an_empty_answer_to_a_question_leaves_it_open(nagad, client):
    _order_id, payment_id = paid(nagad, client)
    nagad.faults.add("verify", answer={}, times=2)
    assert client.verify(payment_id).status == PENDING
    assert client.ask_refund(payment_id).status == PENDING


@pytest.mark.parametrize(
    "name", ["orderId", "paymentRefId", "merchantId", "amount", "issuerPaymentRefNo"]
)
def test_paid_without_saying_for_what_is_not_paid(nagad, client, name):
    _order_id, payment_id = paid(nagad, client)
    for value in (None, ""):
        nagad.faults.add("verify", change={name: value})
        with pytest.raises(Unknown, match="leaves out what for"):
            client.verify(payment_id)


@pytest.mark.parametrize("amount", ["5e2", "500,00", "NaN", "-500.00", "500.001", "five", [], True])
def test_an_amount_that_cannot_be_read_is_not_guessed(nagad, client, amount):
    _order_id, payment_id = paid(nagad, client)
    nagad.faults.add("verify", change={"amount": amount})
    with pytest.raises(Unknown, match="amount that cannot be read"):
        client.verify(payment_id)


@pytest.mark.parametrize(("sent", "read"), [("16", "16"), (500.5, "500.5"), (500, "500")])
def test_amounts_are_read_exactly(nagad, client, sent, read):
    _order_id, payment_id = paid(nagad, client)
    nagad.faults.add("verify", change={"amount": sent})
    assert client.verify(payment_id).amount == Decimal(read)


def test_a_changed_amount_is_reported_as_it_is(nagad, client):
    """Whether it is the right one is decided by the one who knows what was to be paid."""
    _order_id, payment_id = paid(nagad, client)
    nagad.faults.add("verify", change={"amount": "1.00"})
    assert client.verify(payment_id).amount == Decimal("1.00")


def test_a_refusal_to_answer_says_nothing_of_the_payment(nagad, client):
    """Also a payment that Nagad does not know stays open: it may be asked about the wrong way."""
    for ask in (client.verify, client.ask_refund):
        with pytest.raises(Unknown, match="Invalid payment reference ID") as raised:
            ask("unknown/=")
        assert raised.value.code == "InvalidReferenceId"


def test_nothing_listens(nagad, client):
    nagad.refuse_connections(True)
    with pytest.raises(Unknown, match="cannot be reached"):
        client.verify("x")


def test_a_time_out_is_told_from_a_broken_line(nagad):
    nagad.faults.add("verify", slow_s=1.4)
    with pytest.raises(Unknown, match="does not answer") as raised:
        client_of(nagad, timeout=1).verify("x")
    assert raised.value.code == "timeout"


def test_the_firewall_is_named_with_its_support_id(nagad, client, monkeypatch):
    monkeypatch.setattr(nagad, "dispatch", lambda _request: Answer(WAF))
    with pytest.raises(Unknown, match="firewall.*support ID is 1234567890123") as raised:
        client.initialise(new_order_id(), now_of(nagad))
    assert raised.value.code == "firewall"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_is_not_let_in_is_told_what_to_ask_for(nagad, client, monkeypatch, status):
    monkeypatch.setattr(nagad, "dispatch", lambda _request: Answer("no", status))
    with pytest.raises(Misconfigured, match="allow this server's IP address"):
        client.initialise(new_order_id(), now_of(nagad))


def test_a_redirect_is_not_followed(nagad, client, monkeypatch):
    _order_id, payment_id = paid(nagad, client)
    dispatch = nagad.dispatch

    def elsewhere(request):
        if request.query:
            return dispatch(request)
        return Answer("", 302, {"Location": f"{nagad.url}{request.path}?there=1"})

    monkeypatch.setattr(nagad, "dispatch", elsewhere)
    with pytest.raises(Unknown, match="no readable answer"):
        client.verify(payment_id)


def test_an_endless_answer_is_cut(nagad, client, monkeypatch):
    monkeypatch.setattr(
        nagad, "dispatch", lambda _request: Answer('{"a": "' + "x" * 200_000 + '"}')
    )
    with pytest.raises(Unknown, match="no readable answer"):
        client.verify("x")


@pytest.mark.parametrize(
    "answered",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{", b""],
    ids=["trickles", "stops"],
)
def test_an_answer_that_trickles_or_stops_ends_with_the_time_out(nagad, answered):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_trickle, args=(listener, answered), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/dfs/"
        begun = time.monotonic()
        with pytest.raises(Unknown, match="does not answer"):
            client_of(nagad, base_url=url, timeout=1).verify("x")
        assert time.monotonic() - begun < 5


def _trickle(listener, answered):
    """Answer a byte at a time, for much longer than the client waits."""
    with contextlib.suppress(OSError):
        connection, _address = listener.accept()
        with connection:
            connection.sendall(answered)
            for _byte in range(100 if answered else 0):
                time.sleep(0.2)
                connection.sendall(b" ")
            time.sleep(10)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "", "/pay", "http:///x", "ftp://nagad.example/", "http://[", 5]
)
def test_a_page_that_a_browser_must_not_open_is_refused(nagad, client, url):
    order_id = new_order_id()
    begun = client.initialise(order_id, now_of(nagad))
    nagad.faults.add("complete", change={"callBackUrl": url})
    with pytest.raises(Unknown):
        client.complete(begun, order_id, AMOUNT, CALLBACK)


def test_devmessages_and_secrets_stay_out_of_words_and_log(nagad, caplog):
    caplog.set_level("DEBUG")
    with pytest.raises(Misconfigured) as raised:
        client_of(nagad, private_key=OTHER_PRIVATE).initialise(new_order_id(), now_of(nagad))
    assert "Caused by" not in str(raised.value)
    order_id, payment_id = paid(nagad, client_of(nagad))
    sent = nagad.received("initialize")[-1].json()
    for secret in (PRIVATE[100:140], OTHER_PRIVATE[100:140], sent["signature"], order_id):
        assert secret not in "".join(
            record.getMessage() for record in caplog.records if record.name.startswith("gateways")
        )
    assert any("Nagad check-out: HTTP 200" in record.getMessage() for record in caplog.records)


# === REFUNDS === #


def test_a_refund_in_parts_and_no_more_than_was_paid(nagad, client):
    order_id, payment_id = paid(nagad, client)
    first = refund(nagad, client, order_id, payment_id, Decimal("200.00"))
    known = [first.reference]
    second = refund(nagad, client, order_id, payment_id, Decimal("300.00"), known=known)
    assert (first.status, first.amount) == (PAID, Decimal("200.00"))
    assert first.reference and second.reference and first.reference != second.reference
    assert nagad.payments[payment_id].given_back == AMOUNT
    with pytest.raises(Refused, match="Cancelled"):
        refund(nagad, client, order_id, payment_id, Decimal("1.00"), known=[second.reference])


def test_a_refund_larger_than_the_rest_is_refused(nagad, client):
    order_id, payment_id = paid(nagad, client)
    with pytest.raises(Refused, match="exceeds the paid amount"):
        refund(nagad, client, order_id, payment_id, Decimal("500.01"))
    assert nagad.payments[payment_id].given_back == 0


def test_a_refund_whose_answer_is_lost_is_found_by_asking(nagad, client):
    order_id, payment_id = paid(nagad, client)
    known = [refund(nagad, client, order_id, payment_id, Decimal("100.00")).reference]
    assert client.ask_refund(payment_id, known).status == PENDING
    nagad.faults.add("cancel", lose=True)
    with pytest.raises(Unknown):
        refund(nagad, client, order_id, payment_id, Decimal("50.00"), known=known)
    found = client.ask_refund(payment_id, known)
    assert (found.status, found.reference) == (PAID, nagad.payments[payment_id].refunds[-1]["id"])
    assert nagad.payments[payment_id].given_back == Decimal("150.00")


def test_a_refund_that_was_not_made_here_stops_the_next(nagad, client):
    order_id, payment_id = paid(nagad, client)
    refund(nagad, client, order_id, payment_id, Decimal("50.00"))
    with pytest.raises(Refused, match="was not made here"):
        refund(nagad, client, order_id, payment_id, Decimal("50.00"))
    assert nagad.payments[payment_id].given_back == Decimal("50.00")


@pytest.mark.parametrize("fault", ["slow", "lost", "down", "HTML, done"])
def test_a_refund_is_not_sent_while_the_payment_cannot_be_asked_about(nagad, client, fault):
    order_id, payment_id = paid(nagad, client)
    before = len(nagad.received("cancel"))
    nagad.faults.add("verify", **FAULTS[fault])
    hasty = client_of(nagad, timeout=IMPATIENT.get(fault, 20))
    with pytest.raises(Refused, match="nothing was sent"):
        refund(nagad, hasty, order_id, payment_id)
    assert len(nagad.received("cancel")) == before


def test_own_refunds_leave_a_payment_paid_and_others_do_not(nagad, client):
    order_id, payment_id = paid(nagad, client)
    part = refund(nagad, client, order_id, payment_id, Decimal("200.00")).reference
    assert client.verify(payment_id, [part]).status == PAID
    assert client.verify(payment_id).status == HELD
    rest = refund(nagad, client, order_id, payment_id, Decimal("300.00"), known=[part]).reference
    assert client.verify(payment_id, [part, rest]).status == PAID
    canceled = client.verify(payment_id, [part])
    assert (canceled.status, canceled.reason) == (CANCELED, "Paid and given back at Nagad")


def test_the_day_sent_with_a_refund_is_dhakas_day_of_the_payment(nagad, client):
    late = datetime(2027, 3, 31, 20, 0, tzinfo=timezone.utc)  # 1 April, 02:00 in Dhaka
    nagad.clock.advance(late.timestamp() - nagad.clock())
    order_id, payment_id = paid(nagad, client)
    nagad.clock.advance(3 * 86400)
    assert refund(nagad, client, order_id, payment_id).status == PAID
    assert nagad.payments[payment_id].refunds[0]["originalRequestDate"] == "20270401"
    nagad.faults.add("verify", change={"issuerPaymentDateTime": None, "cancelIssuerRefNo": None})
    with pytest.raises(Refused, match="does not say when"):
        refund(nagad, client, order_id, payment_id)


# === THE SIMULATOR IS STRICT === #


def test_the_simulator_refuses_missing_headers(nagad, client, monkeypatch):
    send = requests.request
    for name in ("X-KM-Api-Version", "X-KM-IP-V4", "X-KM-Client-Type"):

        def without(*args, headers, name=name, **kwargs):
            headers = {key: value for key, value in headers.items() if key != name}
            return send(*args, headers=headers, **kwargs)

        monkeypatch.setattr(requests, "request", without)
        with pytest.raises((Refused, Misconfigured), match="Invalid"):
            client.initialise(new_order_id(), now_of(nagad))


def test_the_simulator_takes_no_odd_order_id(nagad, client, monkeypatch):
    monkeypatch.setattr("gateways.nagad.ORDER_ID", re.compile(".*"))
    for order_id in ("AB12", "A" * 21, "INV-2026-1"):
        with pytest.raises(Refused, match="Invalid order ID"):
            client.initialise(order_id, now_of(nagad))


def test_the_simulator_takes_no_sha1_signature(nagad, client, monkeypatch):
    key = nagad_crypto.load_private_key(PRIVATE)
    seal = client._envelope.seal

    def with_sha1(values):
        pkcs, sha1 = simulator.padding.PKCS1v15(), simulator.hashes.SHA1()
        signature = key.sign(nagad_crypto.compact(values), pkcs, sha1)
        return seal(values)[0], base64.b64encode(signature).decode()

    monkeypatch.setattr(client._envelope, "seal", with_sha1)
    with pytest.raises(Misconfigured, match="Signature verification failed"):
        client.initialise(new_order_id(), now_of(nagad))


def test_the_simulator_knows_no_replayed_request(nagad, client):
    client.initialise(new_order_id(), now_of(nagad))
    request = nagad.received("initialize")[-1]
    answer = requests.post(
        f"{nagad.url}{request.path}", data=request.body, headers=dict(request.headers), timeout=5
    )
    assert answer.status_code == 400
