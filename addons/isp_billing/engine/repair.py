"""Corrects what was billed until it agrees with the history: repair lines and missing charges.

Each line is looked at by itself. Charges of one rate continue each other: of such a charge only the
days that are too many are taken back, and only missing days are charged. Everything else is taken
back whole and charged anew. Repairs are negative and lie on days of the charge they take back, which
itself is never touched.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from .history import ZERO, Charge, Options
from .parts import days_between, rounded
from .periods import FRACTION_STEP
from .spans import Span, contains, join, subtract


@dataclass
class Piece:
    """What repairs have left of a stored charge."""

    charge: Charge
    spans: list[Span]
    amount: Decimal
    exact: Decimal

    @property
    def is_open(self) -> bool:
        """Whether a day of it still counts as billed."""
        return bool(self.spans)


def open_pieces(billed: list[Charge]) -> list[Piece]:
    """What repairs have left of the recurring charges in ``billed``, oldest first.

    A repair without ``repairs`` belongs to the latest charge before it that still has all its days.
    """
    pieces = []
    for charge in billed:
        span = (charge.date_from, charge.date_to)
        if span[0] >= span[1]:
            continue
        if charge.kind == "recurring":
            pieces.append(Piece(charge, [span], charge.amount, charge.precise))
        elif charge.kind == "repair":
            _take_off(pieces, charge, span)
    return [piece for piece in pieces if piece.is_open]


def _take_off(pieces, repair, span):
    for piece in reversed(pieces):
        is_meant = repair.repairs is None or repair.repairs == piece.charge.ref
        if is_meant and piece.charge.line == repair.line and contains(piece.spans, [span]):
            piece.spans = subtract(piece.spans, [span])
            piece.amount += repair.amount
            piece.exact += repair.precise
            return


def reconcile(
    wanted: list[Charge], pieces: list[Piece], options: Options, decimals: int
) -> list[Charge]:
    """New charges and repairs that turn ``pieces`` into ``wanted``.

    :param wanted: recurring charges as if billed from the beginning
    :return: repairs, then charges in the order of ``wanted``; in this order a later run knows which
        charge a repair without ``repairs`` belongs to
    """
    mender = _Mender(options, decimals)
    by_rate = {}
    for part in wanted:
        by_rate.setdefault(_identity(part), ([], []))[0].append(part)
    for piece in pieces:
        by_rate.setdefault(_identity(piece.charge), ([], []))[1].append(piece)
    for parts, old in by_rate.values():
        parts, old = mender.drop_agreeing(parts, old)
        for some_parts, some_old in _components(parts, old):
            mender.mend(some_parts, some_old)
    order = {part: place for place, part in enumerate(wanted)}
    mender.charges.sort(key=lambda item: order[item[0]])
    return mender.repairs + [charge for _part, charge in mender.charges]


def _components(parts, pieces):
    """Groups of parts and pieces that overlap, directly or through others."""
    items = [(part.date_from, part.date_to, part, None) for part in parts]
    items += [(piece.spans[0][0], piece.spans[-1][1], None, piece) for piece in pieces]
    group, group_end = ([], []), None
    for date_from, date_to, part, piece in sorted(items, key=lambda item: item[:2]):
        if group_end is not None and date_from >= group_end:
            yield group
            group, group_end = ([], []), None
        group[0 if part else 1].append(part or piece)
        group_end = max(group_end or date_to, date_to)
    if group_end is not None:
        yield group


class _Mender:
    """Collects the charges and repairs of one reconciliation."""

    def __init__(self, options, decimals):
        self.charges = []
        self.repairs = []
        self._options = options
        self._decimals = decimals
        # A period charged whole keeps its price whatever part of it is used.
        self._by_days = options.repair == "removed" and not options.whole_parts

    def drop_agreeing(self, parts, pieces):
        """Leave out what is billed exactly as wanted."""
        by_span = {(part.date_from, part.date_to): part for part in parts}
        rest = []
        for piece in pieces:
            part = by_span.get(piece.spans[0]) if len(piece.spans) == 1 else None
            if part and (self._by_days or part.amount == piece.amount):
                del by_span[piece.spans[0]]
            else:
                rest.append(piece)
        return list(by_span.values()), rest

    def _agrees(self, parts, pieces):
        wanted = join([(part.date_from, part.date_to) for part in parts])
        have = join([span for piece in pieces for span in piece.spans])
        return wanted == have and (self._by_days or _total(parts) == _total(pieces))

    def mend(self, parts, pieces):
        """Bill what is missing and take back what is too much in one group of overlaps."""
        if parts and pieces and self._agrees(parts, pieces):
            return
        part_days = join([(part.date_from, part.date_to) for part in parts])
        piece_days = join([span for piece in pieces for span in piece.spans])
        difference = _total(parts) - _total(pieces)
        if not pieces:
            self.charges += [(part, part) for part in parts]
        elif (
            parts
            and contains(piece_days, part_days)
            and self._take_back(pieces, part_days, difference, _exact(parts))
        ):
            return
        elif (
            parts
            and part_days != piece_days
            and contains(part_days, piece_days)
            and difference * _total(parts) >= 0
        ):
            self._fill(parts, piece_days, difference, _exact(parts) - _exact(pieces))
        else:
            for piece in pieces:
                self._repair(piece, [(span, None) for span in piece.spans])
            self.charges += [(part, part) for part in parts]

    def _take_back(self, pieces, kept, difference, kept_exact):
        """Repair the days of ``pieces`` outside ``kept``; ``False`` when that cannot be."""
        gaps = [(piece, gap) for piece in pieces for gap in subtract(piece.spans, kept)]
        if not gaps or difference * _total(pieces) > 0:
            return False
        if not self._by_days:
            if not difference:
                return True
            exact = kept_exact - _exact(pieces)
            shares = self._shares([(self._worth(*gap), gap) for gap in gaps], difference)
            if any(abs(share) > abs(piece.amount) for share, (piece, _gap) in shares):
                return False
            for share, (piece, gap) in shares:
                self._repair(piece, [(gap, (share, exact * share / difference))])
            return True
        for piece in pieces:
            self._repair(piece, [(gap, None) for owner, gap in gaps if owner is piece])
        return True

    def _worth(self, piece, span):
        """Unrounded share of ``span`` in what is left of ``piece``."""
        whole = sum(self._days(one) for one in piece.spans)
        return piece.exact * self._days(span) / whole if whole else ZERO

    def _days(self, span):
        return days_between(*span, self._options.thirty_days) or days_between(*span)

    def _shares(self, weighted, total):
        """Split ``total`` by weight, rounded; the last one takes what rounding leaves."""
        weights = sum((weight for weight, _what in weighted), ZERO)
        left, shares = total, []
        for weight, what in weighted[:-1]:
            part = weight / weights if weights else 1 / Decimal(len(weighted))
            share = rounded(total * part, self._decimals)
            shares.append((share, what))
            left -= share
        return [*shares, (left, weighted[-1][1])]

    def _repair(self, piece, spans):
        """Take back ``[(span, (amount, exact) or None for its share)]`` of ``piece``."""
        is_whole = [span for span, _values in spans] == piece.spans
        left = piece.amount
        for number, (span, values) in enumerate(spans, 1):
            if values:
                amount, exact = values
            else:
                exact = -self._worth(piece, span)
                amount = rounded(exact, self._decimals)
                if (is_whole and number == len(spans)) or abs(amount) > abs(left):
                    amount = -left
            left += amount
            if not amount:
                continue
            charge = piece.charge
            fraction = (
                charge.fraction * self._days(span) / self._days((charge.date_from, charge.date_to))
            )
            self.repairs.append(
                replace(
                    charge,
                    kind="repair",
                    date_from=span[0],
                    date_to=span[1],
                    fraction=fraction.quantize(FRACTION_STEP),
                    rule="repair",
                    amount=amount,
                    exact=exact,
                    tax=ZERO,
                    ref=None,
                    repairs=charge.ref,
                    days=self._days(span),
                )
            )

    def _fill(self, parts, covered, difference, exact):
        """Charge the days of ``parts`` that no charge covers yet."""
        if not difference:
            return
        gaps = [
            (
                part.precise * days_between(*gap) / days_between(part.date_from, part.date_to),
                (part, gap),
            )
            for part in parts
            for gap in subtract([(part.date_from, part.date_to)], covered)
        ]
        for share, (part, gap) in self._shares(gaps, difference):
            days = Decimal(days_between(*gap)) / days_between(part.date_from, part.date_to)
            self.charges.append(
                (
                    part,
                    replace(
                        part,
                        date_from=gap[0],
                        date_to=gap[1],
                        fraction=(part.fraction * days).quantize(FRACTION_STEP),
                        rule="remainder",
                        amount=share,
                        exact=exact * share / difference,
                        days=self._days(gap),
                    ),
                )
            )


class Begun:
    """Tells whether a part that is not due yet has been billed, so that it is wanted all the same.

    The clock may have been set back, or a change to come divides a period that is billed already;
    a period billed in advance may also have become longer since.
    """

    def __init__(self, pieces: list[Piece], mode: str):
        self._is_advance = mode != "arrears"
        self._pieces = {}
        for piece in pieces:
            self._pieces.setdefault(_identity(piece.charge), []).append(piece)

    def __contains__(self, part: Charge) -> bool:
        span = [(part.date_from, part.date_to)]
        near = [
            piece
            for piece in self._pieces.get(_identity(part), ())
            if piece.spans[0][0] < part.date_to and part.date_from < piece.spans[-1][1]
        ]
        billed = [one for piece in near for one in piece.spans]
        if near and contains(billed, span):
            return True
        return self._is_advance and any(contains(span, piece.spans) for piece in near)


def _identity(charge):
    return charge.line, charge.rate, charge.per


def _total(items):
    return sum((item.amount for item in items), ZERO)


def _exact(items):
    return sum((item.exact if isinstance(item, Piece) else item.precise for item in items), ZERO)
