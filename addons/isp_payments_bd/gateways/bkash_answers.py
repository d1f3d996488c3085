"""Reads what bKash answers; whatever is not plainly a success or a refusal is Unknown."""

import re
from datetime import datetime, timedelta, timezone

from .bkash_errors import error_of
from .common import FAILED, PAID, PENDING, Refund, Unknown, money

_REFUND_STATUS = {"Completed": PAID, "Failed": FAILED, "Cancelled": FAILED}
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)[:.](\d{3}) ?(?:GMT)?([+-])(\d\d):?(\d\d)", re.ASCII
)


def is_token_refused(status, answer):
    """Return whether the call was turned away for its token, and nothing done."""
    if status in (401, 403):
        return True
    message = str(answer.get("message", "")).lower()
    return status == 200 and ("unauthorized" in message or "token has expired" in message)


def successful(status, answer):
    """Return an answer that is a success, or raise what it is instead."""
    code = next(
        (
            str(answer[name])
            for name in ("errorCode", "externalCode", "internalCode", "statusCode")
            if answer.get(name) and not (name == "statusCode" and answer[name] == "0000")
        ),
        None,
    )
    if status != 200:
        raise Unknown(f"bKash has a problem (HTTP {status}).", code or "")
    if code:
        texts = ("errorMessage", "errorMessageEn", "statusMessage")
        raise error_of(code, next((str(answer[name]) for name in texts if answer.get(name)), ""))
    if answer.get("errorMessage") or answer.get("message"):
        raise Unknown("bKash answered with a message instead of a result.")
    # Version 2 of the refunds has no status code in its successes.
    if answer.get("statusCode") != "0000" and "originalTrxId" not in answer:
        raise Unknown("bKash's answer does not say whether it is a success.")
    return answer


def text_of(answer, name):
    """Return a field that has to be there."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise Unknown(f"bKash's answer lacks “{name}”.")
    return value


def amount_of(answer, name):
    """Return a field that has to be an amount."""
    try:
        return money(text_of(answer, name))
    except ValueError:
        raise Unknown(f"bKash's answer has an unreadable “{name}”.") from None


def refund_v1(answer):
    """Return the Refund of an answer of version 1."""
    return _refund(answer, "refundTrxID", "transactionStatus", "amount")


def refund_v2(answer):
    """Return the Refund of an answer of version 2."""
    return _refund(answer, "refundTrxId", "refundTransactionStatus", "refundAmount")


def _refund(answer, reference, status, amount_name):
    said = text_of(answer, status)
    return Refund(
        status=_REFUND_STATUS.get(said, PENDING),
        reference=text_of(answer, reference),
        amount=amount_of(answer, amount_name),
        reason="" if said == "Completed" else f"bKash says “{said[:40]}”.",
    )


def parse_time(text):
    """Return the aware moment of ``2026-06-01T12:22:41:428 GMT+0600``, None if it is not one."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    *numbers, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second, millisecond = map(int, numbers)
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        return datetime(
            *(year, month, day, hour, minute, second, millisecond * 1000), timezone(offset)
        )
    except ValueError:
        return None
