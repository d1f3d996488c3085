"""Each company's rule of suspension becomes its dunning policy."""

from odoo import SUPERUSER_ID, api, fields
from odoo.tools import sql


def migrate(cr, _version):
    if not sql.column_exists(cr, "res_company", "isp_auto_suspend"):
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.flush_all()
    cr.execute(
        "SELECT id, isp_auto_suspend, isp_suspend_after_days, isp_suspend_hour FROM res_company"
    )
    for company_id, suspends, days, hour in cr.fetchall():
        company = env["res.company"].browse(company_id)
        company._ensure_isp_dunning_policy()
        policy = company.isp_dunning_policy_id
        # Written by the first installation of policies a moment ago: not the company's own yet.
        if not policy or env["isp.dunning.log"].search_count([("policy_id", "=", policy.id)]):
            continue
        policy.write(_present_rule(suspends, days or 0, hour or 0))
    _rename_job(env)


def _present_rule(suspends, days, hour):
    """Nothing but what the company had: no reminders, and weekends are days like others."""
    steps = [fields.Command.clear()]
    if suspends:
        # "More than 3 days after the due date" is the fourth day.
        step = {"action": "suspend", "days": days + 1, "hour": hour}
        steps.append(fields.Command.create(step))
    weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return {
        "step_ids": steps,
        "holidays": False,
        **{f"rest_{day}": False for day in weekdays},
    }


def _rename_job(env):
    """The job is not updated with the module, because its hours belong to the operator."""
    if cron := env.ref("isp_billing.isp_subscription_cron_suspend", raise_if_not_found=False):
        cron.write({"name": "ISP: dunning", "code": "model._cron_dun()"})
