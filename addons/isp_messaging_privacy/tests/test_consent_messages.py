from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_privacy.tests.consent_common import ConsentCase

BANGLA_OFFER = "আপনার জন্য নতুন অফার"


@tagged("post_install", "-at_install")
class TestConsentMessages(ConsentCase):
    """Padma Net writes to Karim and Rahim; nothing leaves the outbox here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["isp.message.gateway"].create(
            {
                "name": "SSL Wireless",
                "company_id": cls.company.id,
                "provider": "ssl_wireless",
                "sender": "PADMANET",
                "api_token": "token-for-tests",
            }
        )
        cls.rahim.write({"phone": "01711-222222", "country_id": cls.env.ref("base.bd").id})
        cls.number = 0

    def queue(self, partner, message_class="promotional", **vals):
        type(self).number += 1
        vals = {"body": BANGLA_OFFER, "partner_id": partner.id, **vals}
        return self.env["isp.message"]._queue(
            self.company,
            f"campaign:{self.number}",
            now=self.env.cr.now(),
            message_class=message_class,
            **vals,
        )

    @proves("P-11", "P-39", "P-40", "P-41")
    def test_a_campaign_reaches_only_those_who_agreed_and_may_be_written_to(self):
        stranger = self.queue(self.karim)
        self.assertEqual(stranger.state, "suppressed")
        self.assertIn("has not agreed", stranger.reason)
        for partner in (self.karim, self.rahim):
            self.decide(partner=partner, channel="sms")
            self.assertEqual(self.queue(partner).state, "queued")
        self.karim._privacy_set_restricted(True)
        restricted = self.queue(self.karim)
        self.assertEqual(restricted.state, "suppressed")
        self.assertIn("restricted", restricted.reason)
        self.karim._privacy_set_restricted(False)
        self.assertEqual(self.queue(self.karim).state, "queued")
        self.create_request("objection_marketing")
        self.assertEqual(self.queue(self.karim).state, "suppressed")
        self.assertEqual(self.queue(self.rahim).state, "queued")

    @proves("P-22", "P-41")
    def test_an_opted_out_number_stays_so_when_it_comes_back_by_an_import(self):
        self.decide(channel="sms")
        self.decide("withdrawn", channel="sms")
        again = self.karim.copy({"phone": "+880 1711 111111"})
        message = self.queue(again)
        self.assertEqual(message.state, "suppressed")
        self.assertIn("suppression list", message.reason)
        bare = self.queue(self.env["res.partner"], address="01711111111")
        self.assertEqual(bare.state, "suppressed")
        self.assertIn("suppression list", bare.reason)

    @proves("P-56")
    def test_nobody_opts_out_of_codes_service_and_bills(self):
        self.decide("withdrawn", channel="sms")
        self.karim._privacy_set_restricted(True)
        for message_class in ("otp", "service", "billing"):
            with self.subTest(message_class):
                message = self.queue(self.karim, message_class, body="Your bill is due")
                self.assertEqual(message.state, "queued")

    def test_who_withdraws_while_it_waits_for_the_morning_does_not_get_it(self):
        self.decide(channel="sms")
        message = self.queue(self.karim)
        self.decide("withdrawn", channel="sms")
        self.assertFalse(message._settle(message.release_at))
        self.assertEqual(message.state, "suppressed")

    def test_advertising_by_odoos_own_composer_needs_consent_too(self):
        sms = self.env["sms.sms"].create(
            {
                "number": "+8801711111111",
                "partner_id": self.karim.id,
                "body": BANGLA_OFFER,
                "record_company_id": self.company.id,
            }
        )
        sms.send(unlink_sent=False)
        self.assertEqual((sms.state, sms.failure_type), ("error", "sms_optout"))
