"""What a new list price of a plan means for customers who have the plan already."""

from datetime import date
from decimal import Decimal

from .history import LineChange
from .problems import Problem

POLICIES = ("grandfathered", "cycle_end", "now")


def list_price(prices: dict[date, Decimal], day: date) -> Decimal:
    """The list price on ``day``.

    :param prices: price from each day on
    :raises Problem: ``price_missing`` before the first day
    """
    valid_from = max((since for since in prices if since <= day), default=None)
    if valid_from is None:
        raise Problem("price_missing", day=day)
    return prices[valid_from]


def price_changes(
    prices: dict[date, Decimal], joined: date, policy: str, keep_until: date | None = None
) -> tuple[LineChange, ...]:
    """Changes of the price of a line that joined the plan on ``joined``.

    :param policy: ``grandfathered`` keeps the price of the day of joining, until ``keep_until`` when
        given (then the list price holds from the next period on); ``cycle_end`` and ``now`` follow
        the list from the next period or from the day itself
    """
    if policy not in POLICIES:
        raise Problem("choice_unknown", what="policy", value=policy)
    if policy == "grandfathered":
        if keep_until is None:
            return ()
        later = {day: price for day, price in prices.items() if day > keep_until}
        later[max(keep_until, joined)] = list_price(prices, max(keep_until, joined))
        policy = "cycle_end"
    else:
        later = {day: price for day, price in prices.items() if day > joined}
    return tuple(LineChange(day, price=later[day], when=policy) for day in sorted(later))
