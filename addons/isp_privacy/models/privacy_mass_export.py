import logging

from odoo import api, fields, models

from ..errors import ExportReasonNeeded

_logger = logging.getLogger(__name__)

ROWS_PARAMETER = "isp_privacy.mass_export_rows"
DEFAULT_ROWS = 500
MIN_REASON_LENGTH = 10
# Where the web client puts what the user typed.
REASON_KEY = "privacy_export_reason"


class PrivacyMassExport(models.Model):
    """An export of many rows: who took what, and why. Written by :meth:`_record` alone."""

    _name = "privacy.mass.export"
    _description = "Mass export"
    _order = "id desc"
    _rec_name = "res_model"

    _privacy_subject = None
    _privacy_defaults = {
        "category": "trace",
        "purpose": "rights",
        "retention": "audit",
        "erasure": "keep",
        "reason": "Proof of who took many rows, and on what ground.",
        "export": False,
    }
    _privacy_fields = {"user_id": "staff", "reason": {"category": "free_text"}}
    _privacy_free = {"Names of a model and of its fields.": "res_model field_names"}

    at = fields.Datetime("When", required=True, readonly=True, index=True)
    user_id = fields.Many2one(
        "res.users", "By", required=True, readonly=True, index=True, ondelete="restrict"
    )
    res_model = fields.Char("Model", required=True, readonly=True)
    model_name = fields.Char("What", compute="_compute_model_name")
    row_count = fields.Integer("Rows", required=True, readonly=True)
    field_names = fields.Char("Fields", required=True, readonly=True)
    reason = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="restrict"
    )

    # === COMPUTE METHODS === #

    @api.depends("res_model")
    def _compute_model_name(self):
        for export in self:
            # sudo: what a model is called is no secret, and few users read models.
            export.model_name = self.env["ir.model"].sudo()._get(export.res_model).name

    # === BUSINESS METHODS === #

    @api.model
    def _get_limit(self):
        """How many rows may be exported without saying why."""
        # sudo: few users read parameters.
        value = self.env["ir.config_parameter"].sudo().get_param(ROWS_PARAMETER)
        try:
            return max(0, int(value or DEFAULT_ROWS))
        except ValueError:
            # Somebody wrote a word into the parameter: the promise holds all the same.
            _logger.warning("%s is not a number of rows: %s", ROWS_PARAMETER, value)
            return DEFAULT_ROWS

    @api.model
    def _get_reason(self):
        return " ".join(str(self.env.context.get(REASON_KEY) or "").split())

    @api.model
    def _check(self, records, row_count, field_names):
        """Tell whether an export is one of many rows.

        :raises ExportReasonNeeded: when it is, and nobody said why; the attempt is written down
        """
        limit = self._get_limit()
        if self.env.su or row_count <= limit:
            return False
        if len(self._get_reason()) >= MIN_REASON_LENGTH:
            return True
        _logger.warning(
            "User %s was refused an export of %s rows of %s without a reason",
            self.env.uid,
            row_count,
            records._name,
        )
        # In a transaction of its own: the refusal rolls this one back.
        with self.env.registry.cursor() as cr:
            audit = self.env(cr=cr)["privacy.audit"]
            audit._log("export_refused", audit.env[records._name], fields=field_names)
        raise ExportReasonNeeded(
            self.env._(
                "This export has %(rows)s rows. An export of more than %(limit)s rows needs a "
                "reason of at least %(length)s letters, which is kept with your name.",
                rows=row_count,
                limit=limit,
                length=MIN_REASON_LENGTH,
            )
        )

    @api.model
    def _record(self, records, row_count, field_names):
        """Write down who exported what and why, here and in the audit chain."""
        vals = {
            "user_id": self.env.uid,
            "res_model": records._name,
            "row_count": row_count,
            "field_names": ", ".join(field_names),
            "reason": self._get_reason(),
            "company_id": self.env.company.id,
        }
        # sudo: nobody but this method adds rows, or they could be forged.
        export_sudo = self.sudo().create({**vals, "at": fields.Datetime.now()})
        self.env["privacy.audit"]._log("mass_export", export_sudo, fields=vals)
        return export_sudo
