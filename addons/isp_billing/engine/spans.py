"""Sets of days as sorted lists of half-open spans ``(date_from, date_to)``."""

from datetime import date

Span = tuple[date, date]


def subtract(spans: list[Span], taken: list[Span]) -> list[Span]:
    """The days of ``spans`` that are not in ``taken``."""
    left = list(spans)
    for taken_from, taken_to in taken:
        left = [
            part
            for date_from, date_to in left
            for part in (
                (date_from, min(date_to, taken_from)),
                (max(date_from, taken_to), date_to),
            )
            if part[0] < part[1]
        ]
    return left


def contains(spans: list[Span], others: list[Span]) -> bool:
    """Whether every day of ``others`` is in ``spans``."""
    return not subtract(others, spans)


def join(spans: list[Span]) -> list[Span]:
    """The same days, sorted, with adjoining spans made one."""
    joined: list[Span] = []
    for date_from, date_to in sorted(spans):
        if joined and date_from <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], date_to))
        else:
            joined.append((date_from, date_to))
    return joined
