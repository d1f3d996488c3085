from passlib.hash import nthash

from odoo.tests import tagged

from odoo.addons.isp_base import crypto

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestEntitlement(IspBillingCase):
    def test_it_follows_the_state(self):
        subscription = self.create_subscription(active=False)
        entitlement = subscription.entitlement_id
        steps = (
            (lambda: None, "none", "draft"),
            (subscription._activate, "full", "active"),
            (lambda: subscription._suspend("request", "Away"), "walled", "request"),
            (lambda: subscription._resume("Back"), "full", "active"),
            (lambda: subscription._terminate("Gone"), "none", "terminated"),
        )
        for step, access, reason in steps:
            step()
            self.assertEqual((entitlement.access, entitlement.reason), (access, reason))

    def test_a_plan_may_refuse_the_login_of_suspended_customers(self):
        subscription = self.create_subscription()
        self.plan_home.suspend_mode = "reject"
        subscription._suspend("abuse", "Spam")
        self.assertEqual(subscription.entitlement_id.access, "none")

    def test_it_carries_what_the_plan_grants(self):
        entitlement = self.create_subscription(username="Karim.Home").entitlement_id
        self.assertEqual(entitlement.username, "karim.home")
        self.assertEqual((entitlement.download_kbps, entitlement.upload_kbps), (20480, 10240))
        self.plan_home.download_kbps = 30720
        self.assertEqual(entitlement.download_kbps, 30720)

    def test_the_nt_hash_is_that_of_the_password_and_encrypted(self):
        subscription = self.create_subscription(password="open-sesame-42")
        entitlement = subscription.entitlement_id
        self.assertEqual(
            crypto.radius_decrypt(entitlement.nt_secret), nthash.hash("open-sesame-42")
        )
        before = entitlement.nt_secret
        subscription.ipv4_address = "203.0.113.7"
        self.assertEqual(entitlement.nt_secret, before, "encrypted anew only with the password")
        subscription.action_new_password()
        self.assertNotEqual(entitlement.nt_secret, before)
        self.assertEqual(
            crypto.radius_decrypt(entitlement.nt_secret), nthash.hash(subscription.password)
        )

    def test_prepaid_access_ends_with_the_day_that_is_paid(self):
        plan = self.create_plan(
            "Ten days", 100.0, billing_mode="prepaid", cycle_unit="day", cycle_count=10
        )
        subscription = self.create_subscription(plan_id=plan.id, date_start="2027-03-10")
        entitlement = subscription.entitlement_id
        self.assertEqual(str(entitlement.valid_until), "2027-03-09 18:00:00", "midnight in Dhaka")
        self.bill("2027-03-10")
        self.pay(subscription.charge_ids.move_id)
        self.assertEqual(str(entitlement.valid_until), "2027-03-19 18:00:00")

    def test_postpaid_access_has_no_end(self):
        self.assertFalse(self.create_subscription().entitlement_id.valid_until)
