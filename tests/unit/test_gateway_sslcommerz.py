"""SSLCommerz: signatures, what is sent, and what the answers mean, against the simulator."""

import logging
import socket
import threading
import time
from contextlib import suppress
from decimal import Decimal

import pytest

from gateways.common import (
    CANCELED,
    EXPIRED,
    FAILED,
    HELD,
    PAID,
    PENDING,
    Misconfigured,
    Refused,
    Unknown,
)
from gateways.sslcommerz import SslcommerzClient, mask_payer
from gateways.sslcommerz_session import Order, session_fields
from gateways.sslcommerz_sign import Forged, sign, signed_fields
from simulators.gateways.base import Answer
from simulators.gateways.sslcommerz import (
    OPTIONAL,
    REQUIRED,
    SESSION_LIFE_S,
    STORE_ID,
    STORE_PASSWD,
    VAL_ID_LIFE_S,
    Sslcommerz,
)
from simulators.gateways.sslcommerz_refunds import REFUND_S

# The vector of the reference, computed independently of this code.
VECTOR = {
    "amount": "500.00",
    "currency": "BDT",
    "status": "VALID",
    "store_id": "teststore",
    "tran_id": "INV1001",
    "val_id": "2406011234abc",
    "value_a": "",
}
VECTOR_MD5 = "4e87fbb173b5efc7ca39055e71da316d"
VECTOR_SHA2 = "c3006f91e967a62b1525415e7708deba3e68c9776170c667d8e5f9e76b78c2cf"


def vector(**changes):
    message = {
        **VECTOR,
        "verify_key": ",".join(VECTOR),
        "verify_sign": VECTOR_MD5,
        "verify_sign_sha2": VECTOR_SHA2,
        **changes,
    }
    return {name: value for name, value in message.items() if value is not None}


def resigned(**changes):
    """A message changed, and signed again by somebody who knows the password."""
    message = vector(verify_sign=None, verify_sign_sha2=None, **changes)
    keys = message["verify_key"].split(",")
    message["verify_sign"] = sign(message, keys, "testpass", "md5")
    return message


def refused_for(message, words, store_id="teststore", password="testpass"):
    with pytest.raises(Forged, match=words):
        signed_fields(message, store_id, password)


def test_both_signatures_of_the_reference():
    assert sign(VECTOR, list(VECTOR), "testpass", "md5") == VECTOR_MD5
    assert sign(VECTOR, list(VECTOR), "testpass", "sha256") == VECTOR_SHA2
    assert signed_fields(vector(), "teststore", "testpass") == VECTOR
    assert signed_fields(vector(verify_sign_sha2=None), "teststore", "testpass") == VECTOR
    assert signed_fields(vector(verify_sign=None), "teststore", "testpass") == VECTOR


def test_only_signed_fields_are_handed_on():
    assert "card_no" not in signed_fields(vector(card_no="anything"), "teststore", "testpass")


@pytest.mark.parametrize("signatures", [{}, {"verify_sign_sha2": None}, {"verify_sign": None}])
@pytest.mark.parametrize("name", VECTOR)
def test_no_field_can_be_changed(name, signatures):
    refused_for(vector(**{name: VECTOR[name] + "1"}, **signatures), ".")
    refused_for(vector(**{name: None}, **signatures), "missing")


@pytest.mark.parametrize("name", ["tran_id", "amount", "status", "store_id", "currency", "val_id"])
def test_a_signature_that_leaves_out_what_matters_is_none(name):
    keys = ",".join(key for key in VECTOR if key != name)
    refused_for(resigned(verify_key=keys), f"leaves out: {name}")
    refused_for(resigned(**{name: ""}), "empty" if name != "status" else ".")


def test_a_failure_need_not_have_a_validation_id():
    keys = ",".join(key for key in VECTOR if key != "val_id")
    message = resigned(status="FAILED", val_id=None, verify_key=keys)
    assert signed_fields(message, "teststore", "testpass")["status"] == "FAILED"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verify_sign": None, "verify_sign_sha2": None}, "no signature"),
        ({"verify_sign": "", "verify_sign_sha2": ""}, "no signature"),
        ({"verify_sign": "0" * 32}, "does not fit"),
        ({"verify_sign_sha2": "0" * 64}, "does not fit"),
        ({"verify_sign": "৪e87"}, "does not fit"),
        ({"verify_key": None}, "leaves out"),
        ({"verify_key": "status"}, "leaves out"),
        ({"verify_key": ",".join([*VECTOR, "amount"])}, "not one the gateway makes"),
        ({"verify_key": ",".join([*VECTOR, "store_passwd"]), "store_passwd": "x"}, "not one"),
        ({"verify_key": ",".join([*VECTOR, *(f"k{n}" for n in range(99))])}, "not one"),
    ],
)
def test_signatures_that_are_none(changes, words):
    refused_for(vector(**changes), words)


def test_fields_cannot_be_hidden_in_the_value_of_another():
    """The signed text is not escaped: two messages could have one signature."""
    hidden = resigned(value_a="x&verify=1")
    refused_for(hidden, "read as two fields")
    kept = resigned(value_a="Standard & Chartered")
    assert signed_fields(kept, "teststore", "testpass")["value_a"] == "Standard & Chartered"


def test_a_message_for_another_store_or_password_is_refused():
    refused_for(resigned(store_id="otherstore"), "another store")
    refused_for(vector(), "does not fit", password="testpast")


# === AGAINST THE SIMULATOR === #


@pytest.fixture
def gateway():
    with Sslcommerz() as simulator:
        simulator.notifier.retry_after_s = ()
        yield simulator


@pytest.fixture
def client(gateway):
    return SslcommerzClient(STORE_ID, STORE_PASSWD, gateway.url, answer_s=5)


def order(order_id="ORDER0000000001", **changes):
    values = {
        "order_id": order_id,
        "amount": Decimal("500.00"),
        "currency": "BDT",
        "success_url": "http://127.0.0.1:9/payment/sslcommerz/return",
        "fail_url": "http://127.0.0.1:9/payment/sslcommerz/return",
        "cancel_url": "http://127.0.0.1:9/payment/sslcommerz/return",
        "ipn_url": "http://127.0.0.1:9/payment/sslcommerz/ipn",
        "merchant_email": "accounts@isp.example",
        "merchant_phone": "+880 9612-000000",
        **changes,
    }
    return Order(**values)


def test_a_payment_from_the_page_to_the_proof(gateway, client):
    session = client.open_session(order(name="রহিমা খাতুন", phone="01711-111111"))
    assert session.url == f"{gateway.url}/EasyCheckOut/{session.key}"
    asked = client.ask("ORDER0000000001", session.key)
    assert (asked.status, asked.payment_id) == (PENDING, session.key)
    _url, fields = gateway.pay(session.key, card="bkash")
    signed = client.signed_fields(fields)
    verified = client.ask(signed["tran_id"], session.key, signed["val_id"])
    assert verified.status == PAID
    assert verified.order_id == "ORDER0000000001"
    assert verified.reference == signed["bank_tran_id"]
    assert verified.merchant == STORE_ID
    assert (verified.amount, verified.currency) == (Decimal("500.00"), "BDT")
    assert verified.fee == Decimal("12.50")
    assert verified.payer == "017****0000"
    assert verified.method == "BKASH-BKash"
    # Asked again, by anybody and without a hint: the same.
    assert client.ask("ORDER0000000001", session.key) == verified
    assert gateway.sessions[session.key].attempts[0].validated_on


@pytest.mark.parametrize(
    ("choices", "status"),
    [
        ((), PENDING),
        (("pay",), PAID),
        (("pay_risk",), HELD),
        (("fail",), FAILED),
        (("cancel",), CANCELED),
        (("fail_stay", "pay"), PAID),
        (("pay", "fail"), PAID),
        (("fail", "fail"), FAILED),
    ],
)
@pytest.mark.parametrize("known", ["session", "order"])
def test_what_the_customer_did_is_what_we_hear(gateway, client, choices, status, known):
    session = client.open_session(order())
    for choice in choices:
        gateway.pay(session.key, choice)
    key = session.key if known == "session" else None
    assert client.ask("ORDER0000000001", key).status == status


def test_a_page_whose_time_is_over(gateway, client):
    session = client.open_session(order())
    gateway.clock.advance(SESSION_LIFE_S + 1)
    assert client.ask("ORDER0000000001", session.key).status == EXPIRED


def test_paid_twice_on_one_page_is_seen(gateway, client):
    session = client.open_session(order())
    first = client.signed_fields(gateway.pay(session.key)[1])
    gateway.clock.advance(60)
    second = client.signed_fields(gateway.pay(session.key)[1])
    verified = client.ask("ORDER0000000001", session.key)
    assert verified.reference == first["bank_tran_id"]
    assert [one.reference for one in verified.also] == [second["bank_tran_id"]]
    # The second was booked first: it stays the payment, the other one is further money.
    verified = client.ask(
        "ORDER0000000001", session.key, first["val_id"], reference=second["bank_tran_id"]
    )
    assert verified.reference == second["bank_tran_id"]
    assert [one.reference for one in verified.also] == [first["bank_tran_id"]]


def test_a_clean_payment_comes_before_a_risky_one(gateway, client):
    session = client.open_session(order())
    gateway.pay(session.key, "pay_risk")
    gateway.clock.advance(60)
    clean = client.signed_fields(gateway.pay(session.key)[1])
    verified = client.ask("ORDER0000000001", session.key)
    assert (verified.status, verified.reference) == (PAID, clean["bank_tran_id"])
    assert [one.status for one in verified.also] == [HELD]


@pytest.mark.parametrize("name", ["OTHER00000000001", None])
def test_an_answer_about_another_order_is_none(gateway, client, name):
    session = client.open_session(order())
    gateway.faults.add("query_session", change={"tran_id": name})
    with pytest.raises(Unknown, match="another order"):
        client.ask("ORDER0000000001", session.key)
    gateway.pay(session.key)
    gateway.sessions[session.key].attempts[0].fields["tran_id"] = name or ""
    with pytest.raises(Unknown, match="another order"):
        client.ask("ORDER0000000001")


def test_a_hint_of_another_order_counts_for_nothing(gateway, client):
    paid = client.open_session(order("OTHER00000000001"))
    other = client.signed_fields(gateway.pay(paid.key)[1])
    session = client.open_session(order())
    for hint in (other["val_id"], "0000000000"):
        asked = client.ask("ORDER0000000001", session.key, hint)
        assert (asked.status, asked.order_id) == (PENDING, "ORDER0000000001")


def test_a_proof_for_another_order_is_none(gateway, client):
    session = client.open_session(order())
    gateway.pay(session.key)
    gateway.faults.add("validate", change={"tran_id": "OTHER00000000001"})
    with pytest.raises(Unknown, match="for another order"):
        client.ask("ORDER0000000001", session.key)


def test_a_validation_id_lives_for_a_while(gateway, client):
    session = client.open_session(order())
    fields = client.signed_fields(gateway.pay(session.key)[1])
    gateway.clock.advance(VAL_ID_LIFE_S + 1)
    with pytest.raises(Refused, match="does not know"):
        client.validate(fields["val_id"])
    with pytest.raises(Unknown, match="does not confirm"):
        client.ask("ORDER0000000001", session.key)


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"risk_level": "1", "risk_title": "Stolen"}, HELD, "Stolen"),
        ({"risk_level": None}, HELD, "no risk level"),
        ({"risk_level": 1}, HELD, "risky"),
        ({"risk_level": 0}, PAID, ""),
        ({"currency": "USD"}, HELD, "paid out in USD"),
        ({"currency_amount": "600.00"}, HELD, "asked for 600.00, received 500.00"),
        ({"amount": 500.10, "currency_amount": None}, PAID, ""),
        ({"status": "PENDING"}, PENDING, ""),
    ],
)
def test_doubtful_answers_are_held(gateway, client, change, status, reason):
    session = client.open_session(order())
    fields = client.signed_fields(gateway.pay(session.key)[1])
    gateway.faults.add("validate", change=change)
    verified = client.validate(fields["val_id"])
    assert verified.status == status
    assert reason in verified.reason


def test_amounts_are_read_as_they_are_written(gateway, client):
    session = client.open_session(order())
    fields = client.signed_fields(gateway.pay(session.key)[1])
    for amount, read in ((500.1, "500.1"), ("1.00", "1.00"), (500, "500")):
        gateway.faults.add("validate", change={"amount": amount, "store_amount": None})
        assert str(client.validate(fields["val_id"]).amount) == read
    for amount in ("1e3", "1,000.00", "-5.00", "500.001", "NaN", "৫০০"):
        gateway.faults.add("validate", change={"amount": amount})
        with pytest.raises(Unknown, match="cannot be read"):
            client.validate(fields["val_id"])


FAULTS = [
    ({"drop": True}, "cannot be reached"),
    ({"lose": True}, "cannot be reached"),
    ({"status": 503}, "HTTP 503"),
    ({"status": 302}, "HTTP 302"),
    ({"html": True}, "cannot be read"),
    ({"html": "undone"}, "cannot be read"),
    ({"answer": {}}, "."),
    ({"answer": {"APIConnect": "INVALID_REQUEST"}}, "."),
    ({"change": {"status": "PERHAPS"}}, "."),
]
CALLS = {
    "session": lambda client: client.open_session(order()),
    "validate": lambda client: client.validate("x"),
    "query_session": lambda client: client.query_session("x"),
    "query_order": lambda client: client.query_order("x"),
    "refund": lambda client: client.refund("x", "R1", Decimal("1.00"), "Refund"),
    "refund_status": lambda client: client.refund_status("x", "y"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_what_cannot_be_understood_is_unknown(gateway, client, call, fault, words):
    if call == "query_order" and "change" in fault:
        fault = {"change": {"element": ["x"]}}
    gateway.faults.add(call, **fault)
    with pytest.raises(Unknown, match=words) as raised:
        CALLS[call](client)
    assert_secret_is_kept(raised.value)


@pytest.mark.parametrize("call", CALLS)
def test_a_late_answer_is_unknown_in_time(gateway, call):
    client = SslcommerzClient(STORE_ID, STORE_PASSWD, gateway.url, answer_s=0.3)
    gateway.faults.add(call, late_s=2)
    before = time.monotonic()
    with pytest.raises(Unknown, match="in time") as raised:
        CALLS[call](client)
    assert time.monotonic() - before < 1.5
    assert_secret_is_kept(raised.value)


def test_a_body_that_trickles_is_unknown_in_time():
    """Each byte alone comes soon enough."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle():
            connection, _address = server.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                for _byte in range(40):
                    connection.sendall(b" ")
                    time.sleep(0.1)

        threading.Thread(target=trickle, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        before = time.monotonic()
        with pytest.raises(Unknown, match="did not finish"):
            SslcommerzClient(STORE_ID, STORE_PASSWD, url, answer_s=0.5).query_order("x")
        assert time.monotonic() - before < 2


def test_a_redirect_does_not_take_the_password_along(gateway, client, monkeypatch):
    with Sslcommerz() as stranger:
        monkeypatch.setattr(
            gateway, "_query_order", lambda _query: Answer("", 302, {"Location": stranger.url})
        )
        with pytest.raises(Unknown, match="HTTP 302"):
            client.query_order("x")
        assert not stranger.received()


@pytest.mark.parametrize("call", CALLS)
def test_a_gateway_that_is_down_is_unknown(gateway, client, call):
    gateway.refuse_connections(True)
    with pytest.raises(Unknown, match="cannot be reached") as raised:
        CALLS[call](client)
    assert_secret_is_kept(raised.value)


@pytest.mark.parametrize("call", [name for name in CALLS if name != "session"])
def test_a_wrong_password_and_a_store_switched_off_are_said(gateway, client, call):
    stranger = SslcommerzClient(STORE_ID, "panel-password", gateway.url)
    with pytest.raises(Misconfigured, match="store password") as raised:
        CALLS[call](stranger)
    assert "panel-password" not in repr(raised.value)
    gateway.active = False
    with pytest.raises(Misconfigured, match="switched off"):
        CALLS[call](client)
    gateway.faults.add(call, status=403)
    with pytest.raises(Misconfigured, match="register its address"):
        CALLS[call](client)


def test_the_session_of_a_wrong_store_is_misconfigured(gateway):
    with pytest.raises(Misconfigured, match="store password"):
        SslcommerzClient(STORE_ID, "wrong", gateway.url).open_session(order())
    with pytest.raises(Misconfigured, match="Enter the store ID"):
        SslcommerzClient(STORE_ID, "", gateway.url)


def test_the_connection_test(gateway, client):
    client.test_connection()
    gateway.refuse_connections(True)
    with pytest.raises(Unknown):
        client.test_connection()


def test_an_order_id_is_used_once(gateway, client):
    client.open_session(order())
    with pytest.raises(Refused, match="used before"):
        client.open_session(order())


def test_a_customer_is_not_sent_just_anywhere(gateway, client):
    for url in ("", "javascript:alert(1)", "http://pay.example/", "//pay.example"):
        gateway.faults.add("session", change={"GatewayPageURL": url})
        with pytest.raises(Unknown, match="where the customer can pay"):
            client.open_session(order(f"ORDER{len(gateway.sessions)}"))


# === WHAT IS SENT === #


def test_every_field_keeps_its_limit(gateway, client):
    long = "অ" * 400
    client.open_session(
        order(
            "A" * 30,
            name=long,
            street=long,
            city=long,
            postcode=long,
            country=long,
            product_name=long,
            product_category=long,
            email=f"{'a' * 60}@isp.example",
            phone="1" * 30,
        )
    )
    sent = gateway.received("session")[0].form()
    for name, limit in {**REQUIRED, **OPTIONAL}.items():
        assert len(sent.get(name, "")) <= limit, name
    assert sent["cus_email"] == "accounts@isp.example"
    assert sent["cus_phone"] == "+8809612000000"


def test_a_customer_of_whom_nothing_is_known_can_pay(gateway, client):
    client.open_session(order(name=" \n ", street="\x00"))
    sent = gateway.received("session")[0].form()
    assert all(sent[name].strip() for name in REQUIRED)
    assert sent["cus_name"] == "Customer"


def test_names_are_sent_on_one_line():
    fields = session_fields(order(name="Rahim\r\nUddin\t Khan"))
    assert fields["cus_name"] == "Rahim Uddin Khan"


@pytest.mark.parametrize("amount", ["9.99", "0", "-10", "500000.01"])
def test_amounts_the_gateway_does_not_take(client, gateway, amount):
    with pytest.raises(Refused, match="10.00 to 500000.00"):
        client.open_session(order(amount=Decimal(amount)))
    assert not gateway.received()


@pytest.mark.parametrize("amount", ["10", "500000.00", "123.4"])
def test_amounts_the_gateway_takes(client, gateway, amount):
    client.open_session(order(amount=Decimal(amount)))
    sent = gateway.received("session")[0].form()["total_amount"]
    assert sent == f"{Decimal(amount):.2f}"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"currency": "USD"}, Refused, "taka"),
        ({"merchant_email": "", "email": "nobody"}, Misconfigured, "email"),
        ({"merchant_phone": "", "phone": "-"}, Misconfigured, "phone"),
        ({"ipn_url": "http://isp.example/" + "a" * 255}, Misconfigured, "too long"),
        ({"order_id": "with space"}, ValueError, "order id"),
        ({"order_id": "A" * 31}, ValueError, "order id"),
    ],
)
def test_what_cannot_be_sent(changes, error, words):
    with pytest.raises(error, match=words):
        session_fields(order(**({"ipn_url": "http://isp.example/"} | changes)))


# === REFUNDS === #


@pytest.fixture
def paid(gateway, client):
    session = client.open_session(order())
    return client.signed_fields(gateway.pay(session.key)[1])["bank_tran_id"]


def test_a_refund_is_under_way_until_the_money_is_back(gateway, client, paid):
    refund = client.refund(paid, "R1", Decimal("200.00"), "Moved house")
    assert refund.status == PENDING
    assert client.refund_status(refund.reference, paid).status == PENDING
    gateway.clock.advance(REFUND_S + 1)
    assert client.refund_status(refund.reference, paid).status == PAID
    other = client.refund(paid, "R2", Decimal("300.00"), "")
    gateway.finish_refund(other.reference, "cancelled")
    assert client.refund_status(other.reference, paid).status == FAILED


def test_refunds_that_are_refused(gateway, client, paid):
    client.refund(paid, "R1", Decimal("200.00"), "x" * 300)
    with pytest.raises(Refused, match="more than was paid"):
        client.refund(paid, "R2", Decimal("300.01"), "Refund")
    with pytest.raises(Refused, match="Bank transaction ID"):
        client.refund("nothing", "R3", Decimal("1.00"), "Refund")
    gateway.refunds_allowed = False
    with pytest.raises(Refused, match="address of this server"):
        client.refund(paid, "R4", Decimal("1.00"), "Refund")


def test_a_refund_whose_answer_is_lost_happens_once(gateway, client, paid):
    gateway.faults.add("refund", lose=True)
    with pytest.raises(Unknown):
        client.refund(paid, "R1", Decimal("200.00"), "Refund")
    assert len(gateway.received("refund")) == 1
    assert [one["amount"] for one in gateway.refunds.values()] == ["200.00"]


def test_an_answer_about_another_refund_is_none(gateway, client, paid):
    refund = client.refund(paid, "R1", Decimal("200.00"), "Refund")
    gateway.faults.add("refund_status", change={"refund_ref_id": "OTHER", "status": "refunded"})
    with pytest.raises(Unknown, match="another refund"):
        client.refund_status(refund.reference, paid)
    with pytest.raises(Unknown, match="another refund"):
        client.refund_status(refund.reference, "ANOTHERPAYMENT")


# === SECRETS === #


def assert_secret_is_kept(error):
    """Neither the error nor what it came from tells the password."""
    while error:
        assert STORE_PASSWD not in f"{error!r} {vars(error)!r}"
        assert not hasattr(error, "request")
        error = error.__context__ or error.__cause__


def test_the_password_is_not_in_any_log(gateway, client, caplog):
    with caplog.at_level(logging.DEBUG):
        for call in CALLS.values():
            gateway.faults.add("*", status=503)
            with pytest.raises(Unknown):
                call(client)
        client.test_connection()
    assert "store_passwd=***" in caplog.text
    assert STORE_PASSWD not in caplog.text
    assert STORE_PASSWD.replace("@", "%40") not in caplog.text
    assert STORE_PASSWD not in repr(client) + str(client.open_session(order()))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("432149XXXXXX0667", "432149XXXXXX0667"),
        ("4321491234560667", "432149******0667"),
        ("01770000000", "017****0000"),
        ("", ""),
        ("123", ""),
    ],
)
def test_cards_and_wallets_are_masked(text, masked):
    assert mask_payer(text) == masked
