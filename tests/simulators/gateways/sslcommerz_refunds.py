"""Refunds of the SSLCommerz simulator: asked for by the shop, done by the bank days later."""

import secrets
from decimal import Decimal, InvalidOperation

REFUND_S = 3 * 24 * 3600  # [guess]


class Refunds:
    """Part of ``Sslcommerz``: ``refunds`` by reference, for its sessions."""

    def _refund(self, query):
        problem = self._problem_of_refund(query)
        if problem:
            return {"APIConnect": "DONE", "status": "failed", "errorReason": problem}
        for reference, refund in self.refunds.items():
            if refund["refund_trans_id"] == query["refund_trans_id"]:
                # "The refund has been initiated already."
                return self._refund_answer(reference, "processing")
        reference = secrets.token_hex(8).upper()
        self.refunds[reference] = {
            "refund_trans_id": query["refund_trans_id"],
            "bank_tran_id": query["bank_tran_id"],
            "amount": query["refund_amount"],
            "status": "processing",
            "asked_at": self.clock(),
            "initiated_on": self._now(),
        }
        return self._refund_answer(reference, "success")

    def _refund_answer(self, reference, status):
        refund = self.refunds[reference]
        return {
            "APIConnect": "DONE",
            "bank_tran_id": refund["bank_tran_id"],
            "trans_id": refund["refund_trans_id"],
            "refund_ref_id": reference,
            "status": status,
            "errorReason": "",
        }

    def _problem_of_refund(self, query):
        if not self.refunds_allowed:
            return "Your IP is not registered"
        if not query.get("refund_remarks") or len(query["refund_remarks"]) > 255:
            return "refund_remarks is missing or too long"
        refund_id = query.get("refund_trans_id", "")
        if not refund_id or len(refund_id) > 30:
            return "refund_trans_id is missing or too long"
        paid = [
            attempt.fields["amount"]
            for session in self.sessions.values()
            for attempt in session.attempts
            if attempt.status == "VALID" and attempt.fields["bank_tran_id"] == query["bank_tran_id"]
        ]
        if not paid:
            return "Bank transaction ID is invalid"
        return self._problem_of_refund_amount(query, Decimal(paid[0]))

    def _problem_of_refund_amount(self, query, paid):
        same = [one for one in self.refunds.values() if one["status"] != "cancelled"]
        before = sum(
            Decimal(one["amount"])
            for one in same
            if one["bank_tran_id"] == query["bank_tran_id"]
            and one["refund_trans_id"] != query["refund_trans_id"]
        )
        try:
            amount = Decimal(query.get("refund_amount", ""))
        except InvalidOperation:
            return "refund_amount is invalid"
        return "" if 0 < amount <= paid - before else "refund_amount is more than was paid"

    def _refund_status(self, query):
        refund = self.refunds.get(query["refund_ref_id"])
        if not refund:
            return {"APIConnect": "DONE", "status": "", "errorReason": "refund_ref_id is invalid"}
        late = self.clock() - refund["asked_at"] > REFUND_S
        if refund["status"] == "processing" and late:
            self.finish_refund(query["refund_ref_id"])
        answer = self._refund_answer(query["refund_ref_id"], refund["status"])
        dates = {"initiated_on": refund["initiated_on"], "refunded_on": refund.get("on", "")}
        return {**answer, **dates}

    def finish_refund(self, reference, status="refunded"):
        """The money is back with the customer, or the refund is "cancelled"."""
        with self.lock:
            self.refunds[reference].update(status=status, on=self._now())
