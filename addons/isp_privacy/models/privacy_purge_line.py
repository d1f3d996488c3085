import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .. import catalogue
from .privacy_purge_scope import get_emptied

_logger = logging.getLogger(__name__)


class PrivacyPurgeLine(models.Model):
    """One kind of data of one model in a purge: what is due, and what became of it."""

    _name = "privacy.purge.line"
    _description = "Kind of data in a purge"
    _order = "purge_id, id"
    _rec_name = "model"

    _privacy_free = "Numbers of records, and none of them by name."

    purge_id = fields.Many2one(
        "privacy.purge", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="purge_id.company_id", store=True, index=True)
    model = fields.Char(required=True, readonly=True)
    model_label = fields.Char("Records", compute="_compute_model_label")
    retention = fields.Selection(
        catalogue.RULED_CLASSES,
        "Kind of data",
        required=True,
        readonly=True,
    )
    action = fields.Selection(
        [("delete", "Delete the records"), ("empty", "Empty fields")],
        "What is done",
        required=True,
        readonly=True,
    )
    newest_day = fields.Date(
        "Up to", readonly=True, help="Records of this day and of those before have had their time."
    )
    due_count = fields.Integer("Due", readonly=True)
    held_count = fields.Integer(
        "Kept by holds", readonly=True, help="Of those that are due; they stay."
    )
    oldest = fields.Date(readonly=True, help="Day of the oldest record that is due.")
    done_count = fields.Integer(
        "Done",
        readonly=True,
        help="Where months go as a whole, about so many; a few days' more than were due.",
    )
    error_count = fields.Integer("Failed", readonly=True)
    # Numbers of some records need more than a database integer has.
    last_key = fields.Char(
        "Done up to number", readonly=True, help="Where the purge goes on after a crash."
    )
    state = fields.Selection(
        [("open", "Waiting"), ("done", "Done")], required=True, readonly=True, default="open"
    )

    # === COMPUTE METHODS === #

    @api.depends("model")
    def _compute_model_label(self):
        for line in self:
            # sudo: the list of models is closed to auditors.
            line.model_label = self.env["ir.model"].sudo()._get(line.model).name or line.model

    # === BUSINESS METHODS - PREVIEW === #

    @api.model
    def _prepare_preview(self, scope, model, kind):
        """Return the values of a line: what is due, and nothing is touched. None without any."""
        due, held = scope.get_domains(model, kind)
        records = self._get_model(model)
        count = records.search_count(due)
        if not count:
            return None
        return {
            "model": model,
            "retention": kind,
            "action": "delete" if scope.deletes(model) else "empty",
            "newest_day": scope.newest_due(scope.company, kind),
            "due_count": count,
            "held_count": 0 if held.is_false() else records.search_count(held),
            "oldest": self._get_oldest(scope, records, due),
        }

    @api.model
    def _get_oldest(self, scope, records, due):
        path = scope.datamap.models[records._name].retention["anchor"]
        # By way of another record the number has to do for the order.
        order = "id" if "." in path or not records._fields[path].store else path
        first = records.search(due, order=order, limit=1)
        moment = first.mapped(path)[:1]
        if not moment:
            return False
        is_day = not hasattr(moment[0], "hour")
        return moment[0] if is_day else scope.company._get_privacy_day(moment[0])

    def _get_model(self, name):
        # sudo: the policy deletes, whoever started it; nobody else may delete most of this.
        model = self.env[name].sudo()
        return model.with_context(
            active_test=False,
            skip_res_field_check=True,
            tracking_disable=True,
            mail_notrack=True,
        )

    # === BUSINESS METHODS - EXECUTION === #

    def _work(self, limit):
        """Do the next records of the line, at most ``limit``.

        :return: how many records were looked at
        """
        self.ensure_one()
        scope = self.purge_id._get_scope()
        if not self.last_key:
            self._drop_whole(scope)
        records = self._get_next(scope, limit)
        if not records:
            self.state = "done"
            return 0
        failed = self._apply_or_explain(scope, records)
        self.write(
            {
                "last_key": str(records[-1:].id),
                "done_count": self.done_count + len(records) - failed,
                "error_count": self.error_count + failed,
            }
        )
        return len(records)

    def _get_next(self, scope, limit):
        due, held = scope.get_domains(self.model, self.retention)
        domain = due & ~held & Domain("id", ">", int(self.last_key or 0))
        return self._get_model(self.model).search(domain, order="id", limit=limit)

    def _drop_whole(self, scope):
        """Let the model drop what can go as a whole, unless a hold may keep some of it."""
        records = self._get_model(self.model)
        drop = getattr(records, "_privacy_drop", None)
        if drop is None or scope.is_held(self.model, self.retention):
            return
        free = scope.newest_free(self.retention)
        self.done_count += drop(free=free, due=self.newest_day)

    def _apply_or_explain(self, scope, records):
        """Deal with all records at once; when that fails, with each, and note what is wrong.

        :return: how many of them failed
        """
        actions = scope.actions(self.model, self.retention)
        try:
            with self.env.cr.savepoint():
                self._apply(records, actions)
            return 0
        except psycopg2.OperationalError:
            raise  # somebody else changed it meanwhile: the batch is tried again
        except Exception:  # border of a batch: the record to blame is looked for below
            _logger.info("Purge of %s: a batch failed, each record by itself", self.model)
        self.env.invalidate_all(flush=False)
        return sum(not self._apply_one(record, actions) for record in records)

    def _apply_one(self, record, actions):
        key = record.id
        try:
            with self.env.cr.savepoint():
                self._apply(record, actions)
            return True
        except psycopg2.OperationalError:
            raise  # somebody else changed it meanwhile: the batch is tried again
        except Exception as error:  # border of a batch: logged, and shown on the purge
            _logger.warning("Purge of %s %s failed: %s", self.model, key, type(error).__name__)
            self.env.invalidate_all(flush=False)
            message = str(error) if isinstance(error, UserError) else type(error).__name__
        self.env["privacy.purge.error"].create(
            {"line_id": self.id, "record_key": str(key), "message": message}
        )
        return False

    def _apply(self, records, actions):
        """Delete the records, or empty the fields of them whose time is over."""
        if self.action == "delete":
            delete = getattr(records, "_privacy_delete", records.unlink)
            delete()
        else:
            for vals, alike in self._group_by_values(records, actions):
                self._empty(alike, vals)
        self.env.flush_all()  # what the database refuses must show here, not in a later batch

    def _empty(self, records, vals):
        """Write the values; those of fields that Odoo computes past their computation."""
        computed = [name for name in vals if _is_computed(records._fields[name])]
        entered = {name: value for name, value in vals.items() if name not in computed}
        if entered:
            write = getattr(records, "_privacy_empty", records.write)
            write(entered)
        records.flush_recordset()
        for name in computed:
            self.env.execute_query(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = ANY(%s) RETURNING 1",
                    SQL.identifier(records._table),
                    SQL.identifier(name),
                    vals[name] or None,
                    records.ids,
                )
            )
        records.invalidate_recordset(computed)

    def _group_by_values(self, records, actions):
        """Return pairs of values and the records that get them."""
        groups = {}
        for record in records:
            vals = get_emptied(record, actions)
            groups.setdefault(repr(vals), (vals, []))[1].append(record.id)
        return [(vals, records.browse(ids)) for vals, ids in groups.values()]


def _is_computed(field):
    """Whether a value that is written would be computed again at once."""
    return bool(field.compute and field.readonly and not field.inverse)
