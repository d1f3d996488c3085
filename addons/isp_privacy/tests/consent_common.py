from odoo import fields

from odoo.addons.isp_base.tests.common import EncryptionCase

from .request_common import PrivacyRequestCase

OFFER = "Faster internet for you"


class ConsentCase(EncryptionCase, PrivacyRequestCase):
    """Karim and Rahim decide about offers of Padma Net, whose policy Nasrin writes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ledger = cls.env["privacy.consent"]
        cls.suppression = cls.env["privacy.suppression"]
        cls.marketing = cls.env.ref("isp_privacy.privacy_purpose_marketing")
        cls.recommendations = cls.env.ref("isp_privacy.privacy_purpose_personalisation")
        cls.profile.age_gate = False
        cls.service = cls.env.ref("isp_privacy.privacy_purpose_service")
        cls.karim.write({"phone": "01711-111111", "country_id": cls.env.ref("base.bd").id})

    def decide(self, action="given", partner=None, channel="mail", purpose=None, **vals):
        partner = self.karim if partner is None else partner
        return self.ledger._record(
            action,
            purpose or self.marketing,
            channel,
            vals.pop("source", "portal"),
            partner,
            **vals,
        )

    def may_write_to(self, partner, purpose=None, channel="mail"):
        return bool(partner._privacy_may_contact(purpose or self.marketing, channel))

    @classmethod
    def create_policy(cls, company=None):
        company = company or cls.company
        company.write({"street": "12 Gulshan Avenue", "city": "Dhaka", "phone": "+8801711000000"})
        company.email = company.email or "office@padma.example"
        policy = cls.env["privacy.policy"]._get_of_company(company)
        policy = policy or cls.env["privacy.policy"].create({"company_id": company.id})
        policy.write({"officer_name": "Nasrin Akter", "officer_email": "nasrin@padma.example"})
        return policy

    @classmethod
    def create_version(cls, policy, text="# Rights\nWe answer in {answer_days} days.", **vals):
        return cls.env["privacy.policy.version"].create(
            {
                "policy_id": policy.id,
                "effective_date": policy.company_id._get_privacy_today(),
                "text_ids": [fields.Command.create({"lang": "en_US", "body": text})],
                **vals,
            }
        )

    @classmethod
    def publish(cls, policy, days=0, **vals):
        """Publish a version that is in force ``days`` from today."""
        today = policy.company_id._get_privacy_today()
        version = cls.create_version(
            policy, effective_date=fields.Date.add(today, days=days), **vals
        )
        version.with_user(cls.nasrin).with_context(
            allowed_company_ids=cls.company.ids
        ).action_publish()
        return version
