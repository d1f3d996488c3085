"""SSL Wireless ISMS Plus, API v3, as far as the suite calls it.

The address of the balance, and its answer, are a guess: the clients it was learned from have none.
"""

import itertools
import re

from ..gateways.base import GatewaySimulator, main, refuse, route

TOKEN, SID = "ssl-test-token-000000000000", "PADMANET"
_NUMBER = re.compile(r"8801[3-9]\d{8}")
_FIELDS = {"api_token", "sid", "msisdn", "sms", "csms_id"}
_LONGEST = 1000
_BLOCKED = "8801999999999"


class SslWireless(GatewaySimulator):
    """``delivered`` is what customers got: ``[(number, text)]``."""

    name = "ssl_wireless"

    def __init__(self, port=0, host="127.0.0.1", balance="1500.50", whitelisted=True):
        super().__init__(port, host)
        self.balance_left, self.whitelisted = balance, whitelisted
        self.delivered, self.known = [], {}
        self._numbers = itertools.count(1)

    @route("POST", "/api/v3/send-sms", call="send")
    def send(self, request):
        fields = self._fields(request, _FIELDS)
        if len(fields["csms_id"]) > 20:
            self._no(4022, "csms_id is longer than 20")
        if not fields["sms"].strip():
            self._no(4022, "sms is empty")
        if len(fields["sms"]) > _LONGEST:
            self._no(4027, "sms is too long")
        if not _NUMBER.fullmatch(fields["msisdn"]):
            self._no(4025, "Invalid msisdn")
        if fields["msisdn"] == _BLOCKED:
            self._no(4026, f"{_BLOCKED} is blocked")
        if fields["csms_id"] in self.known:
            self._no(4023, "Duplicate csms_id")
        reference = f"ref{next(self._numbers):08}"
        self.known[fields["csms_id"]] = reference
        self.delivered.append((fields["msisdn"], fields["sms"]))
        return {
            "status": "SUCCESS",
            "status_code": 200,
            "error_message": "",
            "smsinfo": [
                {
                    "sms_status": "SUCCESS",
                    "msisdn": fields["msisdn"],
                    "sms_type": "EN" if fields["sms"].isascii() else "BN",
                    "csms_id": fields["csms_id"],
                    "reference_id": reference,
                }
            ],
        }

    @route("POST", "/api/v3/balance", call="balance")
    def balance(self, request):
        self._fields(request, {"api_token", "sid"})
        return {"status": "SUCCESS", "status_code": 200, "balance": self.balance_left}

    def _fields(self, request, wanted):
        """Return the fields; one too many, one missing or one that is no text is refused."""
        fields = request.json()
        if not self.whitelisted:
            self._no(4003, "IP is blacklisted")
        if fields.get("api_token") != TOKEN:
            self._no(4001, "Unauthorized")
        if fields.get("sid") != SID:
            self._no(4002, "Invalid sid")
        if set(fields) != wanted or not all(isinstance(text, str) for text in fields.values()):
            self._no(4022, "Missing or unknown field")
        return fields

    def _no(self, code, words):
        refuse(200, {"status": "FAILED", "status_code": code, "error_message": words})

    def snapshot(self):
        return {"delivered": self.delivered}


if __name__ == "__main__":
    main(SslWireless)
