"""The client of bKash against a strict simulator: success is only what plainly is one."""

import logging
import threading
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from gateways import bkash_errors
from gateways.bkash import LIVE_URL, SANDBOX_URL, BkashClient, parse_time
from gateways.bkash_tokens import MemoryTokens, TokenState
from gateways.common import (
    PAID,
    PENDING,
    GatewayError,
    Misconfigured,
    Refused,
    Unknown,
    money,
    money_text,
)
from simulators.gateways.bkash import Bkash
from simulators.gateways.bkash_state import CustomerError

AMOUNT = Decimal("500.00")
SECRETS = ("p@ssw0rd-simulator", "app-secret-simulator", "app-key-simulator")


@pytest.fixture
def gateway():
    with Bkash() as simulator:
        yield simulator


@pytest.fixture
def new_client(gateway):
    def make(tokens=None, timeout_s=5, **changes):
        return BkashClient(
            gateway.url,
            tokens=tokens or MemoryTokens(),
            timeout_s=timeout_s,
            clock=gateway.clock,
            **gateway.credentials | changes,
        )

    return make


@pytest.fixture
def client(new_client):
    return new_client()


def create(client, order_id="ORDER1", amount=AMOUNT, **more):
    values = {"payer_reference": "CUST-1", "callback_url": "https://shop.example/r/k", **more}
    return client.create_payment(amount=amount, order_id=order_id, **values)


def pay(gateway, client, order_id="ORDER1", amount=AMOUNT, **customer):
    created = create(client, order_id, amount)
    gateway.customer(created.payment_id, **customer)
    return created


# === PAYING === #


def test_the_hosts_of_bkash():
    assert LIVE_URL == "https://tokenized.pay.bka.sh"
    assert SANDBOX_URL == "https://tokenized.sandbox.bka.sh"


def test_a_payment_is_created_confirmed_and_executed(gateway, client):
    created = create(client)
    assert created.url.startswith(gateway.url)
    back = gateway.customer(created.payment_id)
    assert back.startswith(f"https://shop.example/r/k?paymentID={created.payment_id}&status=succ")
    assert gateway.merchant_balance == 0, "the PIN alone moves nothing"
    paid = client.execute(created.payment_id)
    assert (paid.status, paid.amount, paid.currency) == (PAID, AMOUNT, "BDT")
    assert (paid.order_id, paid.payment_id) == ("ORDER1", created.payment_id)
    assert (paid.payer, paid.merchant) == ("017****1111", None)
    assert paid.reference in gateway.transactions
    assert gateway.merchant_balance == AMOUNT
    assert client.query(created.payment_id) == paid
    assert not gateway.received("refresh")
    assert len(gateway.received("grant")) == 1
    sent = gateway.received("create")[0]
    assert not sent.headers["Authorization"].startswith("Bearer")


def test_executing_twice_moves_the_money_once(gateway, client):
    created = pay(gateway, client)
    first = client.execute(created.payment_id)
    assert client.execute(created.payment_id) == first
    assert gateway.merchant_balance == AMOUNT


@pytest.mark.parametrize("choice", ["close", "fail", "cancel"])
def test_executing_what_the_customer_did_not_confirm_moves_nothing(gateway, client, choice):
    created = pay(gateway, client, choice=choice)
    answer = client.execute(created.payment_id)
    assert (answer.status, answer.reference) == (PENDING, None)
    assert "customer" in answer.reason or "state" in answer.reason
    assert gateway.merchant_balance == 0


def test_a_premature_execute_does_not_spoil_the_payment(gateway, client):
    created = create(client)
    assert client.execute(created.payment_id).status == PENDING
    gateway.customer(created.payment_id)
    assert client.execute(created.payment_id).status == PAID


@pytest.mark.parametrize(
    ("wallet", "code", "words"),
    [("01722222222", "2023", "enough money"), ("01711111111", "2029", "two minutes")],
)
def test_a_refusal_at_execute_is_final_and_moves_nothing(gateway, client, wallet, code, words):
    if code == "2029":
        client.execute(pay(gateway, client, "ORDER0").payment_id)
    before = gateway.merchant_balance
    created = pay(gateway, client, wallet=wallet)
    with pytest.raises(Refused, match=words) as refused:
        client.execute(created.payment_id)
    assert refused.value.code == code
    assert gateway.merchant_balance == before
    assert client.query(created.payment_id).status == PENDING


def test_amounts_are_exact(gateway, client):
    for number, text in enumerate(("0.01", "1234567.89", "10", "99.9")):
        gateway.wallets["01711111111"].balance = Decimal(10**8)
        created = pay(gateway, client, f"ORDER{number}", Decimal(text))
        assert client.execute(created.payment_id).amount == Decimal(text)
    sent = [one.json()["amount"] for one in gateway.received("create")]
    assert sent == ["0.01", "1234567.89", "10.00", "99.90"]
    for wrong in ("0.001", "-1"):
        with pytest.raises(ValueError, match="amount"):
            create(client, amount=Decimal(wrong))
    with pytest.raises(Refused):
        create(client, amount=Decimal(0))


@pytest.mark.parametrize(
    "text", ["1e3", "1,000", "NaN", "-1", "", "1.000", " 1", "1 ", "+1", "٣", "Infinity", None, 5]
)
def test_money_reads_nothing_but_plain_amounts(text):
    with pytest.raises(ValueError, match="amount"):
        money(text)


def test_money_and_its_text():
    assert [money(text) for text in ("0", "5", "5.1", "5.10")] == [
        *(Decimal(0), Decimal(5), Decimal("5.1"), Decimal("5.1")),
    ]
    assert money_text(Decimal("5.1")) == "5.10"


@pytest.mark.parametrize(
    "values",
    [{"order_id": "a<b"}, {"order_id": "x" * 256}, {"callback_url": "shop"}, {"order_id": ""}],
)
def test_what_bkash_does_not_accept_is_refused(client, values):
    with pytest.raises(Refused, match=r"\(bKash: 20"):
        create(client, **{"order_id": "ORDER1", **values})


def test_unknown_payments(client):
    for call in (client.query, client.execute):
        with pytest.raises(Refused) as refused:
            call("TR0011NOTHERE")
        assert refused.value.code == "2002"


# === WHEN NOBODY KNOWS === #

SILENCE = [
    {"late_s": 3},
    {"lose": True},
    {"html": True},
    {"change": {"statusCode": None}},
    {"change": {"statusCode": "0001"}},
    {"change": {"transactionStatus": None}},
    {"change": {"trxID": None}},
    {"change": {"trxID": ""}},
    {"change": {"amount": 500.0}},
    {"change": {"amount": "5e2"}},
    {"change": {"currency": None}},
    {"change": {"paymentID": None}},
    {"change": {"merchantInvoiceNumber": None}},
    {"change": {"errorCode": "2003"}},
    {"change": {"errorMessage": "x"}},
    {"change": {"message": "Endpoint request timed out"}},
]


@pytest.mark.parametrize("fault", SILENCE, ids=str)
def test_money_that_moved_without_a_good_answer_is_found_by_asking(gateway, new_client, fault):
    client = new_client(timeout_s=2)
    created = pay(gateway, client)
    gateway.faults.add("execute", **fault)
    assert client.execute(created.payment_id).status == PAID
    assert len(gateway.received("execute")) == 1, "never executed twice"
    assert gateway.merchant_balance == AMOUNT


@pytest.mark.parametrize(
    "fault",
    [*SILENCE, {"drop": True}, {"status": 503}, {"html": "undone"}, {"answer": {}}, {"slow_s": 3}],
    ids=str,
)
def test_no_good_answer_at_all_is_unknown(gateway, new_client, fault):
    client = new_client(timeout_s=2)
    created = pay(gateway, client)
    gateway.faults.add("execute", **fault)
    gateway.faults.add("query", status=503)
    with pytest.raises(Unknown):
        client.execute(created.payment_id)


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"slow_s": 3}], ids=str)
def test_an_execute_that_may_still_happen_is_unknown(gateway, new_client, fault):
    client = new_client(timeout_s=2)
    created = pay(gateway, client)
    gateway.faults.add("execute", **fault)
    with pytest.raises(Unknown):
        client.execute(created.payment_id)
    assert len(gateway.received("execute")) == 1


def test_a_gateway_that_is_down(gateway, client):
    created = pay(gateway, client)
    gateway.refuse_connections(True)
    with pytest.raises(Unknown, match="could not be reached"):
        client.query(created.payment_id)
    gateway.refuse_connections(False)
    assert client.query(created.payment_id).status == PENDING


def test_a_time_out_is_that_of_one_call(gateway, new_client):
    client = new_client(timeout_s=0.3)
    client.check_login()
    for fault in ({"slow_s": 2}, {"drip_s": 0.1}):
        gateway.faults.add("query", **fault)
        start = datetime.now()
        with pytest.raises(Unknown, match="within 0.3 seconds"):
            client.query("TR1")
        assert datetime.now() - start < timedelta(seconds=1)


def test_a_status_that_nobody_described_stays_pending(gateway, client):
    created = pay(gateway, client)
    gateway.faults.add("query", change={"transactionStatus": "Sleeping"})
    answer = client.query(created.payment_id)
    assert (answer.status, answer.reason) == (PENDING, "bKash says “Sleeping”.")


def test_an_error_that_nobody_described_is_unknown(gateway, client):
    created = create(client)
    gateway.faults.add("query", answer={"statusCode": "4711", "statusMessage": "Odd"})
    with pytest.raises(Unknown, match="“Odd” with the code 4711"):
        client.query(created.payment_id)


def test_every_documented_error_has_words_and_a_kind():
    codes = [
        *range(2001, 2070),
        *(2116, 2117, 2118, 2119, 503),
    ]
    for code in map(str, codes):
        error = bkash_errors.error_of(code)
        assert isinstance(error, Refused | Misconfigured | Unknown)
        assert "not documented" not in str(error), code
        assert error.code == code
    kinds = {code: type(bkash_errors.error_of(code)) for code in ("2001", "2023", "2003", "9998")}
    assert list(kinds.values()) == [Misconfigured, Refused, Unknown, Unknown]


def test_a_pay_page_that_is_not_https_is_refused(gateway, client):
    for url in ("http://evil.example/", "javascript:alert(1)", "", None, 5):
        gateway.faults.add("create", change={"bkashURL": url})
        with pytest.raises(Unknown, match="address"):
            create(client)


# === LOGIN === #


def test_one_login_serves_until_fifty_minutes(gateway, new_client):
    tokens = MemoryTokens()
    for _number in range(3):
        create(new_client(tokens))
    gateway.clock.advance(49 * 60)
    create(new_client(tokens))
    assert (len(gateway.received("grant")), len(gateway.received("refresh"))) == (1, 0)
    gateway.clock.advance(2 * 60)
    create(new_client(tokens))
    assert (len(gateway.received("grant")), len(gateway.received("refresh"))) == (1, 1)


def test_a_lost_token_is_replaced_once(gateway, client):
    create(client)
    gateway.revoke_tokens()
    create(client, "ORDER2")
    assert len(gateway.received("grant")) == 2


def test_no_third_login_in_an_hour(gateway, new_client):
    tokens = MemoryTokens()
    client = new_client(tokens)
    create(client)
    gateway.revoke_tokens()
    create(client, "ORDER2")
    gateway.revoke_tokens()
    for _number in range(3):
        with pytest.raises(Unknown, match="two logins an hour.* 60 minutes"):
            create(new_client(tokens), "ORDER3")
    assert len(gateway.received("grant")) == 2, "the app would be locked for an hour"
    gateway.clock.advance(3601)
    create(new_client(tokens), "ORDER4")


def test_a_good_token_is_used_on_when_no_login_is_left(gateway, new_client):
    tokens = MemoryTokens()
    client = new_client(tokens)
    create(client)
    now = gateway.clock()
    tokens.state.logins = [now + 40 * 60, now + 45 * 60]
    gateway.clock.advance(55 * 60)
    create(client, "ORDER2")
    assert not gateway.received("refresh")


def test_a_good_token_is_used_on_when_the_login_fails(gateway, client):
    create(client)
    gateway.clock.advance(55 * 60)
    gateway.faults.add("refresh", status=503)
    create(client, "ORDER2")


def test_a_refresh_that_is_refused_becomes_a_login(gateway, client):
    create(client)
    gateway.refresh_tokens.clear()
    gateway.clock.advance(2 * 3600)
    create(client, "ORDER2")
    assert len(gateway.received("grant")) == 2


def test_a_locked_app_is_left_alone_for_an_hour(gateway, client):
    gateway.locked_until = gateway.clock() + 3600
    for _number in range(3):
        with pytest.raises(Unknown):
            client.check_login()
    assert len(gateway.received("grant")) == 1


def test_many_workers_log_in_once(gateway, new_client):
    tokens = MemoryTokens()
    gateway.faults.add("grant", slow_s=0.2)
    errors = []

    def work():
        try:
            new_client(tokens).check_login()
        except GatewayError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (errors, len(gateway.received("grant"))) == ([], 1)


def test_nobody_waits_for_a_login_while_the_token_works(gateway, new_client):
    tokens = MemoryTokens()
    create(new_client(tokens))
    gateway.clock.advance(55 * 60)
    gateway.faults.add("refresh", slow_s=1)
    slow = threading.Thread(target=new_client(tokens).check_login)
    slow.start()
    while not gateway.received("refresh"):
        threading.Event().wait(0.01)
    start = datetime.now()
    create(new_client(tokens), "ORDER2")
    assert datetime.now() - start < timedelta(seconds=0.8)
    slow.join(10)
    assert len(gateway.received("refresh")) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"username": "x"}, "user name or password"),
        ({"password": "x"}, "user name or password"),
        ({"app_key": "x"}, "app key"),
        ({"app_secret": "x"}, "app secret"),
    ],
)
def test_wrong_settings_are_named(new_client, wrong, words):
    with pytest.raises(Misconfigured, match=words):
        new_client(**wrong).check_login()


def test_another_app_does_not_use_the_token_of_the_first(gateway, new_client):
    tokens = MemoryTokens()
    create(new_client(tokens))
    with pytest.raises(Misconfigured):
        create(new_client(tokens, app_key="other"))
    assert len(gateway.received("grant")) == 2


@pytest.mark.parametrize(
    "change", [{"id_token": None}, {"refresh_token": ""}, {"expires_in": "soon"}], ids=str
)
def test_a_login_without_a_token_is_unknown(gateway, client, change):
    gateway.faults.add("grant", change=change)
    with pytest.raises(Unknown):
        client.check_login()


def test_the_clock_of_logins():
    state = TokenState(logins=[1000, 2000])
    assert [state.wait_s(now) for now in (2000, 4599, 4601)] == [2600, 1, 0]
    assert TokenState(logins=[1000]).wait_s(1001) == 0
    state = TokenState(id_token="t", issued_at=0, expires_at=3600)
    assert [state.usable(now) for now in (2999, 3000)] == [True, False]
    assert [state.valid(now) for now in (3599, 3600)] == [True, False]
    assert not TokenState(id_token="t", issued_at=0, expires_at=600).usable(601)


def test_no_secret_in_logs_or_errors(gateway, new_client, caplog):
    caplog.set_level(logging.DEBUG)
    client = new_client()
    client.execute(pay(gateway, client).payment_id)
    gateway.revoke_tokens()
    gateway.faults.add("query", html=True)
    errors = []
    for call in (lambda: client.query("TR1"), new_client(app_secret="other-secret").check_login):
        with pytest.raises(GatewayError) as error:
            call()
        errors.append(str(error.value))
    text = caplog.text + " ".join(errors)
    for secret in (*SECRETS, *gateway.tokens, *gateway.refresh_tokens, "01711111111"):
        assert secret not in text


# === SAVED WALLETS === #


def save_wallet(gateway, client):
    created = client.create_agreement(payer_reference="CUST-1", callback_url="https://s.example/r")
    gateway.customer(created.payment_id)
    return client.execute_agreement(created.payment_id)


def test_a_wallet_is_saved_charged_with_pin_and_forgotten(gateway, client):
    agreement = save_wallet(gateway, client)
    assert (agreement.payer, agreement.id in gateway.agreements) == ("017****1111", True)
    created = create(client, agreement_id=agreement.id)
    assert created.url, "the customer has to enter the PIN"
    assert client.execute(created.payment_id).status == PENDING
    gateway.customer(created.payment_id)
    assert client.execute(created.payment_id).status == PAID
    client.cancel_agreement(agreement.id)
    client.cancel_agreement(agreement.id)
    assert not gateway.agreements[agreement.id].active
    with pytest.raises(Refused, match="cancelled the saved wallet"):
        create(client, "ORDER2", agreement_id=agreement.id)


def test_a_wallet_that_needs_no_pin_has_no_page(gateway, client):
    gateway.pin_page = False
    agreement = save_wallet(gateway, client)
    created = create(client, agreement_id=agreement.id)
    assert created.url == ""
    assert client.execute(created.payment_id).status == PAID


def test_a_wallet_saved_without_a_good_answer_is_found_by_asking(gateway, client):
    for fault in ({"lose": True}, {"html": True}):
        gateway.faults.add("execute", **fault)
        assert save_wallet(gateway, client).id in gateway.agreements


def test_a_wallet_that_the_customer_did_not_confirm_is_not_saved(gateway, client):
    created = client.create_agreement(payer_reference="CUST-1", callback_url="https://s.example/r")
    with pytest.raises(Refused):
        client.execute_agreement(created.payment_id)
    gateway.faults.add("execute", drop=True)
    with pytest.raises(Unknown):
        client.execute_agreement(created.payment_id)


# === REFUNDS === #


def paid(gateway, client):
    answer = client.execute(pay(gateway, client).payment_id)
    return {"payment_id": answer.payment_id, "trx_id": answer.reference}


def refund(client, of, amount, version=2):
    return client.refund(version=version, amount=Decimal(amount), sku="bill", reason="r", **of)


def test_refunds_of_version_2_until_nothing_is_left(gateway, client):
    of = paid(gateway, client)
    assert client.refunds(version=2, **of) == []
    first = refund(client, of, "100")
    assert (first.status, first.amount) == (PAID, Decimal(100))
    second = refund(client, of, "399.99")
    assert client.refunds(version=2, **of) == [first, second]
    with pytest.raises(Refused, match="higher than what is left") as refused:
        refund(client, of, "0.02")
    assert refused.value.code == "2026"
    assert gateway.merchant_balance == Decimal("0.01")


def test_a_refund_of_version_1_is_possible_once(gateway, client):
    of = paid(gateway, client)
    assert client.refunds(version=1, **of) == []
    done = refund(client, of, "200.00", version=1)
    assert (done.status, done.amount) == (PAID, Decimal(200))
    assert client.refunds(version=1, **of) == [done]
    with pytest.raises(Refused, match="only once"):
        refund(client, of, "1", version=1)
    assert gateway.merchant_balance == Decimal(300)


@pytest.mark.parametrize("version", [1, 2])
def test_a_refund_without_a_good_answer_is_unknown_and_in_the_list(gateway, new_client, version):
    client = new_client(timeout_s=2)
    of = paid(gateway, client)
    gateway.faults.add("refund", late_s=3)
    with pytest.raises(Unknown):
        refund(client, of, "100", version)
    (found,) = client.refunds(version=version, **of)
    assert (found.status, found.amount) == (PAID, Decimal(100))


@pytest.mark.parametrize("version", [1, 2])
def test_refunds_of_a_payment_that_bkash_does_not_know(client, version):
    with pytest.raises(Refused):
        refund(client, {"payment_id": "TR1", "trx_id": "T"}, "1", version)


@pytest.mark.parametrize("wrong", [{"refundTransactions": None}, {"refundTransactions": ["x"]}])
def test_a_list_of_refunds_that_is_none_is_unknown(gateway, client, wrong):
    of = paid(gateway, client)
    gateway.faults.add("refund_status", change=wrong)
    with pytest.raises(Unknown):
        client.refunds(version=2, **of)


# === SEARCH, TIMES === #


def test_money_that_came_by_qr_code_is_found_by_its_trxid(gateway, client):
    trx_id = gateway.pay_directly("250", "C0001")
    found = client.search(trx_id)
    assert (found.reference, found.status, found.amount) == (trx_id, PAID, Decimal(250))
    assert (found.kind, found.short_code, found.payer) == ("10003126", "50001", "017****1111")
    assert abs(found.completed_at.timestamp() - gateway.clock()) < 5
    with pytest.raises(Refused, match="does not find"):
        client.search("NOTHERE000")


def test_the_odd_times_of_bkash():
    moment = datetime(2026, 6, 1, 6, 22, 41, 428000, timezone.utc)
    assert parse_time("2026-06-01T12:22:41:428 GMT+0600") == moment
    assert parse_time("2026-06-01T12:22:41.428+06:00") == moment
    for wrong in ("", None, 5, "2026-06-01", "2026-13-01T12:22:41:428 GMT+0600", "x" * 10000):
        assert parse_time(wrong) is None


# === THE PAGE === #


def test_the_page_tells_a_wrong_pin_and_gives_up_after_three(gateway, client):
    created = create(client)
    for _number in range(2):
        with pytest.raises(CustomerError, match="Wrong PIN"):
            gateway.customer(created.payment_id, pin="0")
    assert "status=failure" in gateway.customer(created.payment_id, pin="0")
    with pytest.raises(CustomerError):
        gateway.customer(create(client, "ORDER2").payment_id, wallet="01799999999")
