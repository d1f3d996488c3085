"""SSL Wireless ISMS Plus, API v3 (Bangladesh).

``csms_id`` is the key of a message: a second order with the same one is answered with 4023, and the
customer gets one message. From client code of others, seen in 2026; the balance's address is not
documented there.
"""

from .common import ANSWER_S, Accepted, Misconfigured, Refused, TryLater, Unknown, call, to_amount

NAME = "SSL Wireless"
LIVE_URL = "https://smsplus.sslwireless.com"

_SEND, _BALANCE = "/api/v3/send-sms", "/api/v3/balance"
_DUPLICATE = "4023"
_MISCONFIGURED = {
    "4001": "SSL Wireless does not accept the API token: copy it from the panel again.",
    "4002": "SSL Wireless does not know this sender (SID), or the account may not use it.",
    "4003": "SSL Wireless does not know the address of this server: ask them to whitelist its IP.",
}
_REFUSED = {
    "4022": "SSL Wireless misses a field of the message.",
    "4025": "SSL Wireless takes the number for invalid.",
    "4026": "The number, or a word of the text, is blocked at SSL Wireless.",
    "4027": "The text is too long for SSL Wireless.",
}
_LATER = {"4029", "4031", "4033"}
_STATUS_REFUSED = {
    "INVALID": "SSL Wireless takes the number for invalid.",
    "BLOCKED": "The number is blocked at SSL Wireless.",
}


class SslWireless:
    """One account at SSL Wireless.

    :param sender: the SID, a brand's name (masking) or a number
    """

    deduplicates = True
    live_url = LIVE_URL

    def __init__(self, token, sender, base_url=None, answer_s=ANSWER_S):
        if not token or not sender:
            raise Misconfigured("Enter the API token and the sender (SID) of SSL Wireless.")
        self._token, self._sender = token, sender
        self._base_url = (base_url or self.live_url).rstrip("/")
        self._answer_s = answer_s

    def __repr__(self):
        return "<SslWireless>"

    def send(self, order):
        """Hand one message over; see :mod:`..gateways`."""
        answer = self._call(
            _SEND, {"msisdn": order.digits, "sms": order.text, "csms_id": order.key}
        )
        if _code(answer) == _DUPLICATE:
            return Accepted(was_known=True)
        self._check(answer)
        entries = answer.get("smsinfo")
        entry = entries[0] if isinstance(entries, list) and len(entries) == 1 else None
        if not isinstance(entry, dict) or entry.get("csms_id") != order.key:
            raise Unknown("SSL Wireless gave an answer about another message.")
        status = str(entry.get("sms_status") or "").upper()
        reference = str(entry.get("reference_id") or "")
        if status == "DUPLICATE":
            return Accepted(reference, was_known=True)
        if status in _STATUS_REFUSED:
            raise Refused(_STATUS_REFUSED[status], status)
        if status != "SUCCESS":
            raise Unknown("SSL Wireless does not say if it took the message.")
        return Accepted(reference)

    @staticmethod
    def read_reports(form, body):
        """Return nothing: no reports of delivery are documented."""
        return []

    def balance(self):
        """Return how much money is left."""
        answer = self._call(_BALANCE, {})
        self._check(answer)
        amount = to_amount(answer.get("balance"))
        if amount is None:
            raise Unknown("SSL Wireless did not say how much is left.")
        return amount

    def _call(self, path, fields):
        _status, answer = call(
            NAME,
            self._base_url + path,
            document={"api_token": self._token, "sid": self._sender, **fields},
            answer_s=self._answer_s,
        )
        if not isinstance(answer, dict):
            raise Unknown("SSL Wireless gave an answer that cannot be read.")
        return answer

    def _check(self, answer):
        """Raise what the answer's code says."""
        code = _code(answer)
        if code == "200":
            return
        if code in _MISCONFIGURED:
            raise Misconfigured(_MISCONFIGURED[code], code)
        if code in _REFUSED:
            raise Refused(_REFUSED[code], code)
        if code in _LATER:
            raise TryLater("SSL Wireless gets too many messages at once.", code)
        raise Unknown(f"SSL Wireless answered with the code {code[:8] or '?'}.", code)


def _code(answer):
    return str(answer.get("status_code") or "")
