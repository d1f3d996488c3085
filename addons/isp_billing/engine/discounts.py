"""Discounts of a line, and coupons that grant them."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from .problems import Problem

ZERO = Decimal(0)


@dataclass(frozen=True)
class Discount:
    """A percentage or an amount off one line's price.

    :param percent: of the price, 0-100; taken before amounts
    :param amount: off one whole period, less for a part; the price never falls below zero
    :param first_cycles: only the first so many billing periods, counted from the one that contains
        ``date_from``; a stub counts as one
    :param max_total: ends once so much has been given
    """

    key: str
    percent: Decimal = ZERO
    amount: Decimal = ZERO
    date_from: date | None = None
    date_to: date | None = None
    first_cycles: int | None = None
    max_total: Decimal | None = None

    def covers(self, day: date, cycle_number: int) -> bool:
        """Whether it is given on ``day``, which lies in its ``cycle_number``-th period (from 1)."""
        return (
            (self.date_from is None or day >= self.date_from)
            and (self.date_to is None or day < self.date_to)
            and (self.first_cycles is None or 1 <= cycle_number <= self.first_cycles)
        )


def discounted(price: Decimal, discounts: list[Discount]) -> Decimal:
    """``price`` of a whole period with every discount off, percentages one after the other first."""
    if price <= 0:
        return price
    for discount in sorted(discounts, key=lambda discount: (discount.amount > 0, discount.key)):
        price = price * (100 - discount.percent) / 100 - discount.amount
    return max(price, ZERO)


@dataclass(frozen=True)
class Coupon:
    """A code that customers redeem for a discount, within limits.

    ``valid_to`` is the first day on which it is no longer accepted.
    """

    code: str
    discount: Discount
    valid_from: date | None = None
    valid_to: date | None = None
    max_redemptions: int | None = None
    max_per_customer: int | None = 1


def redeem(coupon: Coupon, day: date, redeemed: int, redeemed_by_customer: int) -> Discount:
    """The discount that ``coupon`` grants on ``day``, beginning that day.

    :param redeemed: how often anybody has redeemed it
    :param redeemed_by_customer: how often this customer has
    :raises Problem: ``coupon_not_yet``, ``coupon_expired``, ``coupon_used_up`` or
        ``coupon_used_by_customer``
    """
    if coupon.valid_from and day < coupon.valid_from:
        raise Problem("coupon_not_yet", coupon=coupon.code, valid_from=coupon.valid_from)
    if coupon.valid_to and day >= coupon.valid_to:
        raise Problem("coupon_expired", coupon=coupon.code, valid_to=coupon.valid_to)
    if coupon.max_redemptions is not None and redeemed >= coupon.max_redemptions:
        raise Problem("coupon_used_up", coupon=coupon.code, limit=coupon.max_redemptions)
    if coupon.max_per_customer is not None and redeemed_by_customer >= coupon.max_per_customer:
        raise Problem("coupon_used_by_customer", coupon=coupon.code, limit=coupon.max_per_customer)
    begin = max(day, coupon.discount.date_from or day)
    return replace(coupon.discount, date_from=begin)
