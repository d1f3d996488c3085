"""bKash Tokenized Checkout on loopback: python -m simulators.gateways.bkash --port N

Strict about headers, token life, the two logins an hour, field limits and states; errors come with
HTTP 200. Money moves at execute, from wallets that have a balance and a PIN. What the public
documents do not say is decided so that a client has it hardest: a query never tells more than
``Initiated`` before the money moved, and a payment URL is only good with its whole query.
"""

import re
import secrets
import time
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode, urlsplit

from . import sns
from .base import Answer, GatewaySimulator, main, redirect, refuse, route
from .bkash_refunds import BkashRefunds
from .bkash_state import (
    AMOUNT,
    API,
    DHAKA,
    DUPLICATE_S,
    KINDS,
    LOGINS_AN_HOUR,
    MESSAGES,
    OTP,
    PAYMENT_LIFE_S,
    PIN_TRIES,
    REFRESH_LIFE_S,
    TOKEN_LIFE_S,
    Agreement,
    CustomerError,
    Payment,
    Transaction,
    Wallet,
    bkash_time,
    money,
    new_transaction_id,
    ok,
)
from .pages import closed_page, page, pay_page


class Bkash(BkashRefunds, GatewaySimulator):
    """The gateway of one merchant.

    :param pin_page: paying with an agreement asks for the PIN; False executes without a page
    """

    name = "bkash"
    actions = ("customer", "pay_directly", "subscribe", "open_wallet")

    def __init__(self, port=0, host="127.0.0.1", pin_page=True):
        super().__init__(port, host)
        self.credentials = {
            "username": "01700000000",
            "password": "p@ssw0rd-simulator",
            "app_key": "app-key-simulator",
            "app_secret": "app-secret-simulator",
        }
        self.short_code = "50001"
        self.pin_page = pin_page
        self.logins, self.locked_until = [], 0
        self.tokens, self.refresh_tokens = {}, {}
        self.payments, self.agreements, self.transactions = {}, {}, {}
        self.wallets = {
            "01711111111": Wallet(Decimal(100000)),
            "01722222222": Wallet(Decimal(5)),
        }
        self.topic = sns.Topic(self.notifier, self.clock, lambda: self.url)

    def snapshot(self):
        return {
            "payments": {one.id: one.customer for one in self.payments.values()},
            "transactions": {
                one.id: [str(one.amount), str(one.refundable)] for one in self.transactions.values()
            },
            "merchant_balance": str(self.merchant_balance),
        }

    @property
    def merchant_balance(self):
        """What the merchant got, refunds taken off."""
        return sum((one.refundable for one in self.transactions.values()), Decimal(0))

    # === TOKENS === #

    @route("POST", f"{API}/token/grant", call="grant")
    def grant(self, request):
        self._login(request)
        return self._new_token()

    @route("POST", f"{API}/token/refresh", call="refresh")
    def refresh(self, request):
        values = self._login(request)
        if self.refresh_tokens.get(values.get("refresh_token"), 0) < self.clock():
            refuse(401, {"message": "Invalid refresh token"})
        return self._new_token()

    def _login(self, request):
        values = request.json()
        now = self.clock()
        if self.locked_until > now:
            refuse(429, {"message": "Limit Exceeded"})
        self.logins = [at for at in self.logins if at > now - 3600] + [now]
        if len(self.logins) > LOGINS_AN_HOUR:
            self.locked_until = now + 3600
            refuse(429, {"message": "Limit Exceeded"})
        for name in ("username", "password"):
            if request.headers.get(name) != self.credentials[name]:
                refuse(403, {"message": "Forbidden"})
        if values.get("app_key") != self.credentials["app_key"]:
            self._fail("2001")
        if values.get("app_secret") != self.credentials["app_secret"]:
            refuse(200, {"statusCode": "9999", "statusMessage": "System Error"})
        return values

    def _new_token(self):
        token, refresh = secrets.token_urlsafe(40), secrets.token_urlsafe(40)
        self.tokens[token] = self.clock() + TOKEN_LIFE_S
        self.refresh_tokens[refresh] = self.clock() + REFRESH_LIFE_S
        return ok(id_token=token, token_type="Bearer", expires_in=3600, refresh_token=refresh)

    def revoke_tokens(self):
        """Forget every token, as bKash does when it restarts."""
        with self.lock:
            self.tokens.clear()

    def _authorised(self, request):
        """Check the headers of a call and return its body."""
        token = request.headers.get("Authorization", "")
        if token not in self.tokens:
            refuse(401, {"message": "Unauthorized"})
        if self.tokens[token] < self.clock():
            refuse(401, {"message": "The incoming token has expired"})
        if request.headers.get("X-App-Key") != self.credentials["app_key"]:
            refuse(403, {"message": "Forbidden"})
        if request.headers.get_content_type() != "application/json":
            refuse(415, {"message": "Unsupported Media Type"})
        values = request.json()
        if not all(isinstance(value, str) for value in values.values()):
            refuse(400, {"message": "Invalid request body"})
        return values

    def _fail(self, code):
        refuse(200, {"statusCode": code, "statusMessage": MESSAGES[code]})

    # === PAYMENTS === #

    @route("POST", f"{API}/create", call="create")
    def create(self, request):
        values = self._authorised(request)
        self._check_create(values)
        mode = values["mode"]
        payment = Payment(
            f"TR{mode}{secrets.token_hex(5).upper()}{int(time.time() * 1000)}",
            mode,
            values["payerReference"],
            values["callbackURL"],
            self.clock(),
            Decimal(values.get("amount", "0")),
            values.get("merchantInvoiceNumber", ""),
            values.get("agreementID"),
        )
        self.payments[payment.id] = payment
        callbacks = {
            f"{name}CallbackURL": self._return_url(payment, status)
            for name, status in (("success", "success"), ("failure", "failure"))
        }
        answer = ok(
            paymentID=payment.id,
            bkashURL=self.pay_url(payment.id),
            callbackURL=payment.callback,
            **callbacks,
            cancelledCallbackURL=self._return_url(payment, "cancel"),
            paymentCreateTime=bkash_time(self.clock()),
            transactionStatus="Initiated",
        )
        if mode != "0000":
            answer.update(
                amount=values["amount"],
                currency="BDT",
                intent=values["intent"],
                merchantInvoiceNumber=payment.invoice,
            )
        if mode == "0001" and not self.pin_page:
            payment.wallet = self.agreements[payment.agreement_id].wallet
            payment.customer = "confirmed"
            del answer["bkashURL"]
        return answer

    def _check_create(self, values):
        mode = values.get("mode")
        if mode not in ("0000", "0001", "0011"):
            self._fail("2063")
        url = urlsplit(values.get("callbackURL", ""))
        if url.scheme not in ("http", "https") or not url.hostname or url.fragment:
            self._fail("2049")
        if not 0 < len(values.get("payerReference", "")) <= 255:
            self._fail("2048")
        if mode == "0000":
            return
        missing = {"amount", "currency", "intent", "merchantInvoiceNumber"} - values.keys()
        if missing:
            self._fail("2065")
        if not AMOUNT.fullmatch(values["amount"]) or Decimal(values["amount"]) <= 0:
            self._fail("2006")
        if values["currency"] != "BDT":
            self._fail("2007")
        if values["intent"] != "sale":
            self._fail("2008")
        invoice = values["merchantInvoiceNumber"]
        if not 0 < len(invoice) <= 255 or re.search("[<>&]", invoice):
            self._fail("2031")
        if mode == "0001":
            self._active_agreement(values)

    @route("POST", f"{API}/execute", call="execute")
    def execute(self, request):
        payment = self._find_payment(self._authorised(request))
        self._check_executable(payment)
        payment.executed = True
        if payment.mode == "0000":
            return self._execute_agreement(payment)
        wallet = self.wallets[payment.wallet]
        if wallet.balance < payment.amount:
            self._fail("2023")
        if self._is_duplicate(payment):
            self._fail("2029")
        wallet.balance -= payment.amount
        transaction = self._new_transaction(
            payment.wallet, payment.amount, "api", payment.payer_reference, payment.invoice
        )
        transaction.payment_id, payment.transaction = payment.id, transaction
        self._notify(transaction)
        return self._describe(payment) | {
            "payerReference": payment.payer_reference,
            "paymentExecuteTime": bkash_time(transaction.at),
        }

    def _check_executable(self, payment):
        if payment.executed:
            self._fail("2116" if payment.mode == "0000" else "2117")
        if self.clock() > payment.created + PAYMENT_LIFE_S:
            self._fail("2056")
        if payment.customer == "new":
            self._fail("2060")
        if payment.customer != "confirmed":
            self._fail("2056")

    def _execute_agreement(self, payment):
        agreement = Agreement(
            f"TokenizedMerchant{secrets.token_hex(8).upper()}",
            payment.wallet,
            payment.payer_reference,
        )
        self.agreements[agreement.id] = agreement
        payment.agreement_id = agreement.id
        return ok(
            paymentID=payment.id,
            agreementID=agreement.id,
            payerReference=payment.payer_reference,
            customerMsisdn=payment.wallet,
            agreementExecuteTime=bkash_time(self.clock()),
            agreementStatus="Completed",
        )

    def _is_duplicate(self, payment):
        return any(
            (one.wallet, one.amount) == (payment.wallet, payment.amount)
            and one.at > self.clock() - DUPLICATE_S
            for one in self.transactions.values()
        )

    @route("POST", f"{API}/payment/status", call="query")
    def query(self, request):
        payment = self._find_payment(self._authorised(request))
        if payment.mode == "0000":
            answer = ok(paymentID=payment.id, mode=payment.mode, transactionStatus="Initiated")
            if payment.agreement_id:
                answer.update(agreementID=payment.agreement_id, agreementStatus="Completed")
            return answer
        answer = self._describe(payment)
        answer["merchantInvoice"] = answer.pop("merchantInvoiceNumber")
        confirmed = payment.customer == "confirmed"
        answer["verificationStatus"] = "Complete" if confirmed else "Incomplete"
        if payment.transaction:
            answer["maxRefundableAmount"] = money(payment.transaction.refundable)
        return answer

    def _describe(self, payment):
        answer = ok(
            paymentID=payment.id,
            mode=payment.mode,
            transactionStatus="Completed" if payment.transaction else "Initiated",
            amount=money(payment.amount),
            currency="BDT",
            intent="sale",
            merchantInvoiceNumber=payment.invoice,
        )
        if payment.transaction:
            answer.update(trxID=payment.transaction.id, customerMsisdn=payment.wallet)
        return answer

    def _find_payment(self, values):
        return self.payments.get(values.get("paymentID")) or self._fail("2002")

    @route("POST", f"{API}/general/searchTransaction", call="search")
    def search(self, request):
        values = self._authorised(request)
        found = self.transactions.get(values.get("trxID")) or self._fail("2033")
        return ok(
            trxID=found.id,
            transactionStatus="Completed",
            transactionType=KINDS[found.kind],
            amount=money(found.amount),
            currency="BDT",
            customerMsisdn=found.wallet,
            organizationShortCode=self.short_code,
            transactionReference=found.reference,
            initiationTime=bkash_time(found.at),
            completedTime=bkash_time(found.at),
            maxRefundableAmount=money(found.refundable),
        )

    # === AGREEMENTS === #

    @route("POST", f"{API}/agreement/status", call="agreement_status")
    def agreement_status(self, request):
        values = self._authorised(request)
        agreement = self.agreements.get(values.get("agreementID")) or self._fail("2051")
        return self._describe_agreement(agreement)

    @route("POST", f"{API}/agreement/cancel", call="agreement_cancel")
    def agreement_cancel(self, request):
        agreement = self._active_agreement(self._authorised(request))
        agreement.active = False
        return self._describe_agreement(agreement) | {"agreementVoidTime": bkash_time(self.clock())}

    def _active_agreement(self, values):
        agreement = self.agreements.get(values.get("agreementID")) or self._fail("2051")
        return agreement if agreement.active else self._fail("2053")

    def _describe_agreement(self, agreement):
        return ok(
            agreementID=agreement.id,
            payerReference=agreement.payer_reference,
            agreementStatus="Completed" if agreement.active else "Cancelled",
        )

    # === THE CUSTOMER === #

    def pay_url(self, payment_id):
        """Return the bkashURL of a payment."""
        payment = self.payments[payment_id]
        return f"{self.url}/?{urlencode({'paymentId': payment.id, 'hash': payment.key})}"

    @route("GET", "/")
    def show_pay_page(self, request):
        return self._pay_page(self._shown_payment(request))

    @route("POST", "/")
    def submit_pay_page(self, request):
        payment = self._shown_payment(request)
        form = request.form()
        try:
            url = self.customer(
                payment.id, form.get("choice"), form.get("wallet"), form.get("pin"), form.get("otp")
            )
        except CustomerError as error:
            return self._pay_page(payment, str(error))
        return redirect(url) if url else closed_page("bKash simulator")

    def _shown_payment(self, request):
        payment = self.payments.get(request.query.get("paymentId"))
        if not payment or payment.key != request.query.get("hash"):
            refuse(404, page("bKash simulator", "<p>This payment does not exist.</p>"))
        return payment

    def _pay_page(self, payment, error=""):
        facts = {"Invoice": payment.invoice or "Save this wallet"}
        if payment.mode != "0000":
            facts["Amount"] = f"৳ {money(payment.amount)}"
        inputs = [("pin", "PIN", "12121")]
        if payment.mode != "0001":
            inputs.insert(0, ("wallet", "Your bKash account number", "01711111111"))
        if payment.mode == "0000":
            inputs.append(("otp", "Code from the SMS", OTP))
        return pay_page(
            "bKash simulator", self.pay_url(payment.id), facts, inputs=inputs, error=error
        )

    def customer(self, payment_id, choice="pay", wallet=None, pin=None, otp=None):
        """Do what a customer does on the page; return where the browser goes, None if nowhere.

        :param choice: pay, fail, cancel, close or pay_close
        :raises CustomerError: shown on the page, which stays
        """
        with self.lock:
            payment = self.payments[payment_id]
            if choice == "close":
                return None
            if payment.customer == "confirmed" or payment.executed:
                raise CustomerError("This payment is being processed already.")
            if choice in ("fail", "cancel"):
                payment.customer = {"fail": "failed", "cancel": "canceled"}[choice]
                return self._return_url(payment, {"fail": "failure", "cancel": "cancel"}[choice])
            if payment.mode == "0001":
                wallet = self.agreements[payment.agreement_id].wallet
            error = self._check_wallet(payment, wallet or "01711111111", pin, otp)
            if error:
                payment.pin_tries += 1
                if payment.pin_tries >= PIN_TRIES:
                    payment.customer = "failed"
                    return self._return_url(payment, "failure")
                raise CustomerError(error)
            payment.customer, payment.wallet = "confirmed", wallet or "01711111111"
            return None if choice == "pay_close" else self._return_url(payment, "success")

    def _check_wallet(self, payment, wallet, pin, otp):
        if wallet not in self.wallets:
            return "This is not a bKash account."
        if pin is not None and pin != self.wallets[wallet].pin:
            return MESSAGES["2014"]
        if payment.mode == "0000" and otp is not None and otp != OTP:
            return "Wrong code"
        return ""

    def _return_url(self, payment, status):
        # bKash appends its own query whatever the URL already has.
        query = {"paymentID": payment.id, "status": status, "signature": secrets.token_hex(5)}
        return f"{payment.callback}?{urlencode(query | {'apiVersion': '1.2.0-beta/'})}"

    def pay_directly(self, amount, reference="", kind="qr", wallet="01711111111"):
        """Pay at the merchant's QR code or by USSD, without any order; return the trxID."""
        with self.lock:
            amount = Decimal(amount)
            self.wallets[wallet].balance -= amount
            transaction = self._new_transaction(wallet, amount, kind, reference)
            self._notify(transaction)
            return transaction.id

    def open_wallet(self, wallet, balance):
        """A customer of bKash more."""
        with self.lock:
            self.wallets[wallet] = Wallet(Decimal(balance))

    def _new_transaction(self, wallet, amount, kind, reference, invoice=""):
        one = Transaction(
            new_transaction_id(), wallet, amount, self.clock(), kind, reference, invoice
        )
        self.transactions[one.id] = one
        return one

    # === NOTIFICATIONS === #

    @route("GET", "/sns/SimpleNotificationService-1.pem", call="certificate")
    def certificate(self, _request):
        return Answer(self.topic.certificate())

    @route("GET", "/sns/confirm", call="confirm")
    def confirm(self, request):
        if not self.topic.confirm(request.query.get("Token")):
            refuse(404, "<Error/>")
        return "<ConfirmSubscriptionResponse/>"

    def subscribe(self, url):
        """Subscribe a shop's webhook to the merchant's notifications; it is asked to confirm."""
        with self.lock:
            self.topic.subscribe(url)

    def _notify(self, transaction):
        self.topic.publish(self.notification(transaction))

    def notification(self, transaction):
        """Return what a notification says of a transaction."""
        return {
            "dateTime": datetime.fromtimestamp(transaction.at, DHAKA).strftime("%Y%m%d%H%M%S"),
            "debitMSISDN": transaction.wallet,
            "creditOrganizationName": "Simulated merchant",
            "creditShortCode": self.short_code,
            "trxID": transaction.id,
            "transactionStatus": "Completed",
            "transactionType": KINDS[transaction.kind],
            "amount": money(transaction.amount),
            "currency": "BDT",
            "transactionReference": transaction.reference,
            "merchantInvoiceNumber": transaction.invoice,
        }


if __name__ == "__main__":
    main(Bkash)
