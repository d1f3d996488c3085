"""Numbers of payment cards in what people write: found exactly, and masked.

A number counts as one of a card if its length and its beginning are those of a scheme, its check
digit fits, and it is written in one piece or in the groups that stand on a card. So it is no number
of a bill, of a phone, or of an identity card: those of 13 digits, that once were Visa's too, are
left out for this reason.
"""

import re
import unicodedata

# Beginnings of the schemes' numbers, as ranges of four digits, and the lengths in use. ISO/IEC 7812
# and the schemes' published tables, seen in November 2026.
_SCHEMES = (
    (4000, 4999, (16, 19)),  # Visa
    (2221, 2720, (16,)),  # Mastercard
    (5100, 5599, (16,)),  # Mastercard
    (3400, 3499, (15,)),  # American Express
    (3700, 3799, (15,)),  # American Express
    (3000, 3059, (14, 16)),  # Diners Club
    (3600, 3699, (14, 16)),  # Diners Club
    (3800, 3999, (14, 16)),  # Diners Club
    (3528, 3589, (16, 19)),  # JCB
    (6011, 6011, (16, 19)),  # Discover
    (6440, 6599, (16, 19)),  # Discover, RuPay
    (6200, 6299, (16, 17, 18, 19)),  # UnionPay
    (6521, 6522, (16,)),  # RuPay
    (6000, 6099, (16,)),  # RuPay
    (8100, 8299, (16,)),  # RuPay
    (5080, 5089, (16,)),  # RuPay
    (5000, 5079, (16, 19)),  # Maestro
    (5600, 5899, (16, 19)),  # Maestro
    (6300, 6399, (16, 19)),  # Maestro
    (6700, 6799, (16, 19)),  # Maestro
)
# How the digits of a card are grouped on it, besides in one piece.
_GROUPS = {
    *((4, 4, 4, 4), (4, 6, 5), (4, 6, 4)),
    *((4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (6, 13)),
}
_SEPARATOR = r"[ \u00a0\u2007\u2009\u202f-]"
# Never a piece of something longer: a word, a path, a decimal number.
_RUN = re.compile(rf"(?<![\w/.,+#=])\d+(?:{_SEPARATOR}\d+)*(?![\w/])")
_DIGITS = re.compile(r"\d+")
_TAG = re.compile(r"(<[^>]*>)")
KEPT_FIRST, KEPT_LAST = 6, 4
MASK = "*"


def mask_cards(text):
    """Return a text in which only the first six and the last four digits of card numbers stand."""
    return _RUN.sub(lambda match: _mask_run(match.group()), text)


def mask_cards_in_html(text):
    """Return HTML with the card numbers in its words masked; tags and addresses stay."""
    return "".join(part if part.startswith("<") else mask_cards(part) for part in _TAG.split(text))


def _mask_run(run):
    """Mask the cards in a row of groups of digits."""
    groups = [match.span() for match in _DIGITS.finditer(run)]
    begin = 0
    while begin < len(groups):
        end = next(
            (end for end in range(len(groups), begin, -1) if _is_card(run, groups[begin:end])),
            None,
        )
        if end:
            start, stop = groups[begin][0], groups[end - 1][1]
            run = run[:start] + _mask_number(run[start:stop]) + run[stop:]
        begin = end or begin + 1
    return run


def _is_card(run, groups):
    lengths = tuple(stop - start for start, stop in groups)
    if not 14 <= sum(lengths) <= 19 or (len(groups) > 1 and lengths not in _GROUPS):
        return False
    # Digits of other scripts count too, such as those of Bangla.
    digits = [unicodedata.digit(char) for start, stop in groups for char in run[start:stop]]
    head = int("".join(map(str, digits[:4])))
    return any(
        low <= head <= high and len(digits) in lengths for low, high, lengths in _SCHEMES
    ) and _fits_check_digit(digits)


def _fits_check_digit(digits):
    """Luhn's formula."""
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _mask_number(number):
    count = sum(char.isdigit() for char in number)
    masked, position = [], 0
    for char in number:
        if char.isdigit():
            position += 1
            if KEPT_FIRST < position <= count - KEPT_LAST:
                char = MASK
        masked.append(char)
    return "".join(masked)
