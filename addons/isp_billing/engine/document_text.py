"""How amounts, dates and words are written on a bill: Bengali or Latin digits, lakh and crore."""

import json
import re
from functools import cache, lru_cache
from pathlib import Path

from babel.dates import format_date, format_time
from num2words import num2words

LABELS_FILE = Path(__file__).parents[1] / "data/documents/labels.json"
LOCALES = {"en": "en_GB", "bn": "bn_BD"}
LATIN, BENGALI = "0123456789", "০১২৩৪৫৬৭৮৯"
TO_LATIN = str.maketrans(BENGALI, LATIN)
TO_BENGALI = str.maketrans(LATIN, BENGALI)
LAKH_GROUPS = (3, 2)
NO_BREAK = "\u00a0"


@cache
def _read_labels():
    return json.loads(LABELS_FILE.read_text())


def get_labels(language):
    """The words of a bill in ``language``, in English where there are none."""
    return _read_labels().get(language, _read_labels()["en"])


class Writer:
    """Writes values the way of one language.

    :param language: two letters, of those in the file of labels
    :param native_digits: whether Bengali text has Bengali digits
    :param groups: how many digits stand between two thousands separators, from the right
    """

    def __init__(self, language, native_digits=True, groups=(3,), point=".", separator=","):
        self.language = language if language in LOCALES else "en"
        self.labels = get_labels(language)
        self.is_bengali = language == "bn" and native_digits
        self.groups = tuple(group for group in groups if group > 0) or (3,)
        self.point = point
        self.separator = separator
        self.locale = LOCALES[self.language]

    @property
    def digits(self):
        """The ten digits, for counters of pages."""
        return list(BENGALI if self.is_bengali else LATIN)

    def text(self, value):
        """``value`` with the digits of the language."""
        return str(value).translate(TO_BENGALI if self.is_bengali else TO_LATIN)

    def number(self, value, decimals=2):
        """``value`` with thousands separators and so many decimals."""
        whole, _point, rest = f"{abs(value):.{decimals}f}".partition(".")
        parts, groups = [], list(self.groups)
        while len(whole) > groups[0]:
            parts.insert(0, whole[-groups[0] :])
            whole = whole[: -groups[0]]
            groups = groups[1:] or groups
        text = self.separator.join([whole, *parts]) + (self.point + rest if rest else "")
        is_negative = value < 0 and any(digit in text for digit in "123456789")
        return self.text(f"-{text}" if is_negative else text)

    def quantity(self, value):
        """``value`` without needless decimals."""
        decimals = len(f"{value:.4f}".rstrip("0").partition(".")[2])
        return self.number(value, decimals)

    def money(self, value, currency):
        """``value`` with the symbol of ``currency``, a :class:`Currency`."""
        text = self.number(value, currency.decimals)
        if currency.is_after:
            return f"{text}{NO_BREAK}{currency.symbol}"
        sign = "-" if text[0] == "-" else ""
        return f"{sign}{currency.symbol}{NO_BREAK}{text.removeprefix(sign)}"

    def date(self, day):
        """A day in full, an empty text for none."""
        return self.text(_format_date(day, self.locale)) if day else ""

    def time(self, moment):
        """Hour and minute of a moment."""
        return self.text(format_time(moment, "HH:mm", locale="en_GB"))

    def period(self, first, last):
        """Two days, the last one included."""
        if first == last:
            return self.date(first)
        if (first.year, first.month) == (last.year, last.month):
            return f"{self.text(first.day)} – {self.date(last)}"
        if first.year == last.year:
            start = format_date(first, "d MMMM", locale=self.locale)
            return f"{self.text(start)} – {self.date(last)}"
        return f"{self.date(first)} – {self.date(last)}"

    def words(self, value, currency):
        """An amount of money in words."""
        return _say(
            round(abs(value) * 10**currency.decimals), self.language, currency, self.groups[:2]
        )


class Currency:
    """What a bill needs to know of a currency."""

    def __init__(self, name, symbol, decimals=2, is_after=False, unit="", subunit=""):
        self.name = name
        self.symbol = symbol
        self.decimals = decimals
        self.is_after = is_after
        self.unit = unit or name
        self.subunit = subunit


@lru_cache(maxsize=4096)
def _format_date(day, locale):
    return format_date(day, "d MMMM yyyy", locale=locale)


@lru_cache(maxsize=4096)
def _say(amount, language, currency, groups):
    whole, part = divmod(amount, 10**currency.decimals)
    names = get_labels(language)["currencies"].get(currency.name)
    unit, subunit = names or (currency.unit.lower(), currency.subunit.lower())
    if language == "bn":
        number_language = "bn"
    else:
        is_lakh = groups == LAKH_GROUPS or currency.name in ("BDT", "INR")
        number_language = "en_IN" if is_lakh else "en"
    words = [num2words(whole, lang=number_language), unit]
    if part:
        words += [get_labels(language)["and"], num2words(part, lang=number_language), subunit]
    words.append(get_labels(language)["only"])
    text = re.sub(r"\s+", " ", " ".join(words).replace(",", "")).strip()
    return text[0].upper() + text[1:]
