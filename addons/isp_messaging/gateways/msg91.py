"""MSG91, API v5 (India): it fills in the variables of a text that is registered with it.

It knows no key of ours, so after a time-out nothing may be sent again by itself. From client code of
others, seen in 2026.
"""

import json

from .common import (
    ANSWER_S,
    Accepted,
    Misconfigured,
    Refused,
    Report,
    TryLater,
    Unknown,
    call,
    scrub,
    to_amount,
)

NAME = "MSG91"
LIVE_URL = "https://control.msg91.com"

_SEND, _BALANCE = "/api/v5/flow", "/api/balance.php"
_ROUTE = "4"  # transactional
_NOT_DELIVERED = {
    *("FAILED", "REJECTED", "NDNC", "BLOCKED", "BLOCKED NUMBER", "BLACKLIST", "EXPIRED"),
    *("UNDELIVERED", "DLT SCRUBBING FAILED"),
}
_MISCONFIGURED = {
    "201": "MSG91 does not accept the authentication key: copy it from the panel again.",
    "207": "MSG91 does not accept the authentication key: copy it from the panel again.",
    "301": "MSG91 says that the account has no money left.",
    "302": "The account at MSG91 has expired.",
    "401": "MSG91 does not accept the authentication key: copy it from the panel again.",
    "418": "MSG91 does not know the address of this server: whitelist its IP in the panel.",
}


class Msg91:
    """One account at MSG91.

    :param sender: the header that is registered for the operator; MSG91 takes it from the template
    """

    deduplicates = False
    live_url = LIVE_URL

    def __init__(self, token, sender, base_url=None, answer_s=ANSWER_S):
        if not token or not sender:
            raise Misconfigured("Enter the authentication key and the sender (header) of MSG91.")
        self._token, self._sender = token, sender
        self._base_url = (base_url or self.live_url).rstrip("/")
        self._answer_s = answer_s

    def __repr__(self):
        return "<Msg91>"

    def send(self, order):
        """Hand one message over; see :mod:`..gateways`."""
        if not order.template_id:
            raise Refused("MSG91 sends registered texts only: enter its template id.")
        values = {f"VAR{number}": text for number, text in enumerate(order.values, 1)}
        status, answer = self._call(
            _SEND,
            document={
                "template_id": order.template_id,
                "short_url": "0",
                "realTimeResponse": "1",
                "recipients": [{"mobiles": order.digits, **values}],
            },
        )
        self._check(status, answer)
        reference = str(answer.get("message") or "")
        if not reference:
            raise Unknown("MSG91 gave no number for the message.")
        return Accepted(reference)

    @staticmethod
    def read_reports(form, body):
        """Return what a notification says became of messages; nothing of what cannot be read.

        They are not signed. Older ones have the list in the form field ``data``, newer ones are
        the list itself.
        """
        try:
            entries = json.loads(form.get("data") or body)
        except ValueError:
            return []
        found = []
        for entry in entries if isinstance(entries, list) else [entries]:
            reports = entry.get("report") if isinstance(entry, dict) else None
            for report in reports if isinstance(reports, list) else []:
                if isinstance(report, dict):
                    found += _read_report(str(entry.get("requestId") or ""), report)
        return found

    def balance(self):
        """Return how many credits are left."""
        status, answer = self._call(_BALANCE, form={"authkey": self._token, "type": _ROUTE})
        if isinstance(answer, dict):
            self._check(status, answer)
            answer = answer.get("balance")
        amount = to_amount(answer)
        if amount is None:
            raise Unknown("MSG91 did not say how much is left.")
        return amount

    def _call(self, path, **content):
        status, answer = call(
            NAME,
            self._base_url + path,
            headers={"authkey": self._token},
            answer_s=self._answer_s,
            **content,
        )
        if path == _SEND and not isinstance(answer, dict):
            raise Unknown("MSG91 gave an answer that cannot be read.")
        return status, answer

    def _check(self, status, answer):
        """Raise what the answer says."""
        if answer.get("type") == "success":
            return
        code = str(answer.get("apiError") or answer.get("code") or (status >= 400 and status) or "")
        if code in _MISCONFIGURED:
            raise Misconfigured(_MISCONFIGURED[code], code)
        if code == "429":
            raise TryLater("MSG91 gets too many messages at once.", code)
        if answer.get("type") == "error":
            raise Refused(f"MSG91 does not take it: {scrub(answer.get('message'))}", code)
        raise Unknown("MSG91 gave an answer that says neither yes nor no.", code)


def _read_report(reference, report):
    words = str(report.get("desc") or "").strip().upper()
    number = str(report.get("number") or "").lstrip("+")
    if not reference or not number:
        return []
    if words == "DELIVERED":
        return [Report(reference, f"+{number}", is_delivered=True)]
    if words in _NOT_DELIVERED:
        reason = scrub(report.get("failedReason") or words.capitalize())
        return [Report(reference, f"+{number}", is_delivered=False, reason=reason)]
    return []  # on its way, or a word that we do not know
