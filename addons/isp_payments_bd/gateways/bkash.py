"""Client of bKash's Tokenized Checkout (v1.2.0-beta), and of its refunds v1 and v2.

Source: bKash's developer portal, as of 2026. Every error comes with HTTP 200; only an answer with
``statusCode`` 0000, without an error, and with every field that was asked for is a success.
Money moves when ``execute`` is called, never before.
"""

import hashlib
import json
import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import requests
import urllib3

from .bkash_answers import (
    amount_of,
    is_token_refused,
    parse_time,
    refund_v1,
    refund_v2,
    successful,
    text_of,
)
from .bkash_errors import AGREEMENT_GONE, ASK_INSTEAD
from .bkash_tokens import TokenState, in_minutes
from .common import (
    PAID,
    PENDING,
    Misconfigured,
    Refused,
    Unknown,
    Verified,
    mask_wallet,
    money_text,
    read_body,
)

_logger = logging.getLogger(__name__)

LIVE_URL = "https://tokenized.pay.bka.sh"
SANDBOX_URL = "https://tokenized.sandbox.bka.sh"
API = "/v1.2.0-beta/tokenized/checkout"
REFUND_V2 = "/v2/tokenized-checkout/refund/payment"
TIMEOUT_S = 30
MAX_ANSWER_BYTES = 64 * 1024
# The question after an execute that was not answered: the payer is waiting.
SECOND_QUESTION_S = 10
PAYMENT_LIFE = timedelta(hours=24)

_STATUS = {"Completed": PAID, "Initiated": PENDING, "Authorized": PENDING}


@dataclass(frozen=True)
class Created:
    """A payment or agreement that the customer has to confirm at ``url``.

    An empty URL means that the wallet's agreement needs no confirmation: execute.
    """

    payment_id: str
    url: str


@dataclass(frozen=True)
class Agreement:
    """A wallet that may be charged again."""

    id: str
    payment_id: str
    payer: str  # masked


@dataclass(frozen=True)
class Transaction:
    """Money that reached the merchant, by whatever way, as a search by trxID says."""

    reference: str
    status: str
    amount: Decimal
    currency: str
    payer: str  # masked
    short_code: str
    kind: str
    completed_at: datetime | None
    refundable: Decimal | None


class BkashClient:
    """One merchant's access.

    :param base_url: LIVE_URL, SANDBOX_URL or a simulator, without a path
    :param tokens: where tokens are kept, see bkash_tokens.MemoryTokens
    """

    def __init__(
        self,
        base_url,
        *,
        username,
        password,
        app_key,
        app_secret,
        tokens,
        timeout_s=TIMEOUT_S,
        clock=time.time,
    ):
        self.base_url = base_url.rstrip("/")
        self._username, self._password = username, password
        self._app_key, self._app_secret = app_key, app_secret
        self._tokens, self._timeout_s, self._clock = tokens, timeout_s, clock
        self._http = requests.Session()
        self._http.trust_env = False  # no .netrc: its credentials would replace the token
        self._state = TokenState()  # what this client last saw, saves a look into the store
        identity = f"{self.base_url}\n{username}\n{app_key}"
        self._app = hashlib.sha256(identity.encode()).hexdigest()[:16]

    # === PAYMENTS === #

    def create_payment(self, *, amount, order_id, payer_reference, callback_url, agreement_id=None):
        """Start a payment; the customer confirms it at the answer's URL.

        :param Decimal amount: in BDT
        :param agreement_id: pay from a saved wallet
        :raise Refused, Misconfigured, Unknown: no money can move
        """
        body = {
            "mode": "0001" if agreement_id else "0011",
            "payerReference": payer_reference[:255],
            "callbackURL": callback_url,
            "amount": money_text(amount),
            "currency": "BDT",
            "intent": "sale",
            "merchantInvoiceNumber": order_id,
        }
        if agreement_id:
            body["agreementID"] = agreement_id
        return self._created(self._call("create", f"{API}/create", body), bool(agreement_id))

    def create_agreement(self, *, payer_reference, callback_url):
        """Ask to save a wallet; the customer confirms it at the answer's URL."""
        body = {
            "mode": "0000",
            "payerReference": payer_reference[:255],
            "callbackURL": callback_url,
        }
        return self._created(self._call("create", f"{API}/create", body), False)

    def _created(self, answer, url_optional):
        url = answer.get("bkashURL") or ""
        good = isinstance(url, str) and url.startswith(("https://", f"{self.base_url}/"))
        if not good and (url or not url_optional):
            raise Unknown("bKash's answer has no address for the customer to pay at.")
        return Created(text_of(answer, "paymentID"), url)

    def execute(self, payment_id):
        """Move the money of a payment that the customer confirmed. Call it once.

        When bKash does not answer, or says that somebody was faster, it is asked what is true.
        A Verified that is PENDING means that the customer has not confirmed: nothing moved.

        :raise Refused: nothing moved, and nothing will
        :raise Unknown: the money may have moved or may still move, :meth:`query` later
        """
        try:
            answer = self._call("execute", f"{API}/execute", {"paymentID": payment_id})
            return self._verified(answer)
        except Unknown:
            verified = self.query(payment_id, min(SECOND_QUESTION_S, self._timeout_s))
            if verified.status != PAID:
                raise
            return verified
        except Refused as refused:
            if refused.code not in ASK_INSTEAD:
                raise
            verified = self.query(payment_id)
            return replace(verified, reason=verified.reason and str(refused))

    def query(self, payment_id, timeout_s=None):
        """Return what is true of a payment.

        :raise Refused: bKash does not know it (any more)
        """
        body = {"paymentID": payment_id}
        return self._verified(self._call("query", f"{API}/payment/status", body, timeout_s))

    def _verified(self, answer):
        said = text_of(answer, "transactionStatus")
        status = _STATUS.get(said, PENDING)
        paid = status == PAID
        order = "merchantInvoice" if "merchantInvoice" in answer else "merchantInvoiceNumber"
        return Verified(
            status=status,
            order_id=text_of(answer, order),
            payment_id=text_of(answer, "paymentID"),
            reference=text_of(answer, "trxID") if paid else None,
            merchant=None,
            amount=amount_of(answer, "amount"),
            currency=text_of(answer, "currency"),
            reason="" if paid else f"bKash says “{said[:40]}”.",
            payer=mask_wallet(answer.get("customerMsisdn") or ""),
            method="bkash",
        )

    def search(self, trx_id):
        """Return the transaction of a trxID.

        :raise Refused: there is none
        """
        answer = self._call("search", f"{API}/general/searchTransaction", {"trxID": trx_id})
        left = answer.get("maxRefundableAmount")
        return Transaction(
            reference=text_of(answer, "trxID"),
            status=_STATUS.get(text_of(answer, "transactionStatus"), PENDING),
            amount=amount_of(answer, "amount"),
            currency=text_of(answer, "currency"),
            payer=mask_wallet(answer.get("customerMsisdn") or ""),
            short_code=text_of(answer, "organizationShortCode"),
            kind=answer.get("transactionType") or "",
            completed_at=parse_time(answer.get("completedTime")),
            refundable=None if left is None else amount_of(answer, "maxRefundableAmount"),
        )

    # === SAVED WALLETS === #

    def execute_agreement(self, payment_id):
        """Save the wallet that the customer confirmed; harmless when it is saved already."""
        try:
            answer = self._call("execute", f"{API}/execute", {"paymentID": payment_id})
        except (Refused, Unknown) as error:
            if isinstance(error, Refused) and error.code not in ASK_INSTEAD:
                raise
            body = {"paymentID": payment_id}
            answer = self._call("query", f"{API}/payment/status", body)
            if "agreementID" not in answer:
                raise error from None
        if text_of(answer, "agreementStatus") != "Completed":
            raise Refused("The customer did not finish saving the wallet.")
        return Agreement(
            text_of(answer, "agreementID"),
            text_of(answer, "paymentID"),
            mask_wallet(answer.get("customerMsisdn") or ""),
        )

    def cancel_agreement(self, agreement_id):
        """Forget a saved wallet at bKash; harmless when it is forgotten already."""
        try:
            self._call("cancel", f"{API}/agreement/cancel", {"agreementID": agreement_id})
        except Refused as refused:
            if refused.code not in AGREEMENT_GONE:
                raise

    # === REFUNDS === #

    def refund(self, *, version, payment_id, trx_id, amount, sku, reason):
        """Send money back. There is no key against doing it twice: look at :meth:`refunds` first.

        :param version: 1 (once for each payment) or 2 (several)
        :raise Unknown: it may have happened
        """
        if version == 1:
            body = {"paymentID": payment_id, "trxID": trx_id, "amount": money_text(amount)}
            path, refund_of = f"{API}/payment/refund", refund_v1
        else:
            body = {"paymentId": payment_id, "trxId": trx_id, "refundAmount": money_text(amount)}
            path, refund_of = f"{REFUND_V2}/transaction", refund_v2
        body |= {"sku": sku[:255] or "-", "reason": reason[:255] or "-"}
        return refund_of(self._call("refund", path, body))

    def refunds(self, *, version, payment_id, trx_id):
        """Return every refund of a payment that bKash knows."""
        if version == 1:
            body = {"paymentID": payment_id, "trxID": trx_id}
            try:
                answer = self._call("refund status", f"{API}/payment/refund", body)
            except Refused as refused:
                if refused.code == "2033":
                    return []
                raise
            return [refund_v1(answer)]
        body = {"paymentId": payment_id, "trxId": trx_id}
        answer = self._call("refund status", f"{REFUND_V2}/status", body)
        found = answer.get("refundTransactions")
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise Unknown("bKash's answer has no list of refunds.")
        return [refund_v2(one) for one in found]

    # === CALLS === #

    def check_login(self):
        """Log in unless there is a valid token.

        :raise Misconfigured: says which setting to repair
        """
        self._token()

    def _call(self, name, path, body, timeout_s=None):
        """Send one call and return the answer's fields; a token that expired is renewed once."""
        token = self._token()
        for attempt in (1, 2):
            headers = {"Authorization": token, "X-App-Key": self._app_key}
            status, answer = self._post(name, path, body, headers, timeout_s)
            if not is_token_refused(status, answer):
                return successful(status, answer)
            if attempt == 1:
                token = self._token(refused=token)
        raise Misconfigured(
            "bKash does not accept our login for this call. Check the app key and that bKash has "
            "enabled Tokenized Checkout for the merchant."
        )

    def _post(self, name, path, body, headers, timeout_s=None):
        """Return ``(HTTP status, answer)``; the answer is a dictionary.

        :raise Unknown: nothing readable came back in time
        """
        timeout_s = timeout_s or self._timeout_s
        start = time.monotonic()
        try:
            with self._http.post(
                self.base_url + path,
                json=body,
                headers={"Accept": "application/json", **headers},
                timeout=timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                status = response.status_code
                content = read_body(response, start + timeout_s, MAX_ANSWER_BYTES)
        except (requests.Timeout, TimeoutError):
            raise Unknown(f"bKash did not answer within {timeout_s:g} seconds.") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError):
            raise Unknown("bKash could not be reached, or hung up before it answered.") from None
        except ValueError:
            raise Unknown("bKash's answer is too long to be one.") from None
        finally:
            _logger.info("bKash %s took %.2f s", name, time.monotonic() - start)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unknown(
                f"bKash's answer is not readable (HTTP {status}). Is it being maintained?"
            )
        return status, answer

    # === LOGIN === #

    def _token(self, refused=None):
        """Return a token, after a login if need be.

        :param refused: a token that bKash did not accept
        """
        if refused is None and self._state.usable(self._clock()):
            return self._state.id_token
        seen = self._tokens.peek()
        good = refused is None and seen.app == self._app and seen.valid(self._clock())
        if good and seen.usable(self._clock()):
            self._state = seen
            return seen.id_token
        # Nobody waits for a login while the token still works.
        with self._tokens.locked(wait=not good) as state:
            if state is None:
                return seen.id_token
            if state.app != self._app:
                state.__dict__.update(TokenState(app=self._app).__dict__)
            if refused and state.id_token == refused:
                state.id_token = ""
            if not state.usable(self._clock()):
                # A refresh belongs to the session that was just refused.
                self._renew(state, refresh=not refused)
            self._state = replace(state)
        return self._state.id_token

    def _renew(self, state, refresh):
        """Log in under the lock, or go on with a token that is still good."""
        now = self._clock()
        if wait := state.wait_s(now):
            if state.valid(now):
                return
            raise Unknown(
                "bKash allows two logins an hour. The next one is possible in "
                f"{in_minutes(wait)} minutes; until then it cannot be asked."
            )
        state.note_login(now)
        try:
            if refresh and state.refresh_token and now < state.refresh_until:
                answer = self._login("refresh", state, refresh_token=state.refresh_token)
            else:
                answer = self._login("grant", state)
        except Misconfigured:
            if not state.refresh_token:
                raise
            # The refresh token may be what is not accepted: start afresh, if a login is left.
            state.refresh_token = ""
            self._renew(state, refresh=False)
            return
        except Unknown:
            if state.valid(now):
                return
            raise
        state.keep(answer, now)

    def _login(self, kind, state, **more):
        body = {"app_key": self._app_key, "app_secret": self._app_secret, **more}
        headers = {"username": self._username, "password": self._password}
        status, answer = self._post(kind, f"{API}/token/{kind}", body, headers)
        if status in (401, 403):
            raise Misconfigured(
                "bKash does not accept the user name or password. Repair them in the settings of "
                "bKash; sandbox and live have different ones."
            )
        if status == 429:
            state.locked_until = self._clock() + 3600
            raise Unknown("bKash has locked the app for an hour: too many logins.")
        if status == 200 and answer.get("statusCode") == "9999":
            raise Misconfigured("bKash does not accept the app secret. Repair it in the settings.")
        answer = successful(status, answer)
        life_s = answer.get("expires_in")
        if not isinstance(life_s, int | str) or not str(life_s).isdigit():
            raise Unknown("bKash's login does not say how long it is valid.")
        tokens = {name: text_of(answer, name) for name in ("id_token", "refresh_token")}
        return tokens | {"expires_in": int(life_s)}
