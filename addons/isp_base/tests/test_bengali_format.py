from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestBengaliFormat(TransactionCase):
    def setUp(self):
        super().setUp()
        self.lang = (
            self.env["res.lang"].with_context(active_test=False).search([("code", "=", "bn_IN")])
        )

    def test_amounts_are_grouped_in_lakh_and_crore(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.assertEqual(self.lang.format("%.2f", 12345678.5, grouping=True), "1,23,45,678.50")

    def test_core_format_is_cured_when_the_language_is_switched_on(self):
        self.lang.active = False
        self.lang.write({"decimal_point": ",", "thousands_sep": "", "grouping": "[3,0]"})
        self.env["res.lang"]._activate_lang("bn_IN")
        self.assertEqual(self.lang.decimal_point, ".")
        self.assertEqual(self.lang.grouping, "[3,2,0]")

    def test_an_administrators_choice_survives_an_update(self):
        self.lang.write({"decimal_point": ".", "thousands_sep": " ", "grouping": "[3,0]"})
        self.env["res.lang"]._isp_update_bengali_format()
        self.assertEqual(self.lang.thousands_sep, " ")

    def test_other_languages_are_left_alone(self):
        german = self.env["res.lang"]._activate_lang("de_DE")
        self.assertEqual(german.decimal_point, ",")

    def test_terms_are_translated(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.env["ir.module.module"]._load_module_terms(["isp_base"], ["bn_IN"])
        group = self.env.ref("isp_base.group_isp_manager").with_context(lang="bn_IN")
        self.assertNotEqual(group.name, group.with_context(lang="en_US").name)
