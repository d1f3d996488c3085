from odoo import api, fields, models


class IspNasSync(models.Model):
    """How far the reconciler is with one router.

    Apart from the router itself, because this row is locked while a job talks to the router, and
    nobody who edits the router shall wait for that.
    """

    _name = "isp.nas.sync"
    _description = "Reconciliation of a router"
    _rec_name = "nas_id"

    _privacy_free = "How the last visit to a router went."

    nas_id = fields.Many2one("isp.nas", required=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="nas_id.company_id", store=True, index=True)
    result = fields.Selection(
        [("ok", "OK"), ("unreachable", "Unreachable"), ("refused", "Refused")], readonly=True
    )
    message = fields.Char(readonly=True)
    last_run = fields.Datetime(readonly=True)
    last_success = fields.Datetime(readonly=True)
    failures = fields.Integer("Failed tries in a row", readonly=True)
    next_try = fields.Datetime(readonly=True)
    drift_count = fields.Integer("Rows that had drifted", readonly=True)
    expired_through = fields.Datetime(
        readonly=True, help="Services that end by the clock were followed up to this moment."
    )

    _nas_uniq = models.UniqueIndex("(nas_id)", "One reconciliation a router.")

    @api.model
    def _of(self, nas):
        """The rows of the routers, made where they are missing."""
        # sudo: whoever causes a change, these rows belong to the mechanism.
        model_sudo = self.sudo()
        found = model_sudo.search([("nas_id", "in", nas.ids)])
        missing = nas - found.nas_id
        return found | model_sudo.create([{"nas_id": one.id} for one in missing])

    @api.model
    def _try_at_once(self, nas):
        """Forget the pause after a failure.

        A row that is locked is being worked on at this moment, so it needs no waking.
        """
        self._of(nas).try_lock_for_update().write({"next_try": False})
