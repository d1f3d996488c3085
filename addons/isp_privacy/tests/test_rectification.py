from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.isp_base.tests.promises import proves

from .request_common import PrivacyRequestCase


@tagged("post_install", "-at_install")
class TestRectification(PrivacyRequestCase):
    """P-36: what is wrong is put right everywhere."""

    def ask(self, partner=None, **values):
        request = self.create_request("rectification", partner)
        self.env["privacy.request.correction"].with_user(self.nasrin).create(
            [
                {"request_id": request.id, "field_name": name, "new_value": value}
                for name, value in values.items()
            ]
        )
        return request

    def approve(self, request):
        self.bring(request, "in_review").with_user(self.farid).action_approve()

    @proves("P-36")
    def test_what_is_approved_is_written_to_the_contact_and_to_copies(self):
        user = self.create_user(
            "karim@customer.example", "base.group_portal", partner_id=self.karim.id
        )
        self.assertEqual(user.login, self.karim.email)
        request = self.ask(name="Karim Uddin Ahmed", email="k.uddin@customer.example")
        self.assertEqual(self.karim.name, "Karim Uddin", "nobody has decided yet")
        self.approve(request)
        self.assertEqual(request.state, "done", request.sudo().event_ids.mapped("reason"))
        self.assertEqual(
            (self.karim.name, self.karim.email, self.karim.email_normalized, user.login),
            ("Karim Uddin Ahmed", *["k.uddin@customer.example"] * 3),
        )
        self.assertIn("Email", request.result)
        lines = {line.field_name: line for line in request.sudo().correction_ids}
        self.assertEqual(
            (lines["email"].old_value, lines["email"].copy_count), ("karim@customer.example", 1)
        )
        row = self.env["privacy.audit"].search(
            [
                ("model", "=", "res.partner"),
                ("res_id", "=", self.karim.id),
                ("action", "=", "write"),
            ]
        )
        self.assertEqual(row.actor_id, self.farid.id)

    @proves("P-36")
    def test_the_right_value_is_everywhere_the_map_says(self):
        """No record of the living account holds the wrong one any more."""
        self.create_user("karim@customer.example", "base.group_portal", partner_id=self.karim.id)
        wrong = "karim@customer.example"
        self.approve(self.ask(email="k.uddin@customer.example"))
        self.env.flush_all()
        entries = self.env["privacy.map.entry"]
        datamap = entries._get_map()
        looked_at, left = 0, []
        for model in datamap.subject_models():
            if not self.env[model]._auto:
                continue
            records = entries._get_records(self.karim, model)
            for entry in datamap.entries(model):
                field = self.env[model]._fields[entry.field]
                if entry.status == "mapped" and entry.retention == "account" and field.store:
                    looked_at += len(records)
                    left += [
                        f"{model}.{entry.field}"
                        for record in records
                        if record[entry.field] == wrong
                    ]
        self.assertGreater(looked_at, 10)
        self.assertEqual(left, [])

    def test_the_data_of_others_stays(self):
        self.rahim.email = self.karim.email
        self.approve(self.ask(email="k.uddin@customer.example"))
        self.assertEqual(self.rahim.email, "karim@customer.example")

    def test_a_value_that_is_wrong_altogether_is_emptied(self):
        self.karim.street = "House 5"
        request = self.ask(street=False)
        self.approve(request)
        self.assertFalse(self.karim.street)

    def test_what_was_approved_stays_as_it_is(self):
        request = self.ask(name="Karim Ahmed")
        self.approve(request)
        line = request.sudo().correction_ids.with_user(self.nasrin)
        for change in (
            lambda: line.write({"new_value": "Somebody"}),
            line.unlink,
            lambda: line.create({"request_id": request.id, "field_name": "email"}),
        ):
            with self.assertRaisesRegex(UserError, "stays as it is"):
                change()
        with self.assertRaisesRegex(UserError, "of the kind"):
            line.create({"request_id": self.create_request().id, "field_name": "email"})

    def test_without_values_it_is_done_by_hand(self):
        request = self.ask()
        self.approve(request)
        self.assertEqual(request.state, "executing")
        self.assertIn("Carry out", self.activities_of(request, "task")[0].summary)

    def test_an_officer_enters_it_on_the_form(self):
        request = self.create_request("rectification")
        with Form(request.with_user(self.nasrin)) as form:
            with form.correction_ids.new() as line:
                line.field_name = "name"
                self.assertEqual(line.current_value, "Karim Uddin")
                line.new_value = "Karim Ahmed"
        self.assertEqual(request.sudo().correction_ids.new_value, "Karim Ahmed")
        with self.assertRaises(AccessError):
            request.with_user(self.auditor).correction_ids.write({"new_value": "X"})

    def test_only_what_people_enter_can_be_corrected(self):
        names = dict(self.env["privacy.request.correction"]._get_field_names())
        self.assertLessEqual({"name", "email", "phone", "street", "city", "zip"}, set(names))
        self.assertFalse({"email_normalized", "complete_name", "comment", "ref"} & set(names))
