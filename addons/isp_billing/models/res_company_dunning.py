from odoo import api, fields, models

# The policy of a new company: action, days after the due date, hour, message.
DEFAULT_STEPS = (
    ("remind", -3, 10, "isp_billing.mail_template_dunning_upcoming"),
    ("remind", 1, 10, "isp_billing.mail_template_dunning_overdue"),
    # When three whole days have passed since the due date.
    ("suspend", 4, 10, None),
)


class ResCompany(models.Model):
    """The dunning policy that a company follows where no other one is chosen."""

    _inherit = "res.company"

    isp_dunning_policy_id = fields.Many2one(
        "isp.dunning.policy",
        "Dunning policy",
        domain="[('company_id', '=', id)]",
        ondelete="restrict",
        help="Followed where the subscription, its customer and its plan have no other one. Left "
        "empty, nothing happens to who does not pay.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._ensure_isp_dunning_policy()
        return companies

    # === BUSINESS METHODS === #

    @api.model
    def _init_isp_dunning_policies(self):
        """Give every company a policy; run with each installation and update."""
        policies = self.env["isp.dunning.policy"].with_context(active_test=False)
        served = policies.search([("company_id", "!=", False)]).company_id
        self.search([("id", "not in", served.ids)])._ensure_isp_dunning_policy()

    def _ensure_isp_dunning_policy(self):
        """Give a first policy to the companies that never had one."""
        # sudo: who creates a company need not have a role in the suite.
        policies_sudo = self.env["isp.dunning.policy"].sudo().with_context(active_test=False)
        for company_sudo in self.sudo():
            if not policies_sudo.search_count([("company_id", "=", company_sudo.id)], limit=1):
                company_sudo.isp_dunning_policy_id = policies_sudo.with_context(
                    default_company_id=company_sudo.id
                ).create(company_sudo._prepare_isp_dunning_policy_vals())

    def _prepare_isp_dunning_policy_vals(self):
        """Values of the first policy.

        Hook: extend for other steps in new companies.
        """
        self.ensure_one()
        steps = []
        for action, days, hour, template in DEFAULT_STEPS:
            message = template and self.env.ref(template, raise_if_not_found=False)
            if template and not message:
                continue
            steps.append(
                fields.Command.create(
                    {
                        "action": action,
                        "days": days,
                        "hour": hour,
                        "mail_template_id": message.id if message else False,
                    }
                )
            )
        return {
            "name": self.env._("Standard"),
            "company_id": self.id,
            "step_ids": steps,
        }
