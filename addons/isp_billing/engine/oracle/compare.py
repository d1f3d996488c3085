"""Compares what a row expects with what the engine made of it."""

from decimal import Decimal

from ..history import ZERO
from ..problems import Problem
from .peers import Reader, family
from .play import Played, play
from .row import NotUnderstood, Row

KINDS = {
    "recurring": ("recurring",),
    "repair": ("repair",),
    "credit_note": ("repair",),
    "credit_note_incl_tax": ("repair",),
    "setup": ("setup",),
    "one_off": ("one_off", "setup"),
    "fixed": ("one_off", "setup"),
    "trial": ("trial",),
    "credit_used": ("credit_used",),
}
LINE_KEYS = {"from", "to", "kind", "amount", "frac"}
SCENARIO_KEYS = {"run", "invoice_total"}
DATE_ERRORS = ("target_before_start", "end_before_start")
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def judge(cells: dict) -> tuple[str, list[str]]:
    """``(passed, failed or skipped, reasons)`` of one row, a dictionary of its texts."""
    try:
        row = Row(cells)
        check = _Check(row)
        check.understand()
        failures = [text for mode in row.modes for text in check.run(mode)]
    except NotUnderstood as reason:
        return SKIPPED, [str(reason)]
    except (Problem, ValueError, ArithmeticError) as error:
        return FAILED, [f"expected an answer, got the error {error}"]
    return (FAILED, failures) if failures else (PASSED, [])


class _Check:
    """The assertions of one row."""

    def __init__(self, row: Row):
        self.row = row
        self._readers = {
            "sum_of_fractions": self._sum_of_fractions,
            "invoice_totals": self._invoice_totals,
            "invoices_total": self._invoices_total,
            "none_at": self._none_at,
            "exactly_one_over": self._exactly_one_over,
            "billed_through_inclusive": self._billed_through,
        }

    def understand(self):
        """Refuse a row that asserts nothing, or something that nobody here checks."""
        row = self.row
        family(row)
        if unknown := sorted(set(row.expected) - set(self._readers) - {"expect"}):
            raise NotUnderstood(f"unknown expectation {', '.join(unknown)}")
        if row.expected.get("expect", "error") != "error":
            raise NotUnderstood(f"unknown expectation {row.expected['expect']!r}")
        for line in row.lines or []:
            allowed = SCENARIO_KEYS if "run" in line else LINE_KEYS
            if unknown := sorted(set(line) - allowed):
                raise NotUnderstood(f"unknown part of a line {', '.join(unknown)}")
            if "run" not in line and line.get("kind") not in KINDS:
                raise NotUnderstood(f"unknown kind of line {line.get('kind')!r}")
        amounts = (row.expected_subtotal, row.expected_tax, row.expected_total)
        asserted = (row.expected, row.expected_next_bill, *amounts)
        if row.lines is None and not any(asserted):
            raise NotUnderstood("the row expects nothing")

    def run(self, mode) -> list[str]:
        """What differs, in words."""
        if self.row.expected.get("expect"):
            return self._error(mode)
        played = play(self.row, mode)
        differences = [
            *self._lines(played),
            *self._amounts(played),
            *self._next_bill(played),
        ]
        for name, value in self.row.expected.items():
            differences += self._readers[name](played, value)
        return differences

    def _error(self, mode):
        reader = Reader(self.row, mode)
        try:
            history = reader.history()
        except ValueError as error:
            raise NotUnderstood(str(error)) from None
        try:
            played = play(self.row, mode)
        except Problem as problem:
            if problem.code in DATE_ERRORS:
                return []
            return [f"expected an error about dates, got {problem}"]
        return [f"expected an error, got {_texts(played.charges)} for {history.start}"]

    # === LINES AND AMOUNTS === #

    def _lines(self, played: Played):
        if self.row.lines is None:
            return []
        if self.row.is_scenario:
            return self._runs(played)
        rest = list(played.charges)
        missing = []
        for line in self.row.lines:
            found = next((charge for charge in rest if self._is_line(line, charge)), None)
            if found:
                rest.remove(found)
            else:
                missing.append(_line_text(line))
        if not missing and not rest:
            return []
        return [f"expected {_join(missing)}, got {_texts(rest)}"]

    def _is_line(self, line, charge):
        if charge.kind not in KINDS[line["kind"]]:
            return False
        for name, value in (("from", charge.date_from), ("to", charge.date_to)):
            if line.get(name) and self.row.day(line[name]) != value:
                return False
        if "frac" in line and self.row.number(line["frac"], "fraction") != charge.fraction:
            return False
        amount = charge.amount
        if line["kind"] == "credit_note_incl_tax":
            amount += charge.tax
        return "amount" not in line or self.row.number(line["amount"], "amount") == amount

    def _runs(self, played):
        differences = []
        for line, (label, bill) in zip(self.row.lines, played.bills, strict=True):
            total = self.row.number(line.get("invoice_total"), "invoice total")
            if total is not None and total != bill.total:
                differences.append(f"{label}: expected {total}, got {bill.total}")
        return differences

    def _amounts(self, played):
        subtotal = sum((charge.amount for charge in played.charges), ZERO)
        tax = sum((charge.tax for charge in played.charges), ZERO)
        differences = []
        for name, got in (
            ("subtotal", subtotal),
            ("tax", tax),
            ("total", subtotal + tax),
        ):
            text = getattr(self.row, f"expected_{name}")
            expected = self.row.number(text, name)
            if expected is not None and expected != got:
                differences.append(f"expected {name} {expected}, got {got}")
        return differences

    def _sum_of_fractions(self, played, value):
        kinds = ("recurring",)
        got = sum((charge.fraction for charge in played.charges if charge.kind in kinds), ZERO)
        return self._differ("sum of fractions", self.row.number(value, "sum of fractions"), got)

    def _invoice_totals(self, played, value):
        expected = [self.row.number(total, "invoice total") for total in value]
        got = [bill.total for _label, bill in played.bills if bill.charges]
        return self._differ("invoice totals", expected, got)

    # === DATES AND COUNTS === #

    def _next_bill(self, played):
        text = self.row.expected_next_bill
        if not text:
            return []
        expected = None if text.upper() == "NONE" else self.row.day(text)
        if self.row.rule.upper() == "KB-FIRST-BCD":
            got = played.before.first_billing_date
        elif "recurring_next_date" in self.row.inputs:
            got = played.before.next_bill_date
        else:
            got = played.last.next_bill_date
        return self._differ("next bill", expected, got)

    def _billed_through(self, played, value):
        got = played.last.billed_through.toordinal() - 1
        expected = self.row.day(value)
        return self._differ("billed through", expected, expected.fromordinal(got))

    def _invoices_total(self, played, value):
        return self._differ("invoices", int(value), self._invoices(played))

    def _none_at(self, played, value):
        return self._differ(f"invoices at {_join(value)}", 0, self._invoices(played, value))

    def _exactly_one_over(self, played, value):
        return self._differ(f"invoices over {_join(value)}", 1, self._invoices(played, value))

    def _invoices(self, played, labels=None):
        known = {label for label, _bill in played.bills}
        if labels is not None and not set(labels) <= known:
            raise NotUnderstood("runs that are not among run_dates")
        return sum(
            bool(bill.charges) for label, bill in played.bills if labels is None or label in labels
        )

    @staticmethod
    def _differ(what, expected, got):
        return [] if expected == got else [f"expected {what} {_text(expected)}, got {_text(got)}"]


def _line_text(line):
    parts = [line["kind"], f"{line.get('from') or '…'}→{line.get('to') or '…'}"]
    parts += [str(line[name]) for name in ("frac", "amount") if name in line]
    return " ".join(parts)


def _texts(charges):
    return _join(
        f"{charge.kind} {charge.date_from}→{charge.date_to} {_text(charge.fraction)} {charge.amount}"
        for charge in charges
    )


def _text(value):
    if isinstance(value, list):
        return _join(_text(item) for item in value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return "none" if value is None else str(value)


def _join(texts):
    return "; ".join(texts) or "nothing"
