from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .register_common import NOW, RegisterCase


@tagged("post_install", "-at_install")
class TestRegisterAccess(RegisterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign_officer = cls.new_user(
            "prv_foreign", "isp_privacy.group_privacy_officer", cls.other_company
        )

    def values(self):
        """Return what a new record of each register needs."""
        country = self.env.ref("base.sg").id
        return {
            "privacy.processor": {"name": "SMS Ltd"},
            "privacy.transfer": {
                "reference": "SCC",
                "recipient": "Cloud",
                "country_id": country,
                "instrument": "clauses",
            },
            "privacy.evidence": {"name": "ISO", "holder": "Us", "valid_until": "2027-12-31"},
            "privacy.disclosure": {"authority": "A", "legal_reference": "B", "scope": "C"},
            "privacy.hold": {
                "reference": "Case",
                "authority": "Court",
                "partner_id": self.customer.id,
            },
            "privacy.breach": {"name": "Lost", "discovered_by": "Support"},
        }

    def test_officers_write_auditors_read_and_others_see_nothing(self):
        for model, vals in self.values().items():
            with self.subTest(model=model):
                record = self.as_user(self.officer, model).create(vals)
                name = next(name for name, value in vals.items() if isinstance(value, str))
                record.write({name: vals[name]})
                self.assertIn(record, self.as_user(self.auditor, model).search([]))
                for forbidden in (
                    lambda record=record, name=name: record.with_user(self.auditor).write(
                        {name: "x"}
                    ),
                    lambda model=model, vals=vals: self.as_user(self.auditor, model).create(vals),
                    lambda record=record: record.with_user(self.auditor).unlink(),
                    lambda model=model: self.as_user(self.clerk, model).search([]),
                    lambda model=model, vals=vals: self.as_user(self.clerk, model).create(vals),
                ):
                    with self.assertRaises(AccessError):
                        forbidden()

    def test_companies_do_not_see_each_other(self):
        for model, vals in self.values().items():
            with self.subTest(model=model):
                record = self.as_user(self.officer, model).create(vals)
                self.assertEqual(record.company_id, self.company)
                foreign = self.as_user(self.foreign_officer, model)
                self.assertNotIn(record.id, foreign.search([]).ids)
                with self.assertRaises(AccessError):
                    foreign.browse(record.id).read(["company_id"])
                with self.assertRaises(AccessError):
                    foreign.create({**vals, "company_id": self.company.id})

    def test_clocks_and_audit_rows_of_another_company_are_hidden(self):
        breach = self.as_user(self.officer, "privacy.breach").create(
            {"name": "Lost", "discovered_by": "Support"}
        )
        for model, ids in (
            ("privacy.breach.notice", breach.notice_ids.ids),
            ("privacy.audit", self.audit_of(breach).ids),
        ):
            with self.subTest(model=model):
                self.assertTrue(ids)
                self.assertEqual(self.as_user(self.auditor, model).browse(ids).exists().ids, ids)
                found = self.as_user(self.foreign_officer, model).search([("id", "in", ids)])
                self.assertFalse(found)

    def test_others_see_no_audit_row_and_no_chain(self):
        for model in ("privacy.audit", "privacy.audit.seal", "privacy.audit.chain"):
            with self.subTest(model=model):
                self.as_user(self.auditor, model).search([])
                with self.assertRaises(AccessError):
                    self.as_user(self.clerk, model).search([])
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(self.as_user(self.officer, model).has_access(operation))

    def test_a_processor_of_another_company_is_no_parent(self):
        foreign = self.as_user(self.foreign_officer, "privacy.processor").create({"name": "X"})
        with self.assertRaisesRegex(UserError, "another company|Incompatible companies"):
            self.env["privacy.processor"].create({"name": "Y", "parent_id": foreign.id})

    def test_each_screen_opens_for_an_auditor_and_lists_what_can_be_exported(self):
        exporter = self.new_user(
            "prv_exporter", "isp_privacy.group_privacy_auditor,base.group_allow_export"
        )
        menus = self.env.ref("isp_privacy.menu_registers").child_id
        actions = menus.mapped("action")
        self.assertLessEqual(
            {"privacy.processor", "privacy.disclosure", "privacy.audit"},
            {action.res_model for action in actions},
        )
        for action in actions:
            if action.res_model not in self.values():
                continue
            with self.subTest(model=action.res_model):
                model = self.as_user(self.auditor, action.res_model)
                for view_type in ("list", "form", "search"):
                    self.assertTrue(model.get_view(view_type=view_type)["arch"])
                arch = etree.fromstring(model.get_view(view_type="list")["arch"])
                names = [
                    name
                    for name in arch.xpath("//field/@name")
                    if not model._fields[name].relational
                ]
                record = self.as_user(self.officer, action.res_model).create(
                    self.values()[action.res_model]
                )
                [row] = record.with_user(exporter).export_data(names)["datas"]
                self.assertEqual(len(row), len(names))
                Form(record.with_user(self.auditor))

    def test_the_shipped_laws(self):
        laws = {
            xmlid: (law.hours, law.trigger, law.country_ids.mapped("code"))
            for xmlid in ("gdpr", "cert_in", "dpdp", "bd")
            for law in self.env.ref(f"isp_privacy.regime_{xmlid}")
        }
        self.assertEqual(
            laws,
            {
                "gdpr": (72, "aware", []),
                "cert_in": (6, "noticed", ["IN"]),
                "dpdp": (72, "aware", ["IN"]),
                "bd": (72, "aware", ["BD"]),
            },
        )

    def test_nothing_of_this_is_dated_by_the_machine(self):
        """Business times come from the clock that is passed on, which tests freeze."""
        breach = self.as_user(self.officer, "privacy.breach").create(
            {"name": "Lost", "discovered_by": "Support"}
        )
        self.assertEqual(str(breach.aware_at), NOW)
