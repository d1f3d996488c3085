"""The problems of the billing engine, in words."""

import logging
from datetime import date

from odoo.tools import format_date
from odoo.tools.translate import LazyTranslate

from .isp_import_reasons import REASONS as IMPORT_REASONS

_lt = LazyTranslate(__name__)
_logger = logging.getLogger(__name__)

REASONS = {
    # the history of a subscription
    "end_before_start": lambda **p: _lt(
        "The service ends on %(end)s, before it starts on %(start)s.", **p
    ),
    "target_before_start": lambda **p: _lt(
        "The service starts on %(start)s. It cannot be billed up to %(target)s, which is before.",
        **p,
    ),
    "period_reversed": lambda **p: _lt(
        "%(what)s ends on %(date_to)s, before the beginning on %(date_from)s. Correct the dates.",
        **p,
    ),
    "pauses_overlap": lambda **p: _lt(
        "The suspension from %(date_from)s on begins before the earlier one has ended.", **p
    ),
    "key_repeated": lambda **p: _lt(
        "A line, fee or deposit is there twice. Remove one of the two.", **p
    ),
    "count_negative": lambda **p: _lt("%(what)s cannot be negative: %(count)s.", **p),
    "choice_unknown": lambda **p: _lt(
        "%(what)s is not set to a value that can be billed. Choose it anew.", **p
    ),
    "proration_unknown": lambda **p: _lt(
        "The plan does not say what a part of a period costs. Choose “Proration” on the plan.", **p
    ),
    "price_missing": lambda **p: _lt("There is no price on %(day)s. Enter one on the plan.", **p),
    # moments and zones
    "moment_without_zone": lambda **p: _lt("The moment %(moment)s has no time zone.", **p),
    "zone_unknown": lambda **p: _lt(
        "The time zone “%(zone)s” is unknown. Choose one on the contact of the company.", **p
    ),
    # coupons
    "coupon_not_yet": lambda **p: _lt(
        "Coupon %(coupon)s is accepted from %(valid_from)s on, not earlier.", **p
    ),
    "coupon_expired": lambda **p: _lt("Coupon %(coupon)s is no longer accepted.", **p),
    "coupon_used_up": lambda **p: _lt(
        "Coupon %(coupon)s has been redeemed %(limit)s times already and is used up.", **p
    ),
    "coupon_used_by_customer": lambda **p: _lt(
        "This customer has redeemed coupon %(coupon)s %(limit)s times already, which is the limit.",
        **p,
    ),
}

# What the engine calls its settings.
NAMES = {
    "line": _lt("A line of the subscription"),
    "pause": _lt("A suspension"),
    "trial_days": _lt("The number of trial days"),
    "mode": _lt("“Billing mode” of the plan"),
    "end_policy": _lt("“At the end” of the subscription"),
    "validity_from": _lt("The beginning of the prepaid time on the plan"),
    "short_service": _lt("The rule for short services"),
    "repair": _lt("The rule for corrections"),
    "policy": _lt("The rule for suspensions or prices"),
    "kind": _lt("The kind of a fee"),
    "when": _lt("The moment of a change"),
}


def explain_problem(env, problem):
    """``problem`` of any engine as a sentence in the user's language; never its code."""
    reason = REASONS.get(problem.code) or IMPORT_REASONS.get(problem.code)
    if reason is None:
        _logger.warning("No words for the problem %s", problem.code)
        return env._("This cannot be worked out. Please report it; the server's log names it.")
    params = {name: _spell(env, name, value) for name, value in problem.params.items()}
    return env._(reason(**params))


def _spell(env, name, value):
    if isinstance(value, date):
        return format_date(env, value)
    if name == "what" and value in NAMES:
        return env._(NAMES[value])
    return value
