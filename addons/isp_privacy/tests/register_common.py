"""Two companies, and users who look after their registers."""

from freezegun import freeze_time

from odoo import Command
from odoo.tests import new_test_user

from odoo.addons.isp_base.tests.common import EncryptionCase

NOW = "2027-03-10 06:00:00"


class RegisterCase(EncryptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        clock = freeze_time(NOW)
        clock.start()
        cls.addClassCleanup(clock.stop)
        companies = cls.env["res.company"].create(
            [
                {"name": "Padma Net", "country_id": cls.env.ref("base.bd").id},
                {"name": "Ganga Net", "country_id": cls.env.ref("base.in").id},
            ]
        )
        cls.company, cls.other_company = companies
        cls.company.partner_id.tz = "Asia/Dhaka"
        cls.other_company.partner_id.tz = "Asia/Kolkata"
        cls.officer = cls.new_user("prv_officer", "isp_privacy.group_privacy_officer")
        cls.second_officer = cls.new_user("prv_second", "isp_privacy.group_privacy_officer")
        cls.auditor = cls.new_user("prv_auditor", "isp_privacy.group_privacy_auditor")
        cls.clerk = cls.new_user("prv_clerk", "isp_base.group_isp_manager")
        cls.customer = cls.env["res.partner"].create({"name": "Karim Uddin"})
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})

    @classmethod
    def new_user(cls, login, groups, companies=None):
        companies = companies or cls.company
        return new_test_user(
            cls.env,
            login,
            groups=groups,
            company_id=companies[0].id,
            company_ids=[Command.set(companies.ids)],
            email=f"{login}@example.com",
        )

    def as_user(self, user, model):
        """Return a model as ``user`` sees it, in the user's companies."""
        return self.env(user=user, context={"allowed_company_ids": user.company_ids.ids})[model]

    def audit_of(self, record):
        """Return the audit rows about a record, the oldest first."""
        domain = [("model", "=", record._name), ("res_id", "=", record.id)]
        return self.env["privacy.audit"].sudo().search(domain, order="id")
