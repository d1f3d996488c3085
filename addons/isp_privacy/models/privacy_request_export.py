from odoo import fields, models

from .privacy_request import AUDITOR


class PrivacyRequest(models.Model):
    """Access and portability: a package with the data, made by a job and fetched by the person."""

    _inherit = "privacy.request"

    export_ids = fields.One2many(
        "privacy.export", "request_id", "Data packages", readonly=True, groups=AUDITOR
    )

    def _execute_access(self):
        """Begin a package with all that is held; the job goes on and closes the request."""
        return self._begin_export()

    def _execute_portability(self):
        """Begin a package with what the person provided and what was observed."""
        return self._begin_export()

    def _begin_export(self):
        """Let the job make a package.

        :return: nothing: the request stays in execution until the package is ready
        """
        self.ensure_one()
        if not self.partner_id:
            # What is held about somebody who is not among the contacts, nobody but staff can find.
            return self._execute_by_hand()
        # sudo: nobody may write packages but these methods.
        exports = self.env["privacy.export"].sudo()
        for export in exports.search([("request_id", "=", self.id)]):
            if export.state in ("building", "ready"):
                export._discard("cancelled")
        exports._create_for(self)
        # sudo: who approves need not be an administrator to wake the job.
        self.env.ref("isp_privacy.privacy_export_cron").sudo()._trigger()
        return None

    def _get_export(self):
        """Return the latest package of the request, as superuser: what the person may be told of."""
        self.ensure_one()
        # sudo: customers read no packages; they see how far theirs is, and fetch it.
        return (
            self.env["privacy.export"]
            .sudo()
            .search([("request_id", "=", self.id)], order="id desc", limit=1)
        )
