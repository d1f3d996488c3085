"""Why invoices were not copied, in words."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

REASONS = {
    # the addons
    "field_undeclared": lambda **p: _lt("%(field)s does not say what it is computed from", **p),
    "field_default": lambda **p: _lt(
        "%(field)s has a default that may differ from record to record", **p
    ),
    "field_depends": lambda **p: _lt("%(field)s depends on %(cause)s", **p),
    "code_check": lambda **p: _lt("the addon %(module)s adds a check to %(model)s", **p),
    "code_changed": lambda **p: _lt("the addon %(module)s changes %(method)s", **p),
    "patched": lambda **p: _lt("%(method)s is patched at run time", **p),
    # the settings
    "journal_hashed": lambda **p: _lt("journal %(journal)s is secured with hashes", **p),
    "journal_pattern": lambda **p: _lt("journal %(journal)s has its own pattern of numbers", **p),
    "journal_by_partner": lambda **p: _lt("journal %(journal)s numbers by partner", **p),
    "analytic_models": lambda **p: _lt("analytic distribution models may differ by partner", **p),
    "automation": lambda **p: _lt("automation rules run on invoices", **p),
    # the invoice
    "values": lambda **p: _lt("the values are not those of a plain invoice", **p),
    "credit_note": lambda **p: _lt("a bill is a credit note", **p),
    "total": lambda **p: _lt("a total is zero or negative", **p),
    "not_posted": lambda **p: _lt("an invoice was not posted", **p),
    "settled": lambda **p: _lt("an invoice is settled as soon as posted", **p),
    "hash": lambda **p: _lt("an invoice carries a hash", **p),
    "auto_post": lambda **p: _lt("an invoice is posted automatically", **p),
    "cash_rounding": lambda **p: _lt("an invoice is rounded for cash", **p),
    "analysed": lambda **p: _lt("an invoice is analysed", **p),
    "other_partner": lambda **p: _lt("a line has another partner", **p),
    "amounts": lambda **p: _lt("amounts at other prices cannot be worked out", **p),
    "labels": lambda **p: _lt("labels do not follow the prepared ones", **p),
    "numbers": lambda **p: _lt("numbers of the journal are not in order", **p),
    # what was written
    "not_counted": lambda **p: _lt(
        "PostgreSQL does not count what is written (track_counts is off)", **p
    ),
    "written": lambda **p: _lt("posting an invoice also writes to %(tables)s", **p),
    "tracked": lambda **p: _lt("changes of invoices are tracked in the chatter", **p),
}


def explain_reason(env, reason):
    """``reason`` in the user's language."""
    params = dict(reason.params)
    if reason.code == "noted":  # in words, by an earlier version
        return params["text"]
    return env._(REASONS[reason.code](**params))


def explain_counts(env, counts):
    """Counted reasons in the user's language, the most frequent first, one a line."""
    return "\n".join(
        env._(
            "%(count)s × %(reason)s",
            count=count,
            reason=explain_reason(env, reason),
        )
        for reason, count in counts.most_common()
    )
