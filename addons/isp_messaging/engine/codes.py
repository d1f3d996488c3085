"""One-time codes: how they are drawn, and how many may be sent to whom."""

import secrets
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Limits:
    """Against guessing, and against those who let us pay for messages to numbers of theirs."""

    digits: int = 6
    valid: timedelta = timedelta(minutes=5)
    checks: int = 5
    cooldown: timedelta = timedelta(seconds=60)
    number_short: int = 3  # in a quarter of an hour
    number_day: int = 5
    address_hour: int = 10
    address_countries: int = 3  # in an hour
    company_day: int = 2000


LIMITS = Limits()


def draw(limits=LIMITS):
    """Return a new code."""
    return f"{secrets.randbelow(10**limits.digits):0{limits.digits}}"


def refusal(now, of_number, of_address, country, limits=LIMITS):
    """Return why no code is sent now, None when one may be.

    :param of_number: when codes went to this number in the last day
    :param of_address: ``(when, country)`` of those that this network address asked for in the hour
    :return: ``wait`` (a minute), ``number`` or ``address`` (too many)
    """
    if any(now - moment < limits.cooldown for moment in of_number):
        return "wait"
    quarter = [moment for moment in of_number if now - moment < timedelta(minutes=15)]
    if len(quarter) >= limits.number_short or len(of_number) >= limits.number_day:
        return "number"
    countries = {other for _moment, other in of_address} | {country}
    if len(of_address) >= limits.address_hour or len(countries) > limits.address_countries:
        return "address"
    return None
