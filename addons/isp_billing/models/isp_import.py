from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

# What decides about the outcome; a check made with other values no longer holds.
_INPUTS = {
    "file", "company_id", "mapping_id", "line_ids", "create_plans", "country_id", "default_plan_id",
    "default_date_start", "bill_from",
}  # fmt: skip
_COUNTERS = ("total_count", "new_count", "changed_count", "unchanged_count", "rejected_count")
KEEP_DAYS = 90


class IspImport(models.Model):
    """One import of a file of subscribers.

    The uploaded file is kept encrypted until the import is done and deleted then. ``isp_import_file``
    reads it, ``isp_import_match`` decides what each row means and writes nothing, so that the check
    and the import are the same decision, ``isp_import_apply`` carries it out.
    """

    _name = "isp.import"
    _description = "Import of subscribers"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _check_company_auto = True

    _privacy_subject = None
    _privacy_defaults = {
        "category": "document",
        "purpose": "service",
        "retention": "transient",
        "erasure": "null",
        "export": False,
    }
    _privacy_fields = {
        # Whole files of customers, encrypted.
        "sealed_file sealed_rows sealed_samples": {},
        "rejected_file warnings": {},
        "user_id": "staff",
    }
    _privacy_free = {
        "Of the file, not of those in it.": "name file_name rejected_file_name columns"
    }

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users", "Imported by", readonly=True, copy=False, default=lambda self: self.env.user
    )
    state = fields.Selection(
        [("draft", "Draft"), ("checked", "Checked"), ("running", "Running"), ("done", "Done")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )

    # === FIELDS - FILE === #
    file = fields.Binary(
        compute="_compute_file",
        inverse="_inverse_file",
        help="CSV or XLSX with one heading row. Kept encrypted, and deleted after the import.",
    )
    file_name = fields.Char(copy=False)
    has_file = fields.Boolean(readonly=True, copy=False)
    columns = fields.Json("Headings", readonly=True, copy=False)
    sealed_samples = fields.Char(readonly=True, copy=False, groups="base.group_system")
    sealed_file = fields.Binary(
        attachment=True, readonly=True, copy=False, groups="base.group_system"
    )
    sealed_rows = fields.Binary(
        attachment=True, readonly=True, copy=False, groups="base.group_system"
    )
    next_offset = fields.Integer(readonly=True, copy=False, groups="base.group_system")

    # === FIELDS - MAPPING AND OPTIONS === #
    mapping_id = fields.Many2one(
        "isp.import.mapping",
        check_company=True,
        ondelete="restrict",
        help="Remembers the columns under a name, for the next file of this kind.",
    )
    line_ids = fields.One2many(related="mapping_id.line_ids", readonly=False)
    create_plans = fields.Boolean(
        "Create missing plans", help="Makes a plan, with the row's price, for every unknown name."
    )
    country_id = fields.Many2one(
        "res.country",
        default=lambda self: self.env.company.country_id,
        help="Country of the customers, and of phone numbers without country code.",
    )
    default_plan_id = fields.Many2one(
        "isp.plan", "Default plan", check_company=True, help="For rows that name no plan."
    )
    default_date_start = fields.Date(
        "Start date", help="For rows without one. Left empty, the day from which is billed."
    )
    bill_from = fields.Date(
        "Bill from",
        default=lambda self: self.env.company._get_isp_today().replace(day=1),
        help="First day that Odoo bills; the days before were billed by the system used until now. "
        "Rows with their own “billed before” keep it.",
    )

    # === FIELDS - RESULT === #
    total_count = fields.Integer("Rows", readonly=True, copy=False)
    new_count = fields.Integer("New", readonly=True, copy=False)
    changed_count = fields.Integer("Changed", readonly=True, copy=False)
    unchanged_count = fields.Integer("Unchanged", readonly=True, copy=False)
    rejected_count = fields.Integer("Rejected", readonly=True, copy=False)
    processed_count = fields.Integer(compute="_compute_progress")
    progress = fields.Float(compute="_compute_progress")
    summary = fields.Char(compute="_compute_summary")
    warnings = fields.Text(readonly=True, copy=False)
    row_ids = fields.One2many("isp.import.row", "import_id", "Rows in detail", readonly=True)
    rejected_file = fields.Binary("Rejected rows", attachment=True, readonly=True, copy=False)
    rejected_file_name = fields.Char(readonly=True, copy=False)
    started_at = fields.Datetime("Started at", readonly=True, copy=False)
    finished_at = fields.Datetime("Finished at", readonly=True, copy=False)

    # === COMPUTE METHODS === #

    def _compute_file(self):
        """The file is never handed out again."""
        self.file = False

    def _inverse_file(self):
        for record in self.filtered("file"):
            record._seal_file()
            record._read_columns()

    @api.depends(*_COUNTERS)
    def _compute_progress(self):
        for record in self:
            record.processed_count = sum(record[name] for name in _COUNTERS[1:])
            record.progress = (
                100.0
                if record.state == "done"
                else 100.0 * record.processed_count / (record.total_count or 1)
            )

    @api.depends("state", *_COUNTERS)
    def _compute_summary(self):
        for record in self:
            record.summary = record._get_summary()

    def _get_summary(self):
        """The counters as a sentence."""
        if self.state == "draft":
            return False
        counts = {
            name: self[f"{name}_count"] for name in ("new", "changed", "unchanged", "rejected")
        }
        if self.state == "done" and counts["unchanged"] == self.total_count:
            return self.env._(
                "Nothing changed: all %s rows are in the system already, as they are in the file.",
                self.total_count,
            )
        if self.state == "checked":
            return self.env._(
                "%(new)s would be new, %(changed)s would change, %(unchanged)s are the same already, "
                "%(rejected)s would be rejected.",
                **counts,
            )
        return self.env._(
            "%(new)s new, %(changed)s changed, %(unchanged)s unchanged, %(rejected)s rejected.",
            **counts,
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            company = self.env["res.company"].browse(vals.get("company_id") or self.env.company.id)
            self._check_company_allowed(company)
            if not vals.get("line_ids"):
                # A new form sends an empty list, which would empty the mapping that is found.
                vals.pop("line_ids", None)
            if vals.get("name", "/") == "/":
                sequence = self.env["ir.sequence"].with_company(company)
                vals["name"] = sequence.next_by_code("isp.import") or "/"
        return super().create(vals_list)

    def write(self, vals):
        if "company_id" in vals:
            self._check_company_allowed(self.env["res.company"].browse(vals["company_id"]))
        if _INPUTS & set(vals):
            if self.filtered(lambda record: record.state in ("running", "done")):
                raise UserError(
                    self.env._("This import has begun. Make a new one for another file.")
                )
            vals = dict(vals, state="draft")
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_running(self):
        if self.filtered(lambda record: record.state == "running"):
            raise UserError(self.env._("A running import cannot be deleted."))

    def _check_company_allowed(self, company):
        if not self.env.su and company not in self.env.user.company_ids:
            raise AccessError(self.env._("You cannot import into a company that is not yours."))

    @api.autovacuum
    def _gc_personal_data(self):
        """Forget the rows of old imports, and files that were uploaded and never imported."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEEP_DAYS)
        old = self.search([("write_date", "<", limit), ("state", "!=", "running")])
        old.row_ids.unlink()
        old.filtered("rejected_file").rejected_file = False
        for record in old.filtered("has_file"):
            record._delete_source()

    # === ACTION METHODS === #

    def action_read_file(self):
        """Show the columns of the uploaded file; the form has been saved before."""
        self.ensure_one()
        if not self.has_file:
            raise UserError(self.env._("Choose a file first."))

    def action_remove_file(self):
        """Make room for another file."""
        for record in self.filtered(lambda record: record.state in ("draft", "checked")):
            record._reset()
            record._delete_source()
            record.write({"state": "draft", "mapping_id": False})

    def action_edit(self):
        """Go back to the columns."""
        self.filtered(lambda record: record.state == "checked").write({"state": "draft"})

    def action_check(self):
        """Show what the import would do, without doing it."""
        for record in self.filtered(lambda record: record.state in ("draft", "checked")):
            record._check()

    def action_import(self):
        """Begin the import, or let it go on, in the background."""
        for record in self:
            if record.state == "draft":
                raise UserError(self.env._("Check the file first."))
            if record.state == "checked":
                record._reset()
                record.write(
                    {
                        "state": "running",
                        "started_at": fields.Datetime.now(),
                        "user_id": self.env.uid,
                    }
                )
            if record.state == "running":
                record._enqueue()

    def action_view_subscriptions(self):
        """Open the subscriptions that the import made or changed."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_billing.isp_subscription_action"
        )
        action.update(domain=[("import_id", "=", self.id)], context={})
        return action

    # === JOBS === #

    def _enqueue(self):
        """Queue the next step."""
        self.ensure_one()
        self.with_delay(description=self.env._("Import a batch of %s", self.name))._job_import()

    def _job_import(self):
        """Import one batch and queue the next one.

        The batch, its counters and the place where the next one begins are committed together, so an
        import that is killed goes on where it stopped.
        """
        self.ensure_one()
        record = self.with_company(self.company_id)
        if record.state != "running" or not record.try_lock_for_update(allow_referencing=True):
            return
        record.invalidate_recordset()
        try:
            finished = record._import_next_batch()
        except UserError as error:
            # The file or its mapping cannot be read: back to the person, instead of a failed job.
            record._give_back(str(error))
            return
        if finished:
            record._finish()
        else:
            record._enqueue()

    def _give_back(self, reason):
        self.write({"state": "draft"})
        self._message_log(body=self.env._("The import has stopped: %s", reason))

    def _reset(self):
        """Forget the outcome of an earlier check."""
        # sudo: the offset is none of the user's business, but this is what begins anew.
        self.sudo().write(
            dict.fromkeys(_COUNTERS, 0)
            | {
                "next_offset": 0, "warnings": False, "sealed_rows": False,
                "rejected_file": False, "finished_at": False,
            }
        )  # fmt: skip
        self.row_ids.unlink()

    def _finish(self):
        """Close the import: rejected rows to a file, the uploaded one deleted."""
        self.write({"state": "done", "finished_at": fields.Datetime.now()})
        self._write_rejected_file()
        self._delete_source()
        self._message_log(body=self._get_summary())
