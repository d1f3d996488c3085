from contextlib import contextmanager

from odoo.exceptions import ValidationError

from ..addresses.problem import AddressProblem


@contextmanager
def explained(env):
    """Turn an :class:`AddressProblem` into a sentence that says what to write instead."""
    try:
        yield
    except AddressProblem as problem:
        raise ValidationError(explain(env, problem)) from None


def explain(env, problem):
    """The sentence of an :class:`AddressProblem`."""
    sentences = {
        "range": env._(
            "“%(value)s” is not an IPv4 range. Write a network like 103.10.0.0/24, a range like "
            "103.10.0.10-103.10.0.99, or one address."
        ),
        "range_order": env._("In “%(value)s” the last address comes before the first."),
        "host_bits": env._(
            "“%(value)s” names an address inside a network, not the network. Write the first "
            "address of the network before the slash."
        ),
        "prefix": env._("“%(value)s” is not an IPv6 prefix. Write it like 2001:db8:100::/40."),
        "moment": env._(
            "“%(value)s” is not a date and time. Write year, month, day and time like "
            "2026-11-03 21:14:05."
        ),
        "moment_twice": env._(
            "At “%(value)s” the clocks of that time zone were changed, so the moment is not "
            "certain. Ask the authority for the time in UTC and write it like "
            "2026-11-03T21:14:05Z."
        ),
        "zone": env._("“%(value)s” is not a time zone."),
    }
    return sentences[problem.code] % {"value": problem.value}
