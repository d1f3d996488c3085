"""Refunds of the simulated bKash: version 1 once for each payment, version 2 several times."""

from decimal import Decimal

from .base import refuse, route
from .bkash_state import (
    AMOUNT,
    API,
    API_V2,
    MESSAGES,
    REFUNDS_MAX,
    bkash_time,
    money,
    new_transaction_id,
    ok,
)


class BkashRefunds:
    """The part of the gateway that gives money back."""

    @route("POST", f"{API}/payment/refund", call="refund")
    def refund_v1(self, request):
        values = self._authorised(request)
        transaction = self._refunded(values.get("paymentID"), values.get("trxID"), self._fail_v1)
        if values.keys() <= {"paymentID", "trxID"}:
            if not transaction.refunds:
                self._fail_v1("2033")
            return self._describe_v1(transaction)
        if transaction.refunds:
            self._fail_v1("2034")
        self._refund(transaction, values, "amount", self._fail_v1)
        return self._describe_v1(transaction)

    def _describe_v1(self, transaction):
        refund_id, amount, at = transaction.refunds[0]
        return ok(
            originalTrxID=transaction.id,
            refundTrxID=refund_id,
            transactionStatus="Completed",
            amount=money(amount),
            currency="BDT",
            charge="0.00",
            completedTime=bkash_time(at),
        )

    def _fail_v1(self, code):
        refuse(200, {"errorCode": code, "errorMessage": MESSAGES[code]})

    @route("POST", f"{API_V2}/transaction", call="refund")
    def refund_v2(self, request):
        values = self._authorised(request)
        transaction = self._refunded(values.get("paymentId"), values.get("trxId"), self._fail_v2)
        if len(transaction.refunds) >= REFUNDS_MAX:
            self._fail_v2("2034")
        refund_id, amount, at = self._refund(transaction, values, "refundAmount", self._fail_v2)
        return {
            "originalTrxId": transaction.id,
            "refundTrxId": refund_id,
            "refundTransactionStatus": "Completed",
            "originalTrxAmount": money(transaction.amount),
            "refundAmount": money(amount),
            "currency": "BDT",
            "completedTime": bkash_time(at),
            "sku": values["sku"],
            "reason": values["reason"],
        }

    @route("POST", f"{API_V2}/status", call="refund_status")
    def refund_status(self, request):
        values = self._authorised(request)
        transaction = self._refunded(values.get("paymentId"), values.get("trxId"), self._fail_v2)
        return {
            "originalTrxId": transaction.id,
            "originalTrxAmount": money(transaction.amount),
            "originalTrxCompletedTime": bkash_time(transaction.at),
            "refundTransactions": [
                {
                    "refundTrxId": refund_id,
                    "refundTransactionStatus": "Completed",
                    "refundAmount": money(amount),
                    "completedTime": bkash_time(at),
                }
                for refund_id, amount, at in transaction.refunds
            ],
        }

    def _fail_v2(self, code):
        refuse(
            200,
            {
                "internalCode": f"refund_{code}",
                "externalCode": code,
                "errorMessageEn": MESSAGES[code],
                "errorMessageBn": "দুঃখিত, আবার চেষ্টা করুন।",
            },
        )

    def _refunded(self, payment_id, transaction_id, fail):
        payment = self.payments.get(payment_id)
        transaction = payment and payment.transaction
        return transaction if transaction and transaction.id == transaction_id else fail("2033")

    def _refund(self, transaction, values, amount_field, fail):
        for name in ("sku", "reason"):
            if not 0 < len(values.get(name, "")) <= 255:
                refuse(400, {"message": "Invalid request body"})
        text = values.get(amount_field, "")
        if not AMOUNT.fullmatch(text) or Decimal(text) <= 0:
            fail("2006")
        if Decimal(text) > transaction.refundable:
            fail("2026")
        refund = (new_transaction_id(), Decimal(text), self.clock())
        transaction.refunds.append(refund)
        self.wallets[transaction.wallet].balance += Decimal(text)
        return refund
