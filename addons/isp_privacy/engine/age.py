"""Coming of age, counted in whole years on the calendar."""

from datetime import date


def of_age_on(birth_date: date, years: int) -> date:
    """Return the first day on which a person has reached an age.

    Who was born on 29 February reaches it on 1 March of a year without that day: a day too late
    does no harm, a day too early would treat a child as an adult.
    """
    try:
        return birth_date.replace(year=birth_date.year + years)
    except ValueError:
        return date(birth_date.year + years, 3, 1)


def is_of_age(birth_date: date, years: int, today: date) -> bool:
    """Tell if a person has reached an age."""
    return today >= of_age_on(birth_date, years)
