"""The roles of a provider's people, and the models that they meet."""

from odoo import Command
from odoo.tests import TransactionCase, new_test_user

# Who works with the database, and the groups that make it so. Several companies have people who
# are two of these; rights add up.
ROLES = {
    "public": "base.group_public",
    "portal": "base.group_portal",
    "employee": "base.group_user",
    "first_line": "isp_base.group_isp_first_line",
    "support": "isp_base.group_isp_support",
    "clerk": "isp_base.group_isp_clerk",
    "network": "isp_base.group_isp_network",
    "lawful": "isp_network.group_isp_lawful",
    "billing": "isp_base.group_isp_accountant",
    "accountant": "isp_base.group_isp_accountant,account.group_account_user",
    "manager": "isp_base.group_isp_manager",
    "auditor": "isp_privacy.group_privacy_auditor",
    "officer": "isp_privacy.group_privacy_officer",
    "kyc": "isp_privacy.group_kyc_officer",
    "administrator": "base.group_system",
}
SUITE = ("isp_", "spreadsheet_dashboard_isp")


class RoleCase(TransactionCase):
    """Users of all roles whose groups are installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company, cls.other_company = cls.env["res.company"].create(
            [{"name": "Padma Net"}, {"name": "Ganga Net"}]
        )

    @classmethod
    def create_users(cls, roles):
        """Return ``{role: user}``, all of the first company."""
        return {
            role: new_test_user(
                cls.env,
                f"role_{role}",
                groups=groups,
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
                email=f"{role}@padma.example",
            )
            for role, groups in ROLES.items()
            if role in roles and cls.has_groups(groups)
        }

    @classmethod
    def has_groups(cls, groups):
        return all(cls.env.ref(xmlid, raise_if_not_found=False) for xmlid in groups.split(","))

    @classmethod
    def own_models(cls):
        """Names of the models that the suite defines, without those that have no records."""
        return [
            name
            for name, model in sorted(cls.env.registry.items())
            if model._original_module.startswith(SUITE) and not model._abstract
        ]
