from odoo import fields
from odoo.tests import tagged

from odoo.addons.isp_billing.tests.document_common import text_of

from .usage_common import GB, IspUsageCase


@tagged("post_install", "-at_install")
class TestDocumentUsage(IspUsageCase):
    """What was used, on printed bills."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.create_subscription(username="karim")

    def bill_month(self, month, services=None):
        day = fields.Date.to_date(f"2027-{month:02d}-01")
        return (services or self.service)._bill(day, day)

    def rows(self, bills, lang="en_US"):
        template = self.env["isp.document.template"]._get_for("bill", self.company)
        data = bills._get_document_data(template, lang)[1]
        return [bill["usage"] for bill in data]

    def test_a_bill_ahead_shows_the_period_before(self):
        march = self.bill_month(3)
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB, GB)
        # The last minute of March in Dhaka, and the first one of April.
        self.use(self.service, "2027-03-31 17:59:00", 2 * GB)
        self.use(self.service, "2027-03-31 18:01:00", 7 * GB)
        april = self.bill_month(4)
        self.assertEqual(self.rows(march), [[]], "nothing is over yet")
        self.assertEqual(
            self.rows(april),
            [
                [
                    {
                        "label": "1 – 31 March 2027",
                        "download": "5.0 GB",
                        "upload": "1.0 GB",
                        "total": "6.0 GB",
                        "cap": None,
                    }
                ]
            ],
        )

    def test_a_bill_ahead_does_not_show_the_months_before_the_last_one(self):
        self.bill_month(3)
        self.bill_month(4)
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB)
        self.use(self.service, "2027-04-10 05:00:00", 4 * GB)
        [rows] = self.rows(self.bill_month(5))
        self.assertEqual([row["label"] for row in rows], ["1 – 30 April 2027"])

    def test_a_bill_in_arrears_shows_its_own_periods(self):
        self.plan_home.billing_mode = "arrears"
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB)
        self.use(self.service, "2027-04-10 05:00:00", 4 * GB)
        day = fields.Date.to_date("2027-05-01")
        bill = self.service._bill(day, day)
        [rows] = self.rows(bill)
        self.assertEqual(
            [(row["label"], row["total"]) for row in rows],
            [("1 – 31 March 2027", "3.0 GB"), ("1 – 30 April 2027", "4.0 GB")],
        )

    def test_the_volume_of_the_plan_with_what_was_bought(self):
        self.plan_home.cap_gb = 100
        self.bill_month(3)
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB)
        self.env["isp.subscription.topup"].create(
            {"subscription_id": self.service.id, "name": "20 GB", "volume_gb": 20, "price": 0}
        )
        self.use(self.service, "2027-04-01 05:00:00", GB)
        [[row]] = self.rows(self.bill_month(4))
        self.assertEqual((row["total"], row["cap"]), ("3.0 GB", "120.0 GB"))

    def test_volumes_of_days_and_weeks_are_those_of_each(self):
        self.plan_home.write({"cap_gb": 5, "cap_period": "day"})
        self.bill_month(3)
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB)
        self.use(self.service, "2027-03-11 05:00:00", 3 * GB)
        april = self.bill_month(4)
        self.assertEqual(self.rows(april)[0][0]["cap"], "5.0 GB per day")

    def test_bengali(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.customer.lang = "bn_IN"
        self.plan_home.cap_gb = 100
        self.bill_month(3)
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB)
        april = self.bill_month(4)
        [[row]] = self.rows(april, "bn_IN")
        self.assertEqual((row["total"], row["cap"]), ("৩.০ GB", "১০০.০ GB"))
        self.assertIn("মার্চ", row["label"])
        content, _kind = self.env["ir.actions.report"]._render_qweb_pdf(
            "isp_billing.action_report_bill", april.ids
        )
        text = text_of(content)
        self.assertIn("১০০.০ GB", text)
        self.assertIn("ব্যবহার", text)

    def test_a_joint_bill_names_the_services(self):
        other = self.create_subscription(plan_id=self.plan_office.id)
        self.customer.isp_one_bill = "yes"
        both = self.service | other
        self.bill_month(3, both)
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB)
        self.use(other, "2027-03-10 05:00:00", 4 * GB)
        april = self.bill_month(4, both)
        self.assertEqual(len(april), 1)
        [rows] = self.rows(april)
        self.assertEqual(
            [(row["label"].split(" · ")[0], row["total"]) for row in rows],
            [(self.service.name, "3.0 GB"), (other.name, "4.0 GB")],
        )

    def test_days_that_were_taken_back_are_not_shown(self):
        march = self.bill_month(3)
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB)
        march.button_cancel()
        march.isp_charge_ids.action_release()
        self.assertEqual(self.rows(march), [[]])

    def test_a_batch_asks_once(self):
        def count(bills):
            writer = (
                self.env["isp.document.template"]
                ._get_for("bill", self.company)
                ._get_writer(self.env["res.lang"]._get_data(code="en_US"))
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            usage = bills._get_document_usage(writer)
            self.assertEqual(len(usage), len(bills))
            return self.env.cr.sql_log_count - before

        services = self.service
        for _number in range(9):
            services |= self.create_subscription(partner_id=self.customer.copy().id)
        self.bill_month(3, services)
        for service in services:
            self.report(service, "2027-03-10 05:00:00", GB)
        self.roll_up("2027-03-10 05:00:00")
        bills = self.bill_month(4, services)
        self.assertEqual(count(bills), 1)
        self.assertEqual(count(bills[:1]), 1)
