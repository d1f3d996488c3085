"""docs/promises.md says what the tests themselves say."""

from textwrap import dedent

import pytest

from harness import promises
from harness.promises import Promise, Proof

TABLE = [Promise("P-01", "We do one thing", "", ""), Promise("P-02", "And more", "open", "All")]
PROOF = Proof("P-01", "addons/x/tests/test_x.py", "TestX.test_it")


def test_the_page_is_what_the_markers_make():
    table, proofs = promises.read_promises(), promises.find_proofs()
    assert promises.find_problems(table, proofs) == []
    page = promises.PAGE.read_text(encoding="utf-8")
    assert page == promises.render(table, proofs), f"run {promises.COMMAND}"


def test_there_are_the_promises_of_both_policies():
    numbers = [promise.number for promise in promises.read_promises()]
    assert numbers == [f"P-{number:02}" for number in range(1, 63)]


def test_a_promise_without_proof_and_state_is_a_problem():
    assert promises.find_problems(TABLE, [PROOF]) == []
    assert promises.find_problems(TABLE, []) == [
        "P-01: no test proves it, and no state says why",
    ]


def test_a_proof_of_what_nobody_promised_is_a_problem():
    unknown = Proof("P-99", PROOF.path, PROOF.name)
    assert promises.find_problems(TABLE, [PROOF, unknown]) == [
        "addons/x/tests/test_x.py: TestX.test_it proves P-99, which nobody promised",
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (Promise("P-03", "x", "done", "By us"), "P-03: there is no state “done”"),
        (Promise("P-03", "x", "operator", " "), "P-03: operator without a word of why"),
        (Promise("P-02", "x", "open", "y"), "P-02: it is there 2 times"),
    ],
)
def test_rows_that_say_nothing_are_problems(row, problem):
    assert promises.find_problems([*TABLE, row], [PROOF]) == [problem]


def test_states_are_those_of_the_proofs_and_the_data():
    page = promises.render(
        [
            *TABLE,
            Promise("P-03", "By hand", "operator", "In the settings"),
            Promise("P-04", "Half", "open", "The rest"),
        ],
        [PROOF, Proof("P-04", "tests/unit/test_y.py", "test_half")],
    )
    for row in (
        "| P-01 | We do one thing | Proved by test "
        "| x: [TestX.test_it](../addons/x/tests/test_x.py) |",
        "| P-02 | And more | Open | Open: All |",
        "| P-03 | By hand | Set up by the operator | In the settings |",
        "| P-04 | Half | Proved in part "
        "| tests: [test_half](../tests/unit/test_y.py)<br>Open: The rest |",
        "| Proved by test | 1 |",
        "| Open | 1 |",
    ):
        assert row in page.splitlines()


@pytest.fixture
def find(tmp_path):
    """Return what is found in the source of one test file."""

    def find_in(source, path="addons/x/tests/test_x.py"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(source), encoding="utf-8")
        return [(p.number, p.name) for p in promises.find_proofs(tmp_path)]

    return find_in


def test_markers_of_both_kinds_are_found(find):
    source = """
        @tagged("post_install")
        @proves("P-07")
        class TestX(TransactionCase):
            @proves("P-01", "P-02")
            def test_it(self): pass

            @users("demo")
            def test_other(self): pass
        """
    expected = [("P-01", "TestX.test_it"), ("P-02", "TestX.test_it"), ("P-07", "TestX")]
    assert find(source) == expected
    plain = """
        @pytest.mark.proves("P-03")
        def test_plain(): pass
        """
    assert ("P-03", "test_plain") in find(plain, "tests/unit/test_y.py")


@pytest.mark.parametrize(
    "source",
    [
        "@proves(NUMBER)\ndef test_it(): pass",
        "@proves()\ndef test_it(): pass",
        "@proves\ndef test_it(): pass",
        "@proves('P-01')\ndef helper(): pass",
    ],
)
def test_markers_that_cannot_be_read_are_refused(find, source):
    with pytest.raises(promises.MarkerError):
        find(source)
