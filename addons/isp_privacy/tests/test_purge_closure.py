"""What counts from the closure of an account, and an account that is opened again."""

from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from ..models.privacy_purge_scope import PurgeScope
from .request_common import PrivacyRequestCase


@tagged("post_install", "-at_install")
class TestPurgeClosure(PrivacyRequestCase):
    """Requests stand for accounts here, and bank accounts for identity documents.

    Real accounts are in an addon that this one must not know.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profile._get_rule("kyc").max_days = 90
        datamap = cls.env["privacy.map.entry"]._get_map()
        for model_map in datamap.models.values():
            if model_map.account:
                cls.classPatch(model_map, "account", None)
        cls.classPatch(
            datamap.models["privacy.request"],
            "account",
            {"closed": [("state", "in", ("withdrawn", "duplicate"))], "date": "closed_on"},
        )
        bank = datamap.models["res.partner.bank"]
        cls.classPatch(bank, "retention", {"anchor": "create_date"})
        cls.classPatch(bank, "defaults", {**bank.defaults, "retention": "kyc"})
        specs = {name: {**spec, "retention": "kyc"} for name, spec in bank.specs.items()}
        cls.classPatch(bank, "specs", specs)
        # The cache would forget the patches.
        cls.classPatch(type(cls.env["privacy.map.entry"]), "_get_map", lambda _entries: datamap)
        cls.bank = cls.env["res.partner.bank"].create(
            {"partner_id": cls.karim.id, "acc_number": "BD-1", "company_id": cls.company.id}
        )
        cls.env["res.partner.bank"].create(
            {"partner_id": cls.rahim.id, "acc_number": "BD-2", "company_id": cls.company.id}
        )

    def close(self, moment, request_type="access"):
        with self.at("2026-01-01 06:00:00"):
            account = self.create_request(request_type)
        with self.at(moment):
            account.with_user(self.nasrin)._move_to("withdrawn", "Closed")
        return account

    def due(self, moment):
        with self.at(moment):
            scope = PurgeScope(self.company, self.company._get_privacy_today())
            self.assertIn(("res.partner.bank", "kyc"), scope.targets())
            due, _held = scope.get_domains("res.partner.bank", "kyc")
            return self.env["res.partner.bank"].search(due)

    @proves("P-31")
    def test_the_clock_starts_when_the_account_is_closed(self):
        self.assertFalse(self.due("2040-01-01 06:00:00"), "without an account nothing ends")
        self.close("2026-01-31 06:00:00")
        # Ninety days after 31 January
        self.assertFalse(self.due("2026-05-01 17:59:59"))
        self.assertEqual(self.due("2026-05-01 18:00:00"), self.bank)

    def test_the_last_account_counts(self):
        self.close("2026-01-31 06:00:00")
        self.close("2026-03-31 06:00:00", "portability")
        self.assertFalse(self.due("2026-06-29 17:59:59"))
        self.assertEqual(self.due("2026-06-29 18:00:00"), self.bank)

    @proves("P-31")
    def test_an_account_that_is_opened_again_stops_the_clock(self):
        account = self.close("2026-01-31 06:00:00")
        self.assertEqual(self.due("2026-06-01 06:00:00"), self.bank)
        with self.at("2026-06-01 06:00:00"):
            account._write_step({"state": "in_review", "closed_on": False})
        self.assertFalse(self.due("2030-01-01 06:00:00"))

    def test_a_new_account_stops_the_clock(self):
        self.close("2026-01-31 06:00:00")
        with self.at("2026-02-10 06:00:00"):
            self.create_request("portability")
        self.assertFalse(self.due("2030-01-01 06:00:00"))
