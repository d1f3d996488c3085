from contextlib import contextmanager

from freezegun import freeze_time

from odoo import fields
from odoo.tests import TransactionCase, new_test_user

OFFICER = "isp_privacy.group_privacy_officer"
AUDITOR = "isp_privacy.group_privacy_auditor"


class PrivacyRequestCase(TransactionCase):
    """A provider in Dhaka with two officers and an auditor; Karim and Rahim are customers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create(
            {
                "name": "Padma Net",
                "country_id": cls.env.ref("base.bd").id,
                "email": "office@padma.example",
            }
        )
        cls.profile = cls.company._get_privacy_profile()
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.company.ids))
        cls.nasrin = cls.create_user("privacy_nasrin", OFFICER)
        cls.farid = cls.create_user("privacy_farid", OFFICER)
        cls.auditor = cls.create_user("privacy_auditor", AUDITOR)
        cls.karim = cls.create_partner("Karim Uddin", "karim@customer.example")
        cls.rahim = cls.create_partner("Rahim Ali", "rahim@customer.example")

    @classmethod
    def create_user(cls, login, groups, **vals):
        company = vals.pop("company", cls.company)
        partner = cls.env["res.partner"].browse(vals.get("partner_id"))
        return new_test_user(
            cls.env,
            login,
            groups=groups,
            password=f"{login}-password",
            name=partner.name or login,
            email=partner.email or f"{login}@padma.example",
            company_id=company.id,
            company_ids=[fields.Command.set(company.ids)],
            **vals,
        )

    @classmethod
    def create_partner(cls, name, email, **vals):
        return cls.env["res.partner"].create({"name": name, "email": email, **vals})

    @classmethod
    def create_request(cls, request_type="access", partner=None, user=None, **vals):
        """A request that ``user`` (Nasrin) enters for ``partner`` (Karim)."""
        return (
            cls.env["privacy.request"]
            .with_user(user or cls.nasrin)
            .create(
                {
                    "request_type": request_type,
                    "partner_id": (cls.karim if partner is None else partner).id,
                    "company_id": cls.company.id,
                    **vals,
                }
            )
        )

    @contextmanager
    def at(self, moment):
        """Let it be ``moment`` (UTC); what was computed for another time is forgotten."""
        with freeze_time(moment):
            self.env.invalidate_all()
            yield
        self.env.invalidate_all()

    def bring(self, request, state):
        """Put the request into ``state`` the usual way: Nasrin reviews, Farid approves."""
        way = {
            "identity_pending": lambda: request.with_user(self.nasrin)._ask_identity(),
            "verified": lambda: request.with_user(self.nasrin)._verify_identity("letter"),
            "in_review": lambda: request.with_user(self.nasrin).action_review(),
            "approved": lambda: request.with_user(self.farid)._move_to("approved", "Approved"),
            "executing": lambda: request.with_user(self.farid)._proceed(),
            "done": lambda: request.with_user(self.farid)._finish("Handed over"),
        }
        for name, step in way.items():
            if name != "identity_pending" or state == name:
                step()
            if request.state == state:
                return request
        raise AssertionError(f"{request.state} instead of {state}")

    def letters_of(self, request):
        """The mails to the person, newest first; not the notices to officers."""
        mails = self.env["mail.mail"].search(
            [("model", "=", request._name), ("res_id", "=", request.id)], order="id desc"
        )
        partner = request.partner_id
        return mails.filtered(lambda m: m.recipient_ids == partner if partner else m.email_to)

    def activities_of(self, request, kind):
        xmlid = f"isp_privacy.mail_activity_type_{kind}"
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", request._name),
                ("res_id", "=", request.id),
                ("activity_type_id", "=", self.env.ref(xmlid).id),
            ]
        )

    def run_cron(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"isp_privacy.privacy_request_cron_{name}").method_direct_trigger()
        self.env.invalidate_all()
