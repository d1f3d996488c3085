from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_billing.tests.report_common import ReportCase

OTHERS = "(Others, not analysed)"
ANALYSES = ("revenue", "subscribers", "joined", "churn")


@tagged("post_install", "-at_install")
class TestLeftOut(ReportCase):
    """Analyses leave out whose data is restricted, and who objects."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.isp_report_min_group = 2
        cls.company._get_privacy_profile().age_gate = False
        cls.purpose = cls.env.ref("isp_privacy.privacy_purpose_analytics")
        cls.services = cls.env["isp.subscription"].union(
            *(
                cls.create_subscription(
                    partner_id=cls.partner(f"{city} {number}", city).id, plan_id=cls.plan_home.id
                )
                for city, count in (("Dhaka", 6), ("Khulna", 4))
                for number in range(count)
            )
        )
        cls.lone = cls.services[0].partner_id

        story = cls("bill")
        story.bill("2027-03-01")
        story.refresh(full=True)
        cls.billed = story.sum_up()

    def sum_up(self):
        rows = self.env["isp.report.mrr"].search([("company_id", "=", self.company.id)])
        return [sum(rows.mapped(name)) for name in ("mrr", "new_mrr", "billed", "revenue")]

    def shown(self):
        domain = [("company_id", "=", self.company.id), ("month", "=", "2027-03-01")]
        model = self.env["isp.report.subscriber"]
        rows = model._read_group(domain, ["area"], ["subscriber_count:sum"])
        cohort = self.env["isp.report.cohort"].search([("company_id", "=", self.company.id)])
        self.cohort = sum(cohort.mapped("cohort_count"))
        return dict(rows)

    def assert_left_out(self):
        # The lone one would be known by subtraction: a whole group joins.
        self.assertEqual(self.shown(), {"Dhaka": 5, OTHERS: 5})
        self.assertEqual(self.cohort, 9)
        self.assertEqual(self.sum_up(), self.billed)

    def assert_back(self):
        self.assertEqual(self.shown(), {"Dhaka": 6, "Khulna": 4})
        self.assertEqual(self.cohort, 10)
        self.assertEqual(self.sum_up(), self.billed)

    @proves("P-39", "P-23")
    def test_restricted_people_are_in_no_group(self):
        self.assert_back()
        self.lone._privacy_set_restricted(True)
        self.refresh()
        self.assert_left_out()
        self.lone._privacy_set_restricted(False)
        self.refresh()
        self.assert_back()

    @proves("P-55")
    def test_who_objects_is_in_no_group(self):
        request = self.env["privacy.request"].create(
            {
                "request_type": "objection_interest",
                "partner_id": self.lone.id,
                "company_id": self.company.id,
            }
        )
        request._execute_objection_interest()
        # Nothing else that a refresh looks at has changed.
        self.assertEqual(self.env["isp.report.mark"].search([]).subscription_id, self.services[0])
        self.refresh()
        self.assert_left_out()
        self.env["privacy.consent"]._record("given", self.purpose, "none", "portal", self.lone)
        self.refresh()
        self.assert_back()

    def test_an_objection_is_for_the_company_it_was_made_to(self):
        other = self.env["res.company"].create({"name": "Jamuna Net 2"})
        self.env["privacy.consent"]._record(
            "withdrawn", self.purpose, "none", "portal", self.lone, company_id=other.id
        )
        self.refresh()
        self.assert_back()

    @proves("P-55")
    def test_each_analysis_has_a_record_of_processing(self):
        for name in ANALYSES:
            purpose = self.env.ref(f"isp_billing_privacy.privacy_purpose_analysis_{name}")
            with self.subTest(analysis=name):
                self.assertEqual(purpose.lawful_basis, "legitimate_interest")
                self.assertGreater(len(purpose.interest), 80, "why it outweighs")
                self.assertIn(self.purpose.name, purpose.description, "how to refuse")
        self.assertIn(self.purpose, self.env["privacy.purpose"]._get_choices())
