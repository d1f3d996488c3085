from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import MessagingCase

NIGHT = "2027-03-10 16:30:00"  # 22:30 in Dhaka
MORNING = "2027-03-11 03:00:00"
BANGLA_OFFER = "আপনার জন্য নতুন অফার"


@tagged("post_install", "-at_install")
class TestOutboxRules(MessagingCase):
    """Advertising by customers who agreed; consent is the matter of isp_messaging_privacy."""

    def setUp(self):
        super().setUp()
        self.patch(type(self.outbox), "_find_suppression", lambda message: None)

    def queue_at(self, moment, *args, **vals):
        with self.at(moment):
            return self.queue(*args, **vals)

    @proves("P-22")
    def test_advertising_at_night_waits_for_the_morning_and_a_code_goes_now(self):
        offer = self.queue_at(NIGHT, "promo", BANGLA_OFFER, "promotional")
        code = self.queue_at(NIGHT, "otp", "482913 is your code", "otp")
        self.assertEqual(str(offer.release_at), MORNING)
        self.assertIn("hours", offer.reason)
        self.send(NIGHT)
        self.assertEqual((offer.state, code.state), ("queued", "accepted"))
        self.send("2027-03-11 02:59:00")
        self.assertEqual(offer.state, "queued")
        self.send(MORNING)
        self.assertEqual(offer.state, "accepted")

    def test_advertising_that_waited_too_long_waits_for_the_next_morning(self):
        offer = self.queue_at(NIGHT, "promo", BANGLA_OFFER, "promotional")
        self.send("2027-03-11 15:00:00")
        self.assertEqual((offer.state, str(offer.release_at)), ("queued", "2027-03-12 03:00:00"))

    @proves("P-22")
    def test_advertising_in_latin_letters_is_refused_in_bangladesh(self):
        offer = self.queue("promo", "Notun offer dekhun", "promotional")
        self.assertEqual(offer.state, "failed")
        self.assertIn("Bangla", offer.reason)
        self.send()
        self.assertEqual(self.client.orders, [])

    def test_advertising_takes_the_text_that_the_country_demands(self):
        template = self.create_template("Look at our offer", "promotional")
        self.env["isp.message.text"].create(
            {"template_id": template.id, "lang": "bn", "body": BANGLA_OFFER}
        )
        offer = self.outbox._queue(
            self.company, "promo", partner_id=self.customer.id, template=template
        )
        self.assertEqual((offer.lang, offer.body, offer.state), ("bn", BANGLA_OFFER, "queued"))

    def test_advertising_abroad_keeps_the_hours_of_the_company(self):
        offer = self.queue_at(
            NIGHT, "promo", "Look at our offer", "promotional", address="+9779841234567"
        )
        self.assertEqual((offer.state, str(offer.release_at)), ("queued", MORNING))

    def test_a_company_may_be_stricter_with_itself(self):
        self.env["isp.message.rule"].create(
            {
                "country_id": self.env.ref("base.bd").id,
                "company_id": self.company.id,
                "tz": "Asia/Dhaka",
                "promo_from": 14.0,
                "promo_to": 16.0,
            }
        )
        offer = self.queue("promo", "Look at our plans", "promotional")
        self.assertEqual(str(offer.release_at), "2027-03-10 08:00:00")

    def test_hours_that_make_no_sense_are_refused(self):
        rule = self.env.ref("isp_messaging.rule_bd")
        for vals in ({"promo_from": 21.0}, {"promo_to": 25.0}, {"closed_to": 12.0}):
            with self.subTest(vals), self.assertRaises(ValidationError):
                rule.write(vals)

    def queue_to_india(self, body="Dear Asha, please pay Rs 500. Padma Net", template=None):
        text = template.text_ids if template else self.env["isp.message.text"]
        return self.queue("bill", body, "billing", address="+919826268423", text_id=text.id)

    def create_registered(self):
        return self.create_template(
            "Dear {{ customer }}, please pay {{ amount }}. Padma Net",
            "billing",
            dlt_template_id="1107160000000000001",
            dlt_text="Dear {#var#}, please pay {#var#}. Padma Net",
            gateway_template_id="tpl-due",
        )

    @proves("P-22")
    def test_india_a_text_without_template_id_is_refused(self):
        message = self.queue_to_india()
        self.assertEqual(message.state, "failed")
        self.assertIn("template id (DLT)", message.reason)
        self.send()
        self.assertEqual(self.client.orders, [])

    @proves("P-22")
    def test_india_a_text_that_differs_from_the_registered_one_is_refused_before_sending(self):
        message = self.queue_to_india("Dear Asha, pay Rs 500 now! Padma", self.create_registered())
        self.assertEqual(message.state, "failed")
        self.assertIn("differs", message.reason)
        self.send()
        self.assertEqual(self.client.orders, [])

    def test_india_a_registered_text_goes_with_its_ids_and_values(self):
        message = self.queue_to_india(template=self.create_registered())
        self.send()
        (order,) = self.client.orders
        self.assertEqual((order.template_id, order.values), ("tpl-due", ("Asha", "Rs 500")))
        self.assertEqual(message.state, "accepted")

    @proves("P-22")
    def test_placeholders_that_are_left_over_are_refused(self):
        message = self.queue(body="Dear {{ customer }}, hello")
        self.assertEqual(message.state, "failed")
        self.assertIn("placeholders", message.reason)

    @proves("P-56")
    def test_a_message_that_nobody_can_refuse_does_not_advertise(self):
        for message_class in ("service", "billing", "otp"):
            for body in ("Pay now and get a DISCOUNT", BANGLA_OFFER):
                with self.subTest(message_class, body=body):
                    message = self.queue(f"{message_class}:{body}", body, message_class)
                    self.assertEqual(message.state, "failed")
                    self.assertIn("must not advertise", message.reason)
        self.send()
        self.assertEqual(self.client.orders, [])
