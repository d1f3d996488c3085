"""The groups that analyses read are made from the facts there are, or reports would be empty."""

from odoo import SUPERUSER_ID, api

from odoo.addons.isp_billing.report.facts import Facts


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    Facts(env, []).refresh()
    # Who is not analysed is in the facts only after all of them have been worked out again.
    env["isp.report.refresh"].search([]).day = False
    env["isp.report.refresh"]._get_cron()._trigger()
