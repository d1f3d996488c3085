from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .request_common import AUDITOR, OFFICER, PrivacyRequestCase

OPERATIONS = ("read", "write", "create", "unlink")
# model: role: what it may do
MATRIX = {
    "privacy.request": {
        OFFICER: "read write create",
        AUDITOR: "read",
        "base.group_user": "read",
        "base.group_portal": "read",
        "base.group_public": "",
    },
    "privacy.request.event": {
        OFFICER: "read",
        AUDITOR: "read",
        "base.group_user": "",
        "base.group_portal": "",
        "base.group_public": "",
    },
    "privacy.profile": {
        OFFICER: "read write create unlink",
        AUDITOR: "read",
        "base.group_user": "",
        "base.group_portal": "",
        "base.group_public": "",
    },
    "privacy.request.correction": {
        OFFICER: "read write create unlink",
        AUDITOR: "read",
        "base.group_user": "",
        "base.group_portal": "",
        "base.group_public": "",
    },
    "privacy.request.step": {
        OFFICER: "read write create unlink",
        AUDITOR: "",
        "base.group_user": "",
        "base.group_portal": "",
        "base.group_public": "",
    },
}


@tagged("post_install", "-at_install")
class TestRequestAccess(PrivacyRequestCase):
    """Who may do what, and the screens of those who may."""

    def test_matrix(self):
        for number, role in enumerate(MATRIX["privacy.request"]):
            user = self.create_user(f"privacy_role_{number}", role)
            for model, roles in MATRIX.items():
                allowed = roles[role].split()
                for operation in OPERATIONS:
                    with self.subTest(model=model, role=role, operation=operation):
                        may = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(may, operation in allowed)

    def test_everybody_else_sees_only_the_own(self):
        requests = self.create_request() | self.create_request(partner=self.rahim)
        for role in ("base.group_portal", "base.group_user"):
            user = self.create_user(f"privacy_{role}", role)
            with self.subTest(role=role):
                visible = self.env["privacy.request"].with_user(user)
                self.assertFalse(visible.search([]))
                own = self.create_request(partner=user.partner_id)
                self.assertEqual(visible.search([]), own)
                self.assertEqual(own.with_user(user).state, "received")
                with self.assertRaises(AccessError):
                    requests.with_user(user).read(["words"])
                for name in ("reviewer_id", "identity_note", "proof_ids", "event_ids"):
                    with self.assertRaises(AccessError):
                        own.with_user(user).read([name])

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_only_officers_take_steps(self):
        request = self.create_request(partner=self.auditor.partner_id)
        for attempt in (
            lambda r: r.action_ask_identity(),
            lambda r: r.action_review(),
            lambda r: r._withdraw("No"),
            lambda r: r._extend("No"),
            lambda r: r.write({"words": "No"}),
            lambda r: r.unlink(),
        ):
            with self.assertRaises(AccessError):
                attempt(request.with_user(self.auditor))
        with self.assertRaises(AccessError):
            request.unlink()
        self.assertEqual(request.state, "received")

    def test_companies_do_not_see_each_other(self):
        company = self.env["res.company"].create(
            {"name": "Meghna Net", "country_id": self.env.ref("base.bd").id}
        )
        stranger = self.create_user("privacy_stranger", OFFICER, company=company)
        request = self.create_request()
        for record in (request, request.event_ids):
            foreign = record.with_user(stranger).with_context(allowed_company_ids=company.ids)
            self.assertFalse(foreign.search([]))
            with self.assertRaises(AccessError):
                foreign.read(["company_id"])
        foreign = request.with_user(stranger).with_context(allowed_company_ids=company.ids)
        with self.assertRaises(AccessError):
            foreign.action_ask_identity()
        self.assertNotIn(stranger, request.sudo()._get_watchers())

    # === SCREENS === #

    @proves("P-43")
    def test_staff_enters_a_letter(self):
        with Form(self.env["privacy.request"].with_user(self.nasrin)) as form:
            form.partner_id = self.karim
            form.request_type = "access"
            form.words = "By letter"
        request = form.record
        self.assertEqual((request.channel, request.state), ("staff", "received"))
        self.assertEqual(request.company_id, self.company)

    def test_all_views_open(self):
        self.create_request()
        for user in (self.nasrin, self.auditor):
            model = self.env["privacy.request"].with_user(user)
            for view in ("form", "list", "kanban", "calendar", "search"):
                with self.subTest(user=user.login, view=view):
                    self.assertTrue(model.get_view(view_type=view)["arch"])
        auditor_form = (
            self.env["privacy.request"].with_user(self.auditor).get_view(view_type="form")
        )
        self.assertNotIn("<button", auditor_form["arch"].split("<sheet")[0])

    def test_the_board_shows_the_way_and_the_side_exits_in_use(self):
        request = self.create_request()
        columns = ["received", "identity_pending", "verified", "in_review", "approved", "executing"]

        def shown():
            board = request.with_context(read_group_expand=True)
            groups = board.web_read_group([], ["state"], ["__count"])["groups"]
            return [group["state"] for group in groups]

        self.assertEqual(shown(), columns)
        request._reject("The law")
        self.assertEqual(shown(), [*columns, "rejected"])

    def test_filters_find(self):
        view = self.env.ref("isp_privacy.privacy_request_view_search")
        self.assertIn("=week_start", view.arch)
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()  # due on Tuesday, 31 March
        due_this_week = [("date_due", ">=", "=week_start"), ("date_due", "<", "=week_start +1w")]
        for moment, found in (("2026-03-27", False), ("2026-03-30", True), ("2026-04-10", False)):
            with self.subTest(moment=moment), self.at(f"{moment} 06:00:00"):
                self.assertEqual(request in request.search(due_this_week), found)

    def step(self, request, step, user=None, **vals):
        action = request.with_user(user or self.nasrin).with_context(step=step).action_open_step()
        wizard = (
            self.env[action["res_model"]]
            .with_user(user or self.nasrin)
            .with_context(**action["context"])
            .create(vals)
        )
        wizard.action_confirm()

    def test_the_dialog_takes_each_step(self):
        request = self.create_request()
        with self.assertRaisesRegex(UserError, "how the identity"):
            self.step(request, "identity")
        self.step(request, "identity", method="code", words="Code to +8801711111111")
        self.assertEqual((request.state, request.identity_method), ("verified", "code"))
        self.step(request, "extend", words="Many records")
        self.assertTrue(request.extended_on)
        self.step(request, "hold", words="Case 7")
        self.assertEqual(request.state, "on_hold")
        request.action_release()
        request.action_review()
        request.with_user(self.farid).action_approve()
        with self.assertRaisesRegex(UserError, "what was done"):
            self.step(request, "finish")
        self.step(request, "finish", words="Printed and handed over")
        self.assertEqual((request.state, request.result), ("done", "Printed and handed over"))

    def test_the_dialog_closes_in_each_way(self):
        request = self.create_request()
        with self.assertRaisesRegex(UserError, "why"):
            self.step(request, "reject", words="  ")
        self.step(request, "reject", words="The law")
        self.assertEqual(request.state, "rejected")
        request = self.create_request()
        with self.assertRaisesRegex(UserError, "took it back"):
            self.step(request, "withdraw")
        self.step(request, "withdraw", words="Called")
        self.assertEqual(request.state, "withdrawn")
        original, request = self.create_request(), self.create_request(False)
        self.step(request, "duplicate", original_id=original.id)
        self.assertEqual(request.state, "duplicate")
        with self.assertRaises(UserError):
            self.step(request, "nonsense")
