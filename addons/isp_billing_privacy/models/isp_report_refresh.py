from odoo import api, models
from odoo.tools import SQL

# The purpose whose refusal keeps a person out of all analyses.
ANALYTICS = "analytics"


class IspReportRefresh(models.Model):
    """Reports that analyse neither restricted data nor people who object."""

    _inherit = "isp.report.refresh"

    @api.model
    def _get_left_out(self):
        """Add people whose data is restricted, and those who object to figures and reports.

        Of each person the last row of the ledger holds, as in ``privacy.consent``. Minors are among
        them, because for them everything that can be refused is refused when they are found.
        """
        self.env["res.partner"].flush_model(["privacy_restricted"])
        self.env["privacy.consent"].flush_model()
        return SQL(
            """
            %(others)s
             UNION ALL
            SELECT id, NULL FROM res_partner WHERE privacy_restricted
             UNION ALL
            SELECT partner_id, company_id
              FROM (SELECT DISTINCT ON (consent.partner_id, consent.company_id, consent.channel)
                           consent.partner_id, consent.company_id, consent.action
                      FROM privacy_consent consent
                      JOIN privacy_purpose purpose
                        ON purpose.id = consent.purpose_id AND purpose.code = %(code)s
                     WHERE consent.partner_id IS NOT NULL
                     ORDER BY consent.partner_id, consent.company_id, consent.channel,
                              consent.id DESC) last
             WHERE action = 'withdrawn'
            """,
            others=super()._get_left_out(),
            code=ANALYTICS,
        )
