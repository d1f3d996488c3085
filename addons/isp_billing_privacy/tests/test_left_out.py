from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_billing.tests.report_common import ReportCase
from odoo.addons.isp_privacy.models.privacy_purpose_choice import REFUSABLE_BASES

OTHERS = "(Others, not analysed)"
ANALYSES = ("revenue", "subscribers", "joined", "churn")


@tagged("post_install", "-at_install")
class TestLeftOut(ReportCase):
    """Analyses leave out whose data is restricted, and who objects."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.isp_report_min_group = 2
        cls.purpose = cls.env.ref("isp_privacy.privacy_purpose_analytics")
        cls.services = cls.env["isp.subscription"].union(
            *(
                cls.create_subscription(
                    partner_id=cls.partner(f"{city} {number}", city).id, plan_id=cls.plan_home.id
                )
                for city in ("Dhaka", "Khulna")
                for number in range(4)
            )
        )
        cls.lone = cls.services[0].partner_id

    def setUp(self):
        super().setUp()
        self.bill("2027-03-01")
        self.refresh(full=True)
        self.assertEqual(self.shown(), {"Dhaka": 4, "Khulna": 4})

    def shown(self):
        domain = [("company_id", "=", self.company.id), ("month", "=", "2027-03-01")]
        model = self.env["isp.report.subscriber"]
        rows = model._read_group(domain, ["area"], ["subscriber_count:sum"])
        cohort = self.env["isp.report.cohort"].search([("company_id", "=", self.company.id)])
        self.cohort = sum(cohort.mapped("cohort_count"))
        return dict(rows)

    def settle(self):
        """Bring the figures up to date, with what has changed only."""
        self.env["isp.report.refresh"].search([]).since = "2027-03-10 06:00:00"
        self.env.flush_all()
        for table in ("isp_subscription", "isp_charge", "account_move", "isp_subscription_line"):
            self.env.cr.execute(f"UPDATE {table} SET write_date = '2027-03-09'")  # pylint: disable=E8103
        self.env.cr.execute("UPDATE isp_subscription_event SET create_date = '2027-03-09'")
        self.env.cr.execute("UPDATE res_partner SET write_date = '2027-03-09' WHERE id <> ALL(%s)", [self.lone.ids])
        self.refresh()
        self.assertFalse(self.env["isp.report.refresh"].search([], limit=1).is_full)

    def assert_left_out(self):
        # The lone one would be known by subtraction: a whole group joins.
        self.assertEqual(self.shown(), {"Dhaka": 3, OTHERS: 5})
        self.assertEqual(self.cohort, 7)

    def assert_back(self):
        self.assertEqual(self.shown(), {"Dhaka": 4, "Khulna": 4})
        self.assertEqual(self.cohort, 8)
