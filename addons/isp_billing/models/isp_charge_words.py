"""The steps of ``engine/explanation.py`` in words.

A label says what the step is; its formula, which needs no language, shows the sum. Values arrive
formatted.
"""

from odoo.tools.misc import get_lang
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

MINUS = "−"
DATE_FORMAT = "d MMM y"

LABELS = {
    # the price
    "price": lambda **p: _lt("%(name)s: %(price)s %(per)s", **p),
    "quantity": lambda **p: _lt("%(quantity)s pieces", **p),
    "percent": lambda **p: _lt("%(percent)s %% discount", **p),
    "percent_named": lambda **p: _lt("%(percent)s %% discount (%(label)s)", **p),
    "amount_off": lambda **p: _lt("Discount", **p),
    "amount_off_named": lambda **p: _lt("Discount (%(label)s)", **p),
    "discounts": lambda **p: _lt("Discounts together", **p),
    "discounts_named": lambda **p: _lt("Discounts together: %(labels)s", **p),
    "rate": lambda **p: _lt("Price of the whole period", **p),
    # a period or a part of it
    "full": lambda **p: _lt("The whole period, %(span)s", **p),
    "whole_stub": lambda **p: _lt("A part of a period costs the whole price: %(span)s", **p),
    "free_stub": lambda **p: _lt("The part before the first billing day is free: %(span)s", **p),
    "fraction": lambda **p: _lt("Share of the whole period: %(span)s", **p),
    "days": lambda **p: _lt("%(days)s of %(of_days)s days: %(span)s", **p),
    "days_thirty": lambda **p: _lt(
        "%(days)s of %(of_days)s days, every month counted as 30 days: %(span)s", **p
    ),
    "days_stretched": lambda **p: _lt(
        "A longer or shorter period, %(days)s days instead of %(of_days)s: %(span)s", **p
    ),
    "days_all": lambda **p: _lt("All days together, %(days)s of %(of_days)s: %(span)s", **p),
    "share": lambda **p: _lt("What these days cost", **p),
    "gross_share": lambda **p: _lt("What these days cost without discount", **p),
    "limited": lambda **p: _lt("Discount, as far as its limit allows", **p),
    "limited_named": lambda **p: _lt("Discount, as far as its limit allows: %(labels)s", **p),
    "rounding": lambda **p: _lt("Rounded to the smallest coin", **p),
    # missing or too much
    "remainder": lambda **p: _lt("These days were not billed yet: %(span)s", **p),
    "total_of_days": lambda **p: _lt("What all days together cost: %(span)s", **p),
    "missing": lambda **p: _lt("Less what was billed before", **p),
    "repaired": lambda **p: _lt(
        "Takes back %(span)s of what bill %(move)s charged for %(old_span)s", **p
    ),
    "repaired_once": lambda **p: _lt("Takes back what bill %(move)s charged on %(old_span)s", **p),
    "left": lambda **p: _lt("What earlier corrections left of it", **p),
    "taken_back_whole": lambda **p: _lt("All of it is given back", **p),
    "taken_back": lambda **p: _lt("Takes back %(span)s", **p),
    "kept_days": lambda **p: _lt("%(days)s of %(of_days)s days stay billed", **p),
    "kept_days_thirty": lambda **p: _lt(
        "%(days)s of %(of_days)s days stay billed, every month counted as 30 days", **p
    ),
    "days_back": lambda **p: _lt("%(days)s of %(of_days)s days are given back", **p),
    "days_back_thirty": lambda **p: _lt(
        "%(days)s of %(of_days)s days are given back, every month counted as 30 days", **p
    ),
    "stays": lambda **p: _lt("What stays billed", **p),
    "taken_off": lambda **p: _lt("What stays, less what was billed", **p),
    # once
    "one_off": lambda **p: _lt("%(name)s, charged once on %(span)s", **p),
    "setup": lambda **p: _lt("%(name)s, charged once on %(span)s", **p),
    "deposit": lambda **p: _lt(
        "%(name)s, taken on %(span)s and given back when the service ends", **p
    ),
    "deposit_refund": lambda **p: _lt("%(name)s, given back on %(span)s", **p),
    "usage": lambda **p: _lt("%(name)s: usage, %(span)s", **p),
    "trial": lambda **p: _lt("Free trial, from %(span)s: nothing is charged", **p),
    "trial_until": lambda **p: _lt("Free trial, %(span)s: nothing is charged", **p),
    "early_termination": lambda **p: _lt(
        "The service ended on %(span)s, before the agreed term was over", **p
    ),
    "early_termination_until": lambda **p: _lt(
        "The service ended on %(span)s, before the agreed term was over on %(until)s", **p
    ),
    "early_fee": lambda **p: _lt("Fee for ending before the term is over", **p),
    "early_rest": lambda **p: _lt(
        "%(percent)s %% of %(rest)s, the price of the rest of the term", **p
    ),
    "early_fee_and_rest": lambda **p: _lt(
        "The fee, and %(percent)s %% of %(rest)s, the price of the rest of the term", **p
    ),
    # what cannot be reproduced
    "on_record": lambda **p: _lt("Amount on record", **p),
    "differs": lambda **p: _lt(
        "The amount on record; from the steps above it would be %(computed)s", **p
    ),
}

FORMULAS = {
    "quantity": "{quantity} × {price} = {total}",
    "percent": "{base} − {base} × {percent} ÷ 100 = {rate}",
    "amount_off": "{base} − {value} = {rate}",
    "discounts": "{base} − {value} = {rate}",
    "days": "{days} ÷ {of_days} = {fraction}",
    "share": "{rate} × {fraction} = {exact}",
    "gross_share": "{rate} × {fraction} = {exact}",
    "limited": "{base} − {value} = {rate}",
    "rounding": "{exact}",
    "missing": "{total} − {billed} = {amount}",
    "left": "{billed} − {back} = {left}",
    "taken_back_whole": "{kept} − {left} = {amount}",
    "kept_days": "{days} ÷ {of_days} = {fraction}",
    "days_back": "{days} ÷ {of_days} = {fraction}",
    "taken_off": "{kept} − {left} = {amount}",
    "early_rest": "{rest} × {percent} ÷ 100 = {exact}",
    "early_fee_and_rest": "{fee} + {rest} × {percent} ÷ 100 = {exact}",
}

# The value to which a step of this code is rounded, when it differs from the unrounded one.
ROUNDED = {"share", "rounding", "early_rest", "early_fee_and_rest"}

PER = {
    "day": (lambda **p: _lt("per day", **p), lambda **p: _lt("per %(count)s days", **p)),
    "week": (lambda **p: _lt("per week", **p), lambda **p: _lt("per %(count)s weeks", **p)),
    "month": (lambda **p: _lt("per month", **p), lambda **p: _lt("per %(count)s months", **p)),
    "quarter": (
        lambda **p: _lt("per quarter", **p),
        lambda **p: _lt("per %(count)s quarters", **p),
    ),
    "half_year": (
        lambda **p: _lt("per half-year", **p),
        lambda **p: _lt("per %(count)s half-years", **p),
    ),
    "year": (lambda **p: _lt("per year", **p), lambda **p: _lt("per %(count)s years", **p)),
}


def spell_out(env, step, values):
    """``(label, formula)`` of a step in the language of ``env``.

    :param values: the values of the step, formatted
    """
    code = _variant(step)
    label = env._(LABELS[code](**values))
    base = next(
        (base for base in (code, step.code, code.rsplit("_", 1)[0]) if base in FORMULAS), ""
    )
    formula = FORMULAS.get(base, "").format(**values)
    if base in ROUNDED and step.values["exact"] != step.amount:
        formula = env._(
            "%(formula)s, rounded to %(amount)s", formula=formula, amount=values["amount"]
        )
    return label, formula


def _variant(step):
    """Which of the sentences of a step fits its values."""
    code, values = step.code, step.values
    if code == "days" and values["rule"] in ("all", "stretched"):
        return f"days_{values['rule']}"
    if code in ("days", "kept_days", "days_back") and values["thirty_days"]:
        return f"{code}_thirty"
    if values.get("label") or values.get("labels"):
        return f"{code}_named"
    if values.get("until"):
        return f"{code}_until"
    if code == "repaired" and values["is_once"]:
        return "repaired_once"
    if code == "early_rest" and values["fee"]:
        return "early_fee_and_rest"
    return code


def spell_cycle(env, per):
    """A cycle such as ``1 month`` as "per month"."""
    count, unit = per.split()
    one, many = PER[unit]
    return env._(one() if count == "1" else many(count=count))


def format_decimal(env, value, min_decimals):
    """``value`` with every digit that it has and at least ``min_decimals``.

    Floats would lose digits of long products, so only the integer part goes through Odoo's
    formatting.
    """
    lang = env["res.lang"].browse(get_lang(env).id)
    whole, _point, decimals = f"{abs(value):f}".partition(".")
    decimals = decimals.rstrip("0").ljust(min_decimals, "0")
    text = lang.format("%d", int(whole), grouping=True)
    if decimals:
        text += lang.decimal_point + decimals
    return f"{MINUS}{text}" if value < 0 else text


def format_money(env, value, currency):
    """``value`` with the sign of its currency."""
    text = format_decimal(env, value, currency.decimal_places)
    if currency.position == "after":
        return f"{text}\N{NO-BREAK SPACE}{currency.symbol}"
    return f"{currency.symbol}\N{NO-BREAK SPACE}{text}"
