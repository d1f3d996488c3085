"""Bangla is complete: whatever an addon says to a clerk or a customer, it says in both languages."""

import re
from collections import Counter
from pathlib import Path

import polib
import pytest

REPO = Path(__file__).parents[2]
ADDONS = sorted(
    path.parent.name
    for path in REPO.glob("addons/*/__manifest__.py")
    if not path.parent.name.startswith("test_")
)

# What a translation must carry over unchanged: %(name)s, %s, {name} and XML tags.
PARTS = re.compile(r"%\(\w+\)[a-z]|%[sdf]|%%|\{\w+\}|</?\w[^>]*>")


def find_problems(template, translation):
    """The terms of a .pot that a .po does not translate properly, as sentences."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in translation if not entry.obsolete}
    for term in template:
        entry = known.get((term.msgctxt, term.msgid))
        if entry is None or not entry.msgstr.strip():
            yield f"not translated: {term.msgid!r}"
        elif entry.fuzzy:
            yield f"fuzzy: {term.msgid!r}"
        elif Counter(PARTS.findall(term.msgid)) != Counter(PARTS.findall(entry.msgstr)):
            yield f"placeholders or tags differ: {term.msgid!r} / {entry.msgstr!r}"


def read(addon, name):
    return polib.pofile(str(REPO / "addons" / addon / "i18n" / name))


@pytest.mark.parametrize("addon", ADDONS)
def test_every_term_is_in_bangla(addon):
    template = read(addon, f"{addon}.pot")
    assert len(template), f"{addon}.pot has no terms"
    problems = list(find_problems(template, read(addon, "bn.po")))
    assert not problems, f"{addon}/i18n/bn.po:\n" + "\n".join(problems)


def test_pages_of_odoo_that_customers_see():
    """Odoo has no Bangla for its portal, login and payment pages; the suite brings it."""
    translation = polib.pofile(str(REPO / "addons/isp_billing/i18n_extra/bn.po"))
    assert len(translation)
    problems = list(find_problems(translation, translation))
    assert not problems, "\n".join(problems)
    for entry in translation:
        assert all("ir.ui.view,arch_db" in place for place, _line in entry.occurrences), entry.msgid


TERM = 'msgid "<b>Bill</b> %(name)s of {number}, %s"\nmsgstr "{}"\n'
GOOD = "<b>বিল</b> %(name)s, {number}, %s"


@pytest.mark.parametrize(
    ("translation", "expected"),
    [
        (TERM.replace('"{}"', f'"{GOOD}"'), None),
        ("", "not translated"),
        (TERM.replace('"{}"', '""'), "not translated"),
        ("#, fuzzy\n" + TERM.replace('"{}"', f'"{GOOD}"'), "fuzzy"),
        (TERM.replace('"{}"', '"<b>বিল</b> %(নাম)s, {number}, %s"'), "differ"),
        (TERM.replace('"{}"', '"<b>বিল</b> %(name)s, {number}"'), "differ"),
        (TERM.replace('"{}"', '"<b>বিল %(name)s, {number}, %s"'), "differ"),
        (TERM.replace('"{}"', f'"{GOOD} %(name)s"'), "differ"),
    ],
)
def test_a_bad_translation_is_found(translation, expected):
    template = polib.pofile(TERM.replace('"{}"', '""'))
    problems = list(find_problems(template, polib.pofile(translation or "# empty\n")))
    if expected is None:
        assert not problems
    else:
        assert len(problems) == 1
        assert expected in problems[0]
