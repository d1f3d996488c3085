"""Posting invoices a set at a time.

The invoices of a billing run fall into groups that differ in few, known columns. The ORM creates
and posts one *prototype* of each group, all of them in one call; the others are inserted as copies
of its rows, in the same transaction, with the numbers that follow. What the guard does not allow
goes through the ORM, with the reason, so that every invoice exists in the end and every one is an
ordinary Odoo invoice.

Numbers: posting the first prototype locks the journal's series until the transaction ends, as it
does for Odoo's own batches (see ``sequence.mixin._locked_increment``), so the numbers after it are
free. They are given in the order of the prepared invoices, as the ORM would.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import islice

from . import bulk_amount, bulk_charge, bulk_guard, bulk_rank, bulk_sql
from .bulk_group import Keys, line_vals, refusal
from .bulk_number import References, Series
from .bulk_reason import reason


@dataclass
class Posted:
    """What :func:`post_invoices` made."""

    moves: object  # in the order of the prepared invoices
    copied: int = 0
    reasons: Counter = field(default_factory=Counter)  # why others were not copied, and how many


@dataclass(slots=True)
class Label:
    """How one line of a copy gets its label."""

    line_id: int
    position: int | None  # among the prepared lines, None for tax and receivable lines
    text: str | None = None
    is_prepared: bool = False
    around_reference: list | None = None

    def of(self, prepared, reference):
        """The label in an invoice with these prepared lines and payment reference."""
        if self.is_prepared:
            return prepared[self.position]["name"]
        return reference.join(self.around_reference) if self.around_reference else self.text


@dataclass(slots=True)
class Prototype:
    """A posted invoice and the indexes of the prepared ones like it, its own first."""

    move: object
    indexes: list
    labels: list
    amounts: dict  # by index, of those with other prices


@dataclass(slots=True)
class Copy:
    """One invoice that is inserted as a copy of a prototype."""

    prototype: Prototype
    index: int
    vals: dict
    name: str
    number: int
    partner_id: int
    commercial_id: int
    shipping_id: int
    partner_name: str
    origin: str | None
    amounts: object = None  # when the prices are not those of the prototype
    id: int = 0
    reference: str | None = None


def post_invoices(env, vals_list, charges_list):
    """Create and post invoices, copying where the guard allows it.

    :param vals_list: values as for ``account.move.create``
    :param charges_list: for each invoice its charges, in the order of its lines
    :return: :class:`Posted`
    """
    return _Batch(env, vals_list, charges_list).post()


def create_and_post(env, vals_list, charges_list):
    """Let the ORM create and post invoices; the ordinary path."""
    moves = (
        env["account.move"]
        .with_context(tracking_disable=True, default_move_type="out_invoice")
        .create(vals_list)
    )
    for move, charges in zip(moves, charges_list, strict=True):
        charges._link_invoice(move)
    moves._post(soft=False)
    return moves


class _Batch:
    def __init__(self, env, vals_list, charges_list):
        self.env = env
        self.vals_list = vals_list
        self.charges_list = charges_list
        self.keys = {}  # of each company
        self.posted_first = env["account.move"]  # the first of each group, copied or not
        self.made = {}  # id of the invoice of each index
        self.reasons = Counter()

    def post(self):
        prototypes = self._post_prototypes(self._group())
        copies = self._number(prototypes)
        self._insert(copies)
        self._post_by_orm([at for at in range(len(self.vals_list)) if at not in self.made])
        moves = self.env["account.move"].browse(
            self.made[index] for index in range(len(self.vals_list))
        )
        return Posted(moves, len(copies), self.reasons)

    def _refuse(self, count, reasons):
        if count:
            self.reasons.update(dict.fromkeys(reasons, count))

    def _post_by_orm(self, indexes):
        if not indexes:
            return self.env["account.move"]
        moves = create_and_post(
            self.env,
            [self.vals_list[index] for index in indexes],
            [self.charges_list[index] for index in indexes],
        )
        self.made.update(zip(indexes, moves.ids, strict=True))
        return moves

    # === GROUPS AND PROTOTYPES === #

    def _group(self):
        """Indexes of the prepared invoices that can be copies of each other, as lists."""
        if reasons := bulk_guard.database_reasons(self.env):
            self._refuse(len(self.vals_list), reasons)
            return []
        groups, journals = defaultdict(list), {}
        for index, vals in enumerate(self.vals_list):
            if refused := refusal(vals):
                self._refuse(1, [refused])
                continue
            journal_id = vals["journal_id"]
            if journal_id not in journals:
                journal = self.env["account.journal"].browse(journal_id)
                journals[journal_id] = bulk_guard.journal_reasons(journal)
            if journals[journal_id]:
                self._refuse(1, journals[journal_id])
            else:
                groups[self._get_key(vals)].append(index)
        return [indexes for indexes in groups.values() if not self._is_free(indexes)]

    def _is_free(self, indexes):
        """Whether invoices over nothing, which are paid once posted, are left to the ORM."""
        total = sum(
            line.get("price_unit", 1.0)
            * line.get("quantity", 1.0)
            * (100 - line.get("discount", 0))
            for line in line_vals(self.vals_list[indexes[0]])
        )
        if total <= 0:
            self._refuse(len(indexes), [reason("total")])
        return total <= 0

    def _get_key(self, vals):
        company_id = vals["company_id"]
        if company_id not in self.keys:
            company = self.env["res.company"].browse(company_id)
            self.keys[company_id] = Keys(self.env, company, self.vals_list)
        return self.keys[company_id].get(vals)

    def _post_prototypes(self, groups):
        """Let the ORM post the first invoice of each group.

        :return: the :class:`Prototype` of each group that may be copied
        """
        if not groups:
            return []
        with bulk_guard.WriteWatch(self.env) as watch:
            moves = self._post_by_orm([indexes[0] for indexes in groups])
            reasons = bulk_guard.tracking_reasons(self.env)
        reasons += watch.reasons(bulk_sql.written_tables(self.env))
        self.posted_first = moves
        prototypes = []
        for move, indexes in zip(moves, groups, strict=True):
            labels = self._get_labels(move, indexes[0])
            refused = reasons + bulk_guard.prototype_reasons(move)
            if labels is None:
                refused.append(reason("labels"))
            if refused:
                self._refuse(len(indexes) - 1, refused)
            else:
                amounts = self._get_amounts(move, indexes)
                alike = [index for index in indexes if index not in amounts or amounts[index]]
                self._refuse(len(indexes) - len(alike), [reason("amounts")])
                prototypes.append(Prototype(move, alike, labels, amounts))
        return prototypes

    def _get_amounts(self, move, indexes):
        """The amounts of invoices with other prices than ``move``, ``None`` for who has none."""
        prices = {
            index: tuple(map(bulk_amount.get_prices, line_vals(self.vals_list[index])))
            for index in indexes
        }
        own = prices[indexes[0]]
        others = dict.fromkeys(price for price in prices.values() if price != own)
        if others and (calculator := bulk_amount.Calculator.of(move, own)):
            others = {price: calculator.get(price) for price in others}
        return {index: others[price] for index, price in prices.items() if price != own}

    def _get_labels(self, move, index):
        """How copies of ``move`` get their labels, ``None`` when there is no telling."""
        prepared = line_vals(self.vals_list[index])
        invoice_lines = move.invoice_line_ids.sorted("id")
        position_of = {line_id: at for at, line_id in enumerate(invoice_lines.ids)}
        if not len(prepared) == len(position_of) == len(self.charges_list[index]):
            return None
        reference = move.payment_reference
        labels = []
        for line in move.line_ids.sorted("id"):
            label = Label(line.id, position_of.get(line.id), text=line.name or None)
            labels.append(label)
            if label.position is not None and prepared[label.position].get("name"):
                label.is_prepared = True
                if prepared[label.position]["name"] != label.text:
                    return None
            elif label.text and reference and reference in label.text:
                label.around_reference = label.text.split(reference)
                if line.display_type != "payment_term" or len(label.around_reference) != 2:
                    return None
            elif label.text and move.name in label.text:
                return None
        return labels

    # === NUMBERS === #

    def _number(self, prototypes):
        """Number the invoices of all groups in the order in which they were prepared.

        :return: the copies to insert
        """
        by_journal = defaultdict(list)
        for prototype in prototypes:
            by_journal[prototype.move.journal_id].append(prototype)
        copies = []
        for journal, of_journal in by_journal.items():
            moves = self.posted_first.filtered(lambda move, j=journal: move.journal_id == j)
            count = sum(len(prototype.indexes) for prototype in of_journal)
            series = Series.after(moves, count)
            if series:
                kept = moves - moves.concat(*(prototype.move for prototype in of_journal))
                numbers = series.numbers(without=kept.mapped("sequence_number"))
                copies += self._number_journal(series, numbers, References(journal), of_journal)
            else:
                self._refuse(count - len(of_journal), [reason("numbers")])
        return copies

    def _number_journal(self, series, numbers, references, prototypes):
        prototype_of = {index: one for one in prototypes for index in one.indexes}
        order = sorted(
            prototype_of, key=lambda index: (self.vals_list[index].get("ref") or "", index)
        )
        copies, renumbered = [], []
        for index, number in zip(order, numbers, strict=False):
            prototype = prototype_of[index]
            name = series.name(number)
            if index != prototype.indexes[0]:
                copies.append(self._get_copy(prototype, index, name, number))
            elif prototype.move.sequence_number != number:
                renumbered.append(self._get_renumbered(prototype, name, number, references))
        new_ids = bulk_sql.take_ids(self.env, "account_move", len(copies))
        for copy, new_id in zip(copies, new_ids, strict=True):
            copy.id = new_id
            copy.reference = references.of(copy.id, copy.name, copy.vals)
        bulk_sql.renumber(self.env, renumbered)
        return copies

    def _get_copy(self, prototype, index, name, number):
        vals = self.vals_list[index]
        partner = self.keys[vals["company_id"]].partners[vals["partner_id"]]
        return Copy(
            prototype=prototype,
            index=index,
            vals=vals,
            name=name,
            number=number,
            partner_id=partner.id,
            commercial_id=partner.commercial_partner_id.id,
            shipping_id=vals["partner_shipping_id"],
            partner_name=partner.display_name,
            origin=vals.get("invoice_origin") or None,
            amounts=prototype.amounts.get(index),
        )

    def _get_renumbered(self, prototype, name, number, references):
        """What ``bulk_sql.renumber`` needs to put a prototype at its place among its copies."""
        vals = self.vals_list[prototype.indexes[0]]
        reference = references.of(prototype.move.id, name, vals)
        labels = [
            (label.line_id, label.of((), reference))
            for label in prototype.labels
            if label.around_reference
        ]
        return prototype.move.id, name, number, reference, labels

    # === COPIES === #

    def _insert(self, copies):
        """Insert the copies, numbered by :meth:`_number`, and forget what the cache held."""
        if not copies:
            return
        lines, links = self._get_rows(copies)
        amounts = list({id(copy.amounts): copy.amounts for copy in copies if copy.amounts}.values())
        bulk_sql.insert_moves(self.env, copies, amounts)
        bulk_sql.insert_lines(self.env, lines, amounts)
        bulk_charge.link(self.env, links)
        bulk_rank.count_customers(self.env, copies)
        # The cache that hands out the next number does not know of these.
        self.env["account.move"]._get_sequence_cache().clear()
        self.env.invalidate_all()
        self.made.update((copy.index, copy.id) for copy in copies)
        self._check_access([copy.id for copy in copies], [line[1] for line in lines])

    def _get_rows(self, copies):
        """The lines to insert and the charges to link, as ``bulk_sql`` wants them."""
        count = sum(len(copy.prototype.labels) for copy in copies)
        new_ids = iter(bulk_sql.take_ids(self.env, "account_move_line", count))
        lines, links = [], []
        for copy in copies:
            labels = copy.prototype.labels
            prepared = line_vals(copy.vals)
            charge_ids = self.charges_list[copy.index].ids
            for label, new_id in zip(labels, islice(new_ids, len(labels)), strict=True):
                text = label.of(prepared, copy.reference)
                lines.append(
                    (label.line_id, new_id, copy.id, copy.name, text, copy.commercial_id)
                    + (id(copy.amounts) if copy.amounts else None,)
                )
                if label.position is not None:
                    links.append((charge_ids[label.position], copy.id, new_id))
        return lines, links

    def _check_access(self, move_ids, line_ids):
        """The rules that ``create`` would have applied to each record."""
        if not self.env.su:
            self.env["account.move"].browse(move_ids).check_access("create")
            self.env["account.move.line"].browse(line_ids).check_access("create")
