"""From a row and a mapping to checked values, and what repeats an earlier row."""

from datetime import date
from decimal import Decimal

import pytest

from engine.identity import find_duplicates
from engine.problems import FileProblem, Problem
from engine.seen import SeenKeys
from engine.subscriber_file import Row
from engine.subscriber_row import RowParser, Rule, parse_value_map

PATTERN = r"[a-z0-9][a-z0-9._@/-]{1,62}[a-z0-9]"


def parser(columns, *rules, **options):
    return RowParser(columns, [Rule("customer_name", "Name"), *rules], "BD", PATTERN, **options)


def parse(cells, *rules, columns=None, **options):
    columns = columns or ["Name", *(rule.source for rule in rules if rule.source)]
    return parser(columns, *rules, **options).parse(Row(2, ["Rahim", *cells]))


def codes(parsed):
    return [problem.code for problem in parsed.problems]


def test_a_good_row_becomes_values():
    parsed = parse(
        ["০১৭১১-০০০০০০", "Gold", "1,250.50", "Yes", "15/01/2026"],
        Rule("phone", "Phone"),
        Rule("plan", "Plan"),
        Rule("price", "Price"),
        Rule("state", "Churn", value_map=parse_value_map("Yes=terminated\nNo=active")),
        Rule("date_start", "Start"),
    )
    assert parsed.problems == []
    assert parsed.has_service
    assert parsed.values == {
        "customer_name": "Rahim",
        "phone": "+8801711000000",
        "plan": "Gold",
        "price": Decimal("1250.50"),
        "state": "terminated",
        "date_start": date(2026, 1, 15),
    }


def test_every_problem_of_a_row_is_named():
    parsed = parse(
        ["12", "nobody", "-5", "perhaps"],
        Rule("phone", "Phone"), Rule("email", "Mail"), Rule("price", "Price"),
        Rule("state", "State"),
    )  # fmt: skip
    assert codes(parsed) == ["phone", "email", "price_negative", "state"]


@pytest.mark.parametrize(
    ("target", "cell", "code"),
    [
        ("street", "x" * 256, "too_long"),
        ("note", "x" * 10_001, "too_long"),
        ("username", "a b", "username"),
        ("username", "-ab", "username"),
        ("username", "x" * 65, "username"),
        ("username", "রহিম", "username"),
        ("password", "x" * 129, "password"),
        ("password", "••••••••", "password"),
        ("lang", "klingon", "language"),
        ("anchor_day", "32", "billing_day"),
    ],
)
def test_single_cells_are_checked(target, cell, code):
    assert codes(parse([cell], Rule(target, "X"))) == [code]


def test_a_wrong_password_is_not_in_the_problem():
    [problem] = parse(["s3cret" * 30], Rule("password", "X")).problems
    assert "s3cret" not in str(problem)


def test_empty_cells_say_nothing():
    parsed = parse(["", ""], Rule("phone", "Phone"), Rule("plan", "Plan"))
    assert parsed.values == {"customer_name": "Rahim"}
    assert not parsed.has_service


def test_a_missing_name_is_a_problem():
    assert codes(parser(["Name"]).parse(Row(2, [""]))) == ["name_missing"]


def test_more_cells_than_headings_are_a_problem():
    assert codes(parser(["Name"]).parse(Row(2, ["Rahim", "Dhaka"]))) == ["too_many_cells"]


def test_the_end_cannot_lie_before_the_start():
    rules = [Rule("date_start", "Start"), Rule("date_end", "End")]
    assert codes(parse(["2026-02-01", "2026-01-31"], *rules)) == ["end_before_start"]
    assert codes(parse(["2026-02-01", "2026-02-01"], *rules)) == []


def test_a_fixed_value_holds_for_every_row():
    assert parse([], Rule("city", fixed="Dhaka")).values["city"] == "Dhaka"


def test_value_maps_know_empty_cells_and_everything_else():
    rule = Rule("state", "S", value_map=parse_value_map("=draft\nok=active\n*=suspended"))
    assert [parse([cell], rule).values["state"] for cell in ("", "OK", "?")] == [
        "draft", "active", "suspended",
    ]  # fmt: skip


def test_a_line_without_equals_sign_is_no_translation():
    with pytest.raises(Problem):
        parse_value_map("Yes terminated")


def test_a_plan_translated_to_nothing_is_a_contact_even_with_a_default_plan():
    rule = Rule("plan", "Plan", value_map=parse_value_map("No="))
    assert not parse(["No"], rule, has_default_plan=True).has_service
    assert parse([""], rule, has_default_plan=True).has_service
    assert parse(["DSL"], rule, has_default_plan=True).has_service
    assert not parse([""], rule).has_service


@pytest.mark.parametrize(
    ("word", "state"),
    [("Active", "active"), ("চালু", "active"), ("বন্ধ", "terminated"), ("Suspended", "suspended")],
)
def test_states_are_understood_in_words(word, state):
    assert parse([word], Rule("state", "S")).values["state"] == state


def test_a_mapping_must_fit_the_file():
    with pytest.raises(FileProblem) as caught:
        parser(["Name"], Rule("phone", "Mobile"))
    assert caught.value.params == {"name": "Mobile"}
    with pytest.raises(FileProblem) as caught:
        RowParser(["Name"], [], "BD", PATTERN)
    assert caught.value.code == "name_not_mapped"


# === REPEATED ROWS === #

RULES = [
    Rule("external_ref", "Id"), Rule("customer_ref", "Customer"), Rule("username", "User"),
    Rule("phone", "Phone"), Rule("plan", "Plan"),
]  # fmt: skip


def outcome(*lines):
    """[(problem codes, is_customer_repeated)] of rows (name, id, customer, user, phone, plan)."""
    seen = SeenKeys()
    reader = parser(["Name", *(rule.source for rule in RULES)], *RULES)
    result = []
    for number, cells in enumerate(lines, 2):
        parsed = reader.parse(Row(number, list(cells)))
        find_duplicates(parsed, seen)
        result.append((codes(parsed), parsed.is_customer_repeated))
    return result


OK, AGAIN, DOUBLE = ([], False), ([], True), (["duplicate"], False)
P1, P2 = "01711000001", "01711000002"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("A", "1", "", "", "", "x"), ("B", "1", "", "", "", "x")], [OK, DOUBLE]),
        ([("A", "1", "", "u01", "", "x"), ("B", "2", "", "U01", "", "x")], [OK, DOUBLE]),
        # two services of one customer
        ([("A", "1", "K", "", "", "x"), ("A", "2", "K", "", "", "x")], [OK, AGAIN]),
        # the same phone: a second service, and another person
        ([("A", "1", "", "", P1, "x"), ("A", "2", "", "", P1, "x")], [OK, AGAIN]),
        ([("A", "1", "", "", P1, "x"), ("B", "2", "", "", P1, "x")], [OK, OK]),
        # known by phone only: one service of each plan
        ([("A", "", "", "", P1, "x"), ("A", "", "", "", P1, "X")], [OK, DOUBLE]),
        ([("A", "", "", "", P1, "x"), ("A", "", "", "", P1, "y")], [OK, AGAIN]),
        ([("A", "", "", "", P1, "x"), ("A", "", "", "", P2, "x")], [OK, OK]),
        # contacts
        ([("A", "", "K", "", "", ""), ("B", "", "K", "", "", "")], [OK, DOUBLE]),
        ([("A", "", "K", "", "", ""), ("A", "1", "K", "", "", "x")], [OK, AGAIN]),
        # nothing to find it by
        ([("A", "", "", "", "", "x")], [(["no_identity"], False)]),
    ],
)
def test_rows_that_repeat_an_identity(lines, expected):
    assert outcome(*lines) == expected


def test_a_duplicate_names_the_first_line():
    seen = SeenKeys()
    for number in (2, 3, 4):
        parsed = parse(["1"], Rule("external_ref", "Id"), Rule("plan", fixed="x"))
        parsed.number = number
        parsed.has_service = True
        find_duplicates(parsed, seen)
    assert parsed.problems[0].params == {"line": 2, "what": "external_ref", "value": "1"}
