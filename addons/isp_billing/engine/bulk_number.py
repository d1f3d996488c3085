"""Numbers and payment references of invoices that are inserted as copies."""

import itertools
import re


class Series:
    """The numbers of one journal from the first prototype on.

    The series is locked: the first prototype's number is in the unique index of posted names, and
    no other transaction gets past it before this one ends.
    """

    def __init__(self, move):
        self.move = move
        self.first = move.sequence_number
        self._format, self._values = move._get_sequence_format_param(move.name)
        del self._values["seq"]

    @classmethod
    def after(cls, moves, count):
        """The series that begins with the first of ``moves``.

        ``None`` when the moves have a gap between them, or when the numbers of ``count`` more would
        not fit the pattern any longer.
        """
        moves = moves.sorted("sequence_number")
        series = cls(moves[0])
        names = [series.name(number) for number in range(series.first, series.first + len(moves))]
        fits = moves.mapped("name") == names and series._can_hold(count + len(moves))
        return series if fits else None

    def name(self, number):
        """The name of the invoice with ``number``."""
        return self._format.format(**self._values, seq=number)

    def numbers(self, without):
        """Endless sequence of numbers from the first on, leaving some out."""
        taken = set(without)
        return (number for number in itertools.count(self.first) if number not in taken)

    def _can_hold(self, count):
        """Whether names of the next ``count`` numbers split into prefix and number again."""
        last = self.first + count - 1
        pattern = self.move._sequence_fixed_regex.replace("?P<seq>", "")
        match = re.match(self.move._make_regex_non_capturing(pattern), self.name(last))
        prefix = self.name(last)[: match.start(1)]
        return prefix == self.move.sequence_prefix and int(match.group(1) or 0) == last


class References:
    """Payment references, by the model that the journal is set to."""

    def __init__(self, journal):
        self.journal = journal
        self.Move = journal.env["account.move"]
        self._is_name = (journal.invoice_reference_model, journal.invoice_reference_type) == (
            "odoo",
            "invoice",
        )

    def of(self, move_id, name, vals):
        """The payment reference of an invoice, which need not be in the database yet."""
        if given := vals.get("payment_reference"):
            return given
        if self._is_name:
            return name
        move = self.Move.browse(move_id)
        known = {"name": name, "partner_id": vals["partner_id"], "journal_id": self.journal.id}
        for field_name, value in known.items():
            move._fields[field_name]._update_cache(move, value)
        return move._get_invoice_computed_reference()
