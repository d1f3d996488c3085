"""Who is told of identity documents: officers of what to do, customers of the decision."""

from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from .kyc_common import KYC_OFFICER, NID, KycCase

CHECK, APPROVE = "Please check", "Please approve"


@tagged("post_install", "-at_install")
class TestKycNotices(KycCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = cls.env["res.company"].create({"name": "Ganga Net"})
        cls.foreign = cls.create_user("kyc_foreign", KYC_OFFICER, company=other)

    def mails(self, kyc):
        return self.env["mail.mail"].search([("model", "=", kyc._name), ("res_id", "=", kyc.id)])

    def asked(self, kyc, words):
        """Those of the officers who were asked for something, each as often as asked."""
        mails = self.mails(kyc).filtered(lambda mail: words in mail.body_html)
        users = self.amina | self.bashir | self.chitra | self.foreign
        return [
            user.login for user in users for mail in mails if mail.email_to == user.email_formatted
        ]

    def letters(self, kyc):
        return self.env["mail.mail"].search(
            [
                ("model", "=", kyc._name),
                ("res_id", "=", kyc.id),
                ("recipient_ids", "in", self.karim.ids),
            ]
        )

    def submit_from_portal(self):
        user = self.create_user("kyc_karim", "base.group_portal", partner_id=self.karim.id)
        kyc = self.capture()
        kyc.sudo().captured_by_ids = user
        kyc.with_user(user).sudo()._submit()
        return kyc

    def test_officers_are_asked_to_check_and_then_to_approve(self):
        kyc = self.submit_from_portal()
        self.assertEqual(self.asked(kyc, CHECK), ["kyc_amina", "kyc_bashir", "kyc_chitra"])
        kyc.with_user(self.amina).action_check()
        self.assertEqual(self.asked(kyc, APPROVE), ["kyc_bashir", "kyc_chitra"])
        kyc.with_user(self.bashir).action_approve()
        self.assertEqual(len(self.asked(kyc, "waits") + self.asked(kyc, "document")), 5)
        for mail in self.mails(kyc) - self.letters(kyc):
            for word in ("Karim", NID, NID[-4:]):
                self.assertNotIn(word, mail.body_html + mail.subject)

    def test_who_submits_is_not_asked(self):
        kyc = self.capture()
        kyc.with_user(self.amina).action_submit()
        self.assertEqual(self.asked(kyc, CHECK), ["kyc_bashir", "kyc_chitra"])

    def test_nobody_decides_about_the_own_document(self):
        kyc = self.capture(partner=self.bashir.partner_id)
        kyc.with_user(self.amina).action_submit()
        self.assertEqual(self.asked(kyc, CHECK), ["kyc_chitra"])

    def test_the_customer_is_told_of_the_approval(self):
        kyc = self.submit_from_portal()
        self.assertFalse(self.letters(kyc))
        kyc.with_user(self.amina).action_check()
        kyc.with_user(self.bashir).action_approve()
        [mail] = self.letters(kyc)
        self.assertIn("is confirmed", mail.subject)
        self.assertNotIn(self.bashir.name, mail.body_html)
        kyc.with_user(self.chitra).action_approve()
        self.assertEqual(self.letters(kyc), mail)

    @proves("P-03")
    def test_the_mail_of_a_rejection_has_the_reason_and_no_number(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        for lang, words in (("en_US", "cannot accept"), ("bn_IN", "গ্রহণ করা যায়নি")):
            with self.subTest(lang=lang):
                self.karim.lang = lang
                kyc = self.capture()
                kyc.with_user(self.amina).action_submit()
                kyc.with_user(
                    self.bashir
                ).rejection_reason = (
                    f"The picture of {NID[:4]} {NID[4:]} is dark, not the one of 1234567890"
                )
                kyc.with_user(self.bashir).action_reject()
                [mail] = self.letters(kyc)
                self.assertIn(words, mail.subject)
                self.assertIn("is dark", mail.body_html)
                for number in (NID[4:], "1234567890"):
                    self.assertNotIn(number, mail.body_html + mail.subject)
                self.assertFalse(mail.attachment_ids)
                self.env.flush_all()

    def test_without_a_mail_address_the_portal_says_it(self):
        kyc = self.submit_from_portal()
        self.karim.email = False
        kyc.with_user(self.amina).action_check()
        kyc.with_user(self.bashir).action_approve()
        self.assertFalse(self.letters(kyc))
