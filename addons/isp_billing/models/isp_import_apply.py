import io
import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import file_path, split_every

from ..engine.decision import CHANGED, NEW, REJECTED, UNCHANGED
from ..engine.subscriber_file import SubscriberFile
from ..errors import explain_error
from .isp_import_file import BATCH_SIZE

_logger = logging.getLogger(__name__)

PREVIEW_ROWS = 100
_ROW_ERRORS = (UserError, ValueError, psycopg2.IntegrityError, psycopg2.DataError)


class IspImport(models.Model):
    """Carries out what ``_match`` decided."""

    _inherit = "isp.import"

    subscription_ids = fields.One2many("isp.subscription", "import_id", "Subscriptions")

    # === THE CHECK === #

    def _check(self):
        """Decide about every row, write down what would happen, and do nothing of it."""
        self.ensure_one()
        record = self.with_company(self.company_id)
        record._check_ready()
        record._reset()
        with record._open_file() as source, record._words():
            for batch in split_every(BATCH_SIZE, record._iterate_rows(SubscriberFile(source))):
                record._tally(record._match(batch), preview=True)
        record.write({"state": "checked"})
        record._write_rejected_file()

    def _check_ready(self):
        """Refuse what would reject every row."""
        if not self.mapping_id:
            raise UserError(self.env._("Choose a file first."))
        if self.create_plans and not self.env["isp.plan"].has_access("create"):
            raise UserError(
                self.env._("Only managers create plans. Untick “Create missing plans”.")
            )

    # === THE IMPORT === #

    def _import_next_batch(self):
        """Import the next batch of the stored file.

        :return: whether nothing is left
        """
        self.ensure_one()
        if not self._sealed_attachment("sealed_rows"):
            self._check_ready()
            self._prepare_rows()
            return False
        batch = self._read_batch()
        if not batch:
            return True
        rows, next_offset = batch
        self._import_rows(rows)
        # sudo: the offset belongs to the mechanism, not to the user.
        self.sudo().next_offset = next_offset
        return False

    def _import_rows(self, rows):
        """Import a batch of parsed rows; bad ones are rejected and hold nobody back."""
        record = self.with_context(
            tracking_disable=True, mail_create_nosubscribe=True, no_vat_validation=True
        )
        decisions = record._match(rows)
        try:
            with self.env.cr.savepoint():
                record._apply(decisions)
        except _ROW_ERRORS:
            _logger.info("%s: a batch is imported row by row", self.name)
            decisions = [record._apply_or_explain(row) for row in rows]
        record._tally(decisions)
        self.env.flush_all()

    def _apply_or_explain(self, row):
        """Import one row, or say why it cannot be."""
        [decision] = self._match([row])
        try:
            with self.env.cr.savepoint():
                self._apply([decision])
        except _ROW_ERRORS as error:
            _logger.info("%s: line %s rejected: %s", self.name, row.number, type(error).__name__)
            decision.reject(explain_error(self.env, error))
        return decision

    def _apply(self, decisions):
        """Create and change what ``decisions`` say, in as few statements as can be."""
        todo = [decision for decision in decisions if decision.kind in (NEW, CHANGED)]
        self._create_plans(todo)
        self._apply_partners(todo)
        services = [decision for decision in todo if decision.row.has_service]
        created = self._create_subscriptions([d for d in services if not d.subscription])
        for decision in services:
            if decision.kind == CHANGED:
                self._change_subscription(decision)
        changed = self.env["isp.subscription"].concat(
            *(d.subscription for d in services if d.kind == CHANGED)
        )
        self._apply_states(services)
        details = {d.subscription.id: "; ".join(d.changes)[:1000] for d in services}
        (created | changed)._log_event(
            "import",
            self.env._("Import %s", self.name),
            to_value=lambda subscription: details[subscription.id] or False,
        )
        self.env.flush_all()

    def _create_plans(self, decisions):
        made = {}
        for decision in decisions:
            if isinstance(decision.plan, str):
                word = decision.plan.casefold()
                if word not in made:
                    made[word] = self.env["isp.plan"].create(
                        {
                            "name": decision.plan,
                            "company_id": self.company_id.id,
                            "price": decision.price or 0.0,
                        }
                    )
                decision.plan = made[word]

    def _apply_partners(self, decisions):
        """Create the new customers, each once, and change the known ones."""
        new = {}
        for decision in decisions:
            if decision.partner:
                if decision.partner_vals:
                    decision.partner.write(decision.partner_vals)
            else:
                new.setdefault(decision.customer or decision.row.number, decision.partner_vals)
        common = {
            "company_id": self.company_id.id,
            "country_id": (self.country_id or self.company_id.country_id).id,
            "customer_rank": 1,
        }
        partners = self.env["res.partner"].create([common | vals for vals in new.values()])
        created = dict(zip(new, partners, strict=True))
        for decision in decisions:
            if not decision.partner:
                decision.partner = created[decision.customer or decision.row.number]

    def _create_subscriptions(self, decisions):
        subscriptions = self.env["isp.subscription"].create(
            [self._prepare_subscription_vals(decision) for decision in decisions]
        )
        for decision, subscription in zip(decisions, subscriptions, strict=True):
            decision.subscription = subscription
        return subscriptions

    def _prepare_subscription_vals(self, decision):
        """Values of a new subscription.

        Hook: extend to fill fields of your own.
        """
        vals = {
            **decision.subscription_vals,
            "company_id": self.company_id.id,
            "partner_id": decision.partner.id,
            "plan_id": decision.plan.id,
            "import_id": self.id,
        }
        if decision.price is not None:
            plan = decision.plan
            vals["line_ids"] = [
                fields.Command.create(
                    {
                        "line_type": "plan",
                        "product_id": plan.product_id.id,
                        "name": plan.name,
                        "price_unit": decision.price,
                    }
                )
            ]
        return vals

    def _change_subscription(self, decision):
        vals = dict(decision.subscription_vals, import_id=self.id)
        if "plan_id" in vals:
            vals["plan_id"] = decision.plan.id
        decision.subscription.write(vals)
        if decision.price is not None:
            lines = decision.subscription.line_ids
            plan_lines = lines.filtered(lambda line: line.line_type == "plan" and not line.date_to)
            plan_lines[:1].price_unit = decision.price

    def _apply_states(self, decisions):
        """Move the subscriptions to the states of the file, by the methods of the states."""
        by_state = {}
        for decision in decisions:
            if decision.state:
                by_state.setdefault(decision.state, []).append(decision.subscription)
        moving = {
            state: self.env["isp.subscription"].concat(*subscriptions)
            for state, subscriptions in by_state.items()
        }
        none = self.env["isp.subscription"]
        reason = self.env._("Import %s", self.name)
        (moving.get("active", none) | moving.get("suspended", none))._activate(reason)
        moving.get("active", none)._resume(reason)
        moving.get("suspended", none)._suspend("other", reason)
        for date_end, subscriptions in moving.get("terminated", none).grouped("date_end").items():
            subscriptions._terminate(reason, date_end or None)

    # === BOOKKEEPING === #

    def _tally(self, decisions, preview=False):
        """Count the outcome of a batch and note the rows that a person wants to see."""
        counts = dict.fromkeys((NEW, CHANGED, UNCHANGED, REJECTED), 0)
        rows = []
        for decision in decisions:
            counts[decision.kind] += 1
            shown = preview and self.processed_count + len(rows) < PREVIEW_ROWS
            if decision.kind == REJECTED or shown:
                rows.append(self._prepare_row_vals(decision))
        # sudo: the cells of a rejected row are written by clerks, and readable through the file only.
        self.env["isp.import.row"].sudo().create(rows)
        vals = {f"{kind}_count": self[f"{kind}_count"] + count for kind, count in counts.items()}
        vals["warnings"] = self._get_warnings(decisions)
        if preview:
            vals["total_count"] = self.total_count + len(decisions)
        # sudo: the counters are read-only for people.
        self.sudo().write(vals)

    def _prepare_row_vals(self, decision):
        row = decision.row
        vals = {
            "import_id": self.id,
            "number": row.number,
            "label": row.values.get("customer_name"),
            "kind": decision.kind,
            "subscription_id": decision.subscription.id if decision.subscription else False,
        }
        if decision.kind == REJECTED:
            vals["cells"] = self._get_shown_cells(row.cells)
            vals["details"] = " ".join(decision.reasons)
        elif decision.kind == NEW:
            vals["details"] = self._describe_new(decision)
        else:
            vals["details"] = "; ".join(decision.changes)
        return vals

    def _describe_new(self, decision):
        if not decision.row.has_service:
            return self.env._("Customer without subscription")
        plan = decision.plan
        return self.env._(
            "%(plan)s, %(state)s",
            plan=plan if isinstance(plan, str) else plan.name,
            state=self._get_state_label(decision.state),
        )

    def _get_warnings(self, decisions):
        """What concerns no single row: plans to be made, languages that are not installed."""
        warnings = dict.fromkeys((self.warnings or "").splitlines())
        missing = {d.plan for d in decisions if isinstance(d.plan, str) and d.kind != REJECTED}
        for plan in sorted(missing):
            warnings[self.env._("Plan “%s” would be created.", plan)] = None
        installed = {code.split("_")[0] for code, _name in self.env["res.lang"].get_installed()}
        for lang in sorted({d.row.values.get("lang") for d in decisions} - installed - {None}):
            warnings[
                self.env._("Language “%s” is not installed; customers keep the usual one.", lang)
            ] = None
        return "\n".join(warnings) or False

    # === IN THIS PROCESS === #

    def _run_file(
        self, source, mapping_name=None, *, company=None, file_name=None, dry_run=False,
        batch_size=BATCH_SIZE, after_batch=None, **options,
    ):  # fmt: skip
        """Import a file to its end in this process.

        :param source: path, or content as bytes
        :param mapping_name: name of the mapping; left out, the headings decide
        :param dry_run: only count; the import is left in state ``checked``
        :param after_batch: called as ``after_batch(record)`` after each batch; the command line
            commits and prints there. Without it nothing is committed
        :param options: values of the import, such as ``create_plans`` or ``bill_from``
        :raises UserError: when the file cannot be read or there is no such mapping
        :return: the ``isp.import``
        """
        company = company or self.env.company
        model = self.with_company(company)
        name = file_name or (
            str(source).rpartition("/")[2] if not isinstance(source, bytes) else ""
        )
        with _open_source(source) as file, model._words():
            table = SubscriberFile(file)
            total = sum(1 for _row in table.rows())
            mapping = model._get_mapping(company, mapping_name, table.columns, name)
            record = model.create(
                {
                    "company_id": company.id, "mapping_id": mapping.id, "file_name": name, **options,
                }
            )  # fmt: skip
            record._check_ready()
            # sudo: these columns belong to the mechanism, not to the user.
            record.sudo().write({"columns": table.columns, "total_count": 0 if dry_run else total})
            if not dry_run:
                record.write({"state": "running", "started_at": fields.Datetime.now()})
            for batch in split_every(batch_size, record._iterate_rows(table)):
                if dry_run:
                    record._tally(record._match(batch), preview=True)
                else:
                    record._import_rows(batch)
                if after_batch:
                    after_batch(record)
                self.env.flush_all()
                self.env.invalidate_all()
        if dry_run:
            record.write({"state": "checked"})
            record._write_rejected_file()
        else:
            record._finish()
        return record

    @api.model
    def _get_sample_path(self):
        """Path of the shipped list of a made-up provider; its mapping is “Sample provider”."""
        return file_path("isp_billing/demo/sample_subscribers.csv")

    def _get_mapping(self, company, name, columns, file_name):
        mappings = self.env["isp.import.mapping"]
        if not name:
            return mappings._find_or_create(company, columns, file_name)
        mapping = mappings.search([("company_id", "=", company.id), ("name", "=ilike", name)])
        if not mapping:
            raise UserError(self.env._("There is no import mapping named “%s”.", name))
        return mapping[:1]


def _open_source(source):
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return open(source, "rb")
