import ipaddress
import re

from odoo.tests import HttpCase, tagged

from odoo.addons.isp_billing.tests.common import IspBillingCase

HERE = "127.0.0.1"


@tagged("post_install", "-at_install")
class TestWalledPage(IspBillingCase, HttpCase):
    """What a walled customer sees before he has paid."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription(username="karim")

    def _owe(self):
        self.bill("2027-03-10")
        self.subscription._suspend("overdue", "Unpaid")

    def _online(self, subscription, address, key="walled-1"):
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress,
                acctstarttime, acctupdatetime, framedipaddress, subscription_id)
            VALUES (%s, %s, %s, '10.0.0.1', now(), now(), %s, %s)
            """,
            [key, key, subscription.username, address, subscription.id],
        )

    def _ask(self, login=None, **options):
        options["timeout"] = 60
        if login is None:
            return self.url_open("/isp/walled", **options)
        form = self.url_open("/isp/walled", **options).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)[1]
        return self.url_open("/isp/walled", data={"login": login, "csrf_token": token}, **options)

    def test_the_line_itself_is_led_to_the_payment(self):
        self._owe()
        self._online(self.subscription, HERE)
        page = self._ask()
        self.assertEqual(page.status_code, 200)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertIn('name="walled_overdue"', page.text)
        self.assertIn("1,000", page.text)
        self.assertIn("Home 20", page.text)
        self.assertNotIn("Karim", page.text)
        link = re.search(r'href="(/my/services/[^"]+)"', page.text)[1].replace("&amp;", "&")
        self.assertIn(f"/my/services/{self.subscription.id}/pay?access_token=", link)
        self.assertEqual(self.url_open(link).status_code, 200)

    def test_whoever_owes_nothing_is_told_so(self):
        self._online(self.subscription, HERE)
        page = self._ask().text
        self.assertIn('name="walled_nothing"', page)
        self.assertNotIn('name="walled_pay"', page)

    def _use_up(self, action="block"):
        plan = self.plan_home
        plan.write({"cap_gb": 10, "cap_action": action})
        offer = {"plan_id": plan.id, "name": "5 GB", "volume_gb": 5, "price": 50}
        self.env["isp.plan.topup"].create(offer)
        self.subscription._set_cap_state(action)

    def test_a_used_up_volume_is_named_and_can_be_topped_up(self):
        self._use_up()
        self._online(self.subscription, HERE)
        page = self._ask().text
        self.assertIn('name="walled_cap"', page)
        self.assertIn("Data volume used up. Your internet is stopped.", page)
        self.assertIn("1 April 2027", page)
        for other in ("walled_suspended", "walled_due", "walled_pay", "walled_owed"):
            self.assertNotIn(f'name="{other}"', page)
        link = re.search(r'href="(/my/services/[^"]+)"', page)[1].replace("&amp;", "&")
        self.assertIn(f"/my/services/{self.subscription.id}/topup?access_token=", link)
        topup = self.url_open(link, timeout=60)
        self.assertEqual(topup.status_code, 200)
        self.assertIn('name="topup_offer"', topup.text)

    def test_a_used_up_volume_beside_an_open_bill(self):
        self._use_up()
        self.bill("2027-03-10")
        self._online(self.subscription, HERE)
        page = self._ask().text
        self.assertIn('name="walled_topup"', page)
        self.assertIn('name="walled_pay"', page)
        self.assertIn("1,000", page)

    def test_a_slower_line_is_not_called_stopped(self):
        self._use_up("throttle")
        self._online(self.subscription, HERE)
        page = self._ask().text
        self.assertIn("Data volume used up. Your internet is slower.", page)
        self.assertIn('name="walled_topup"', page)

    def test_a_bill_comes_before_the_volume(self):
        self._use_up()
        self._owe()
        self._online(self.subscription, HERE)
        page = self._ask().text
        self.assertIn('name="walled_overdue"', page)
        self.assertNotIn('name="walled_topup"', page)

    def test_a_stranger_gets_no_link_to_the_top_up(self):
        self._use_up()
        page = self._ask("karim").text
        self.assertIn('name="walled_cap"', page)
        for hidden in ("access_token", "walled_topup", "1 April 2027", "Home 20"):
            self.assertNotIn(hidden, page)

    def test_prepaid_time_that_is_over(self):
        plan = self.create_recharged_plan()
        service = self.create_subscription(plan_id=plan.id, username="rahim")
        self.pay(service._bill(service.date_start, service.date_start))
        self._online(service, HERE)
        self.assertIn('name="walled_nothing"', self._ask().text)
        # PostgreSQL and the server share a clock; the test moves the end instead.
        service.entitlement_id.valid_until = "2027-03-10 05:00:00"
        page = self._ask().text
        self.assertIn('name="walled_expired"', page)
        self.assertIn('name="walled_recharge"', page)

    def test_suspended_for_another_reason_pays_nothing(self):
        self.subscription._suspend("abuse", "Spam")
        self._online(self.subscription, HERE)
        page = self._ask().text
        self.assertIn('name="walled_suspended"', page)
        self.assertNotIn("Spam", page)

    def test_a_stranger_asks_by_name_and_learns_the_amount_only(self):
        self._owe()
        page = self._ask().text
        self.assertIn("phone number", page)
        self.assertNotIn("1,000", page)
        for login in ("KARIM", "01711000001", "+880 1711-000001"):
            with self.subTest(login):
                page = self._ask(login).text
                self.assertIn("1,000", page)
                for hidden in ("Karim Uddin", "Home 20", "access_token", 'name="walled_pay"'):
                    self.assertNotIn(hidden, page)
        for login in ("nobody", "1711", "%", "' OR 1=1 --"):
            with self.subTest(login):
                self.assertIn('name="walled_not_found"', self._ask(login).text)

    def test_names_cannot_be_tried_without_end(self):
        self._owe()
        pages = [self._ask("karim").text for _try in range(11)]
        self.assertIn("1,000", pages[9])
        self.assertIn('name="walled_too_many"', pages[10])
        self.assertNotIn("1,000", pages[10])

    def test_a_forged_header_names_nobody(self):
        self._owe()
        self._online(self.subscription, "10.77.0.9")
        forged = {"X-Forwarded-For": "10.77.0.9"}
        self.assertNotIn("1,000", self._ask(headers=forged).text)
        self.company.isp_walled_proxies = "10.1.1.1"
        self.assertNotIn("1,000", self._ask(headers=forged).text)
        # Our proxy at this address has seen the last one; what stands before it may be invented.
        self.company.isp_walled_proxies = HERE
        self.assertIn('name="walled_pay"', self._ask(headers=forged).text)
        two = {"X-Forwarded-For": "10.77.0.9, 10.99.9.9"}
        self.assertNotIn("1,000", self._ask(headers=two).text)

    def test_an_address_that_two_lines_have_is_nobodys(self):
        other = self.create_subscription(username="rahim")
        self._owe()
        self._online(self.subscription, HERE)
        self._online(other, HERE, "walled-2")
        self.assertNotIn("1,000", self._ask().text)

    def test_addresses_of_ipv6(self):
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, "
            "acctstarttime, acctupdatetime, delegatedipv6prefix, subscription_id) VALUES "
            "('v6', 'v6', 'karim', '10.0.0.1', now(), now(), '2001:db8:5::/56', %s)",
            [self.subscription.id],
        )
        find = self.env["isp.subscription"]._find_by_session_address
        self.assertEqual(find(ipaddress.ip_address("2001:db8:5:1::7")), self.subscription)
        self.assertFalse(find(ipaddress.ip_address("2001:db8:6::1")))
        self.assertFalse(find(ipaddress.ip_address("10.1.1.1")))
        self.assertFalse(find(None))
