from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import MessagingCase


@tagged("post_install", "-at_install")
class TestTemplates(MessagingCase):
    def assert_refused(self, words, body, message_class="service", **vals):
        with self.assertRaisesRegex(ValidationError, words), self.env.cr.savepoint():
            self.create_template(body, message_class, **vals)

    @proves("P-56")
    def test_service_and_bills_do_not_advertise(self):
        for body in ("Order now, {{ customer }}", "২০% ছাড়!", "Save 50% off"):
            for message_class in ("service", "billing", "otp"):
                self.assert_refused("must not advertise", body, message_class)
            self.assertTrue(self.create_template(body, "promotional"))

    @proves("P-56")
    def test_the_list_of_words_is_the_operators(self):
        self.assertTrue(self.create_template("Padma Mela is on"))
        self.env["isp.message.word"].create({"name": "Padma Mela"})
        self.assert_refused("padma mela|Padma Mela", "Padma Mela is on")

    @proves("P-56")
    def test_an_advertising_template_does_not_become_one_of_the_service(self):
        template = self.create_template("Order now", "promotional")
        with self.assertRaisesRegex(ValidationError, "advertise"), self.env.cr.savepoint():
            template.write({"message_class": "service", "purpose": "notices"})
        with self.assertRaisesRegex(ValidationError, "Offers and news"), self.env.cr.savepoint():
            template.purpose = "notices"

    def test_placeholders_have_to_be_known(self):
        self.assert_refused("no placeholder nid", "Your number is {{ nid }}")
        self.assert_refused("Braces", "Dear {{ customer, hello")

    def test_a_version_never_changes(self):
        template = self.create_template("Hello {{ customer }}")
        first = template.text_en_id
        with self.assertRaisesRegex(UserError, "never changed"):
            first.body = "Good morning"
        second = self.env["isp.message.text"].create(
            {"template_id": template.id, "lang": "en", "body": "Good morning"}
        )
        self.assertEqual((first.number, second.number, template.text_en_id), (1, 2, second))
        self.assertFalse(template.text_bn_id)
        action = template.action_new_version()
        self.assertEqual(action["context"]["default_body"], "Good morning")

    def test_a_message_speaks_the_customers_language(self):
        template = self.env["isp.message.template"]._get("maintenance", self.company)
        bangla = self.env["res.lang"]._activate_lang("bn_IN")
        values = {"customer": "Karim", "service": "SUB1", "company": "Padma"}
        english = self.outbox._queue(
            self.company, "e1", partner_id=self.customer.id, template=template, values=values
        )
        self.assertIn("Dear Karim", english.body)
        self.assertEqual(english.text_id, template.text_en_id)
        self.customer.lang = bangla.code
        message = self.outbox._queue(
            self.company, "e2", partner_id=self.customer.id, template=template, values=values
        )
        self.assertIn("প্রিয় Karim", message.body)
        self.assertEqual((message.lang, message.parts), ("bn", 2))

    def test_the_registered_text_has_to_be_the_same(self):
        registered = {"dlt_template_id": "1107", "dlt_text": "Dear {#var#}, please pay. Padma"}
        self.assertTrue(
            self.create_template("Dear {{ customer }}, please pay. Padma", **registered)
        )
        self.assert_refused("differs", "Dear {{ customer }}, please pay! Padma", **registered)
        self.assert_refused("together", "Hello", dlt_text="Hello")
        self.assert_refused(
            "30 %", "{{ customer }} {{ amount }}", dlt_template_id="1", dlt_text="{#var#} {#var#}"
        )

    def test_a_companys_own_template_comes_first(self):
        shared = self.env["isp.message.template"]._get("otp", self.company)
        own = shared.copy({"code": "otp", "company_id": self.company.id})
        self.assertEqual(self.env["isp.message.template"]._get("otp", self.company), own)
        other = self.env["res.company"].create({"name": "Ganga Net"})
        self.assertEqual(self.env["isp.message.template"]._get("otp", other), shared)

    def test_what_ships_fits_into_few_parts(self):
        for text in self.env["isp.message.text"].search([("template_id.code", "!=", False)]):
            with self.subTest(text.display_name):
                self.assertFalse(text._find_problem())
                self.assertIn("GSM-7" if text.lang == "en" else "Unicode", text.size)
