import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from ..models import privacy_export_plan
from .export_common import ExportCase


@tagged("post_install", "-at_install")
class TestExportPackage(ExportCase):
    """P-35, P-38: what is in a package, and what is not."""

    # === THE WAY === #

    def test_an_approved_request_becomes_a_package(self):
        request = self.execute()
        export = self.export_of(request)
        self.assertEqual(
            (request.state, export.state, export.progress), ("executing", "building", 0)
        )
        self.assertFalse(self.activities_of(request, "task"), "the job does it")
        self.build()
        self.assertEqual((request.state, export.state, export.progress), ("done", "ready", 100))
        self.assertIn("fetch the package", request.result)
        self.assertIn("fetch the package", self.letters_of(request)[0].body_html)
        self.assertEqual(export.expires_on - export.date_ready, timedelta(days=7))
        self.assertEqual((export.download_limit, export.download_count), (3, 0))
        self.assertGreater(export.row_count, 0)
        self.assertGreater(export.size_mb, 0)
        row = self.env["privacy.audit"].search(
            [("model", "=", "privacy.export"), ("res_id", "=", export.id)]
        )
        self.assertEqual(row.mapped("action"), ["export"])
        self.assertEqual(row.subject, self.env["privacy.audit"]._pseudonym(self.karim))
        self.run_deletions()

    def test_only_the_package_is_left_of_its_parts(self):
        export = self.make()
        self.assertGreater(len(export.part_ids), 2)
        self.assertFalse(any(export.part_ids.mapped("store_name")))
        with patch.object(type(export), "_get_folder", lambda _self: self.folder):
            # What waits for the end of the transaction went with the job's; orphans go later.
            with patch("odoo.addons.isp_privacy.models.privacy_sealed.ORPHAN_HOURS", -1):
                export._delete_orphans()
        self.assertEqual(self.files(), [export.store_name])

    def test_limits_are_those_of_the_profile(self):
        self.profile.write({"export_days": 2, "export_downloads": 1})
        export = self.make()
        self.assertEqual(export.expires_on - export.date_ready, timedelta(days=2))
        self.assertEqual(export.download_limit, 1)

    def test_somebody_without_a_login_is_helped(self):
        request = self.execute()
        self.build()
        self.assertIn("access to the customer page", self.activities_of(request, "task")[0].summary)
        self.create_user("privacy_rahim", "base.group_portal", partner_id=self.rahim.id)
        request = self.execute(partner=self.rahim)
        self.build()
        self.assertFalse(self.activities_of(request, "task"))

    def test_a_stranger_is_answered_by_hand(self):
        nobody = self.env["res.partner"]
        request = self.create_request("access", nobody, email_from="Nobody <n@else.example>")
        self.bring(request, "executing")
        self.assertFalse(self.export_of(request))
        self.assertIn("Carry out", self.activities_of(request, "task")[0].summary)

    # === MANIFEST === #

    @proves("P-35")
    def test_the_manifest_names_each_file(self):
        contents = self.contents_of(self.make())
        manifest = json.loads(contents["manifest.json"])
        self.assertEqual(
            {entry["path"] for entry in manifest["files"]} | {"manifest.json", "manifest.json.sig"},
            set(contents),
        )
        self.assertEqual(manifest["type"], "access")
        self.assertEqual(manifest["controller"], "Padma Net")
        self.assertEqual(manifest["subject"], self.env["privacy.audit"]._pseudonym(self.karim))
        table = next(e for e in manifest["files"] if e["path"] == "data/res.partner.json")
        self.assertEqual((table["rows"], table["media_type"]), (1, "application/json"))
        email = next(column for column in table["schema"] if column["name"] == "email")
        self.assertEqual(
            email, {"name": "email", "type": "char", "category": "contact", "origin": "provided"}
        )

    def test_the_file_on_the_disk_says_nothing(self):
        export = self.make()
        with open(export._get_path(export.store_name), "rb") as file:
            content = file.read()
        self.assertNotIn(b"PK\x03\x04", content)
        self.assertNotIn(b"manifest", content)

    # === TABLES === #

    @proves("P-35")
    def test_the_data_of_the_person_is_there(self):
        self.create_user("privacy_karim", "base.group_portal", partner_id=self.karim.id)
        contents = self.contents_of(self.make())
        (row,) = self.rows_of(contents, "res.partner")
        for name in ("name", "email", "phone", "street", "city", "zip"):
            self.assertEqual(row[name], self.karim[name])
        self.assertEqual(row["country_id"], "Bangladesh")
        self.assertIn("Pays late", row["comment"])
        moment = fields.Datetime.add(self.karim.create_date, hours=6)
        self.assertEqual(row["create_date"][:19], moment.isoformat()[:19])
        self.assertTrue(row["create_date"].endswith("+06:00"), row["create_date"])
        (user,) = self.rows_of(contents, "res.users")
        self.assertEqual(user["login"], "privacy_karim")
        self.assertNotIn("password", user)

    def test_csv_says_the_same(self):
        contents = self.contents_of(self.make())
        tables = [path for path in contents if path.startswith("data/") and path.endswith(".json")]
        self.assertGreater(len(tables), 2)
        for path in tables:
            rows = json.loads(contents[path])
            cells = self.cells_of(contents, path.replace(".json", ".csv"))
            self.assertEqual(len(rows), len(cells))
            for row, cell in zip(rows, cells, strict=True):
                self.assertEqual(list(row), list(cell))
                for name, value in row.items():
                    if isinstance(value, str) and value[:1].isalnum():
                        self.assertEqual(cell[name], value)
                    elif value is None:
                        self.assertEqual(cell[name], "")

    def test_csv_is_as_the_standard_says(self):
        self.karim.name = 'Karim "Kari" Uddin, Mr\nJunior'
        contents = self.contents_of(self.make())
        data = contents["data/res.partner.csv"]
        self.assertTrue(data.endswith(b"\r\n"))
        self.assertEqual(data.count(b"\r\n"), 2)
        (cell,) = self.cells_of(contents, "data/res.partner.csv")
        self.assertEqual(cell["name"], self.karim.name)

    def test_a_name_that_is_a_formula(self):
        self.karim.name = '=HYPERLINK("http://evil.example")'
        contents = self.contents_of(self.make())
        (cell,) = self.cells_of(contents, "data/res.partner.csv")
        self.assertEqual(cell["name"], f"'{self.karim.name}")
        (row,) = self.rows_of(contents, "res.partner")
        self.assertEqual(row["name"], self.karim.name)

    def test_addresses_below_are_of_the_person_colleagues_are_not(self):
        firm = self.create_partner("Firm", "firm@customer.example", is_company=True)
        self.create_partner("Firm store", False, parent_id=firm.id, type="delivery")
        self.create_partner("Colleague", "c@customer.example", parent_id=firm.id)
        contents = self.contents_of(self.make(partner=firm))
        names = [row["name"] for row in self.rows_of(contents, "res.partner")]
        self.assertEqual(names, ["Firm", "Firm store"])
        self.assert_nowhere(contents, "Colleague")

    def test_pictures_are_files(self):
        pixel = (
            b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU"
            b"5ErkJggg=="
        )
        self.karim.image_1920 = pixel
        contents = self.contents_of(self.make())
        (row,) = self.rows_of(contents, "res.partner")
        self.assertEqual(row["photo"], f"files/res.partner/{self.karim.id}-photo.png")
        self.assertTrue(contents[row["photo"]].startswith(b"\x89PNG"))

    def test_documents_come_from_their_model(self):
        def documents(records):
            return [("../../INV 2027/0001.pdf", b"%PDF-1"), ("INV 2027/0001.pdf", b"%PDF-2")]

        model = type(self.env["res.partner"])
        with patch.object(model, "_privacy_documents", documents, create=True):
            contents = self.contents_of(self.make())
            portable = self.contents_of(self.make("portability"))
        self.assertEqual(contents["documents/INV-2027-0001.pdf"], b"%PDF-1")
        self.assertEqual(contents["documents/INV-2027-0001-2.pdf"], b"%PDF-2")
        self.assertFalse([path for path in portable if path.startswith("documents/")])

    # === LONG TABLES === #

    def test_a_long_table_is_divided_by_month_of_the_companys_calendar(self):
        moments = [
            *("2026-12-31 17:59:59", "2026-12-31 18:00:00", "2027-01-15 06:00:00"),
            *("2027-01-15 07:00:00", "2027-01-20 06:00:00", "2027-01-31 18:00:00"),
        ]
        messages = self.env["mail.message"].create(
            [
                {
                    "model": "res.partner",
                    "res_id": self.karim.id,
                    "author_id": self.karim.id,
                    "message_type": "comment",
                    "subtype_id": self.env.ref("mail.mt_comment").id,
                    "date": moment,
                    "body": f"At {moment}",
                }
                for moment in moments
            ]
        )
        with (
            patch.object(privacy_export_plan, "LONG_ROWS", 3),
            patch.object(privacy_export_plan, "LONG_MONTH_ROWS", 2),
        ):
            contents = self.contents_of(self.make())
        self.assertNotIn("data/mail.message.json", contents)
        found = {}
        for path in sorted(path for path in contents if "usage/mail.message-" in path):
            for cell in self.cells_of(contents, path):
                if int(cell["id"]) in messages.ids:
                    found.setdefault(path[-11:-4], []).append(cell["date"])
        self.assertEqual(
            found,
            {
                "2026-12": ["2026-12-31T23:59:59+06:00"],
                "2027-01": [
                    *("2027-01-01T00:00:00+06:00", "2027-01-15T12:00:00+06:00"),
                    *("2027-01-15T13:00:00+06:00", "2027-01-20T12:00:00+06:00"),
                ],
                "2027-02": ["2027-02-01T00:00:00+06:00"],
            },
        )
        text = contents["usage/mail.message-2027-01.csv"]
        self.assertEqual(text.count(b"message_type"), 1, "the names of the columns are there once")

    # === LEFT OUT === #

    def assert_nowhere(self, contents, *canaries):
        for canary in canaries:
            for path, content in contents.items():
                self.assertNotIn(canary.encode(), content, f"{canary} in {path}")

    def post(self, body, author, subtype="mail.mt_comment", record=None, **vals):
        return (record or self.karim).message_post(
            body=body, author_id=author.id, subtype_xmlid=subtype, message_type="comment", **vals
        )

    @proves("P-10")
    def test_staff_has_no_name_and_notes_stay_within(self):
        staff = self.nasrin.partner_id
        staff.name = "Nasrin Canary"
        self.karim.user_id = self.nasrin
        self.post("Your line is mended", staff)
        self.post("He shouts canary", staff, "mail.mt_note")
        self.post("Thank you", self.karim)
        self.karim.activity_schedule("mail.mail_activity_data_todo", summary="Call canary-man")
        contents = self.contents_of(self.make())
        rows = {row["body"]: row for row in self.rows_of(contents, "mail.message")}
        answer = next(row for body, row in rows.items() if "line is mended" in (body or ""))
        self.assertEqual((answer["author_id"], answer["email_from"]), ("Staff", None))
        own = next(row for body, row in rows.items() if "Thank you" in (body or ""))
        self.assertEqual(own["author_id"], "Karim Uddin")
        self.assert_nowhere(contents, "Canary", "canary", staff.email)

    def test_other_customers_stay_out(self):
        self.rahim.name = "Rahim Canary"
        self.create_user("privacy_rahim", "base.group_portal", partner_id=self.rahim.id)
        self.post("My neighbour canary speaks", self.rahim)
        self.post("To both", self.nasrin.partner_id, partner_ids=(self.karim | self.rahim).ids)
        self.create_request(partner=self.rahim, words="Secret of canary")
        contents = self.contents_of(self.make())
        self.assertIn("To both", str(self.rows_of(contents, "mail.message")))
        self.assert_nowhere(contents, "Canary", "canary", "rahim@customer.example")

    @proves("P-10", "P-25")
    def test_the_chat_of_the_person_is_there(self):
        channel = self.env["discuss.channel"].create(
            {
                "name": "Line of Karim",
                "channel_type": "group",
                "channel_member_ids": [
                    (0, 0, {"partner_id": partner.id}) for partner in self.karim | self.rahim
                ],
            }
        )
        for author, words in ((self.karim, "I am at home at six"), (self.rahim, "Mine is canary")):
            channel.message_post(body=words, author_id=author.id, message_type="comment")
        contents = self.contents_of(self.make())
        self.assertIn("I am at home at six", str(self.rows_of(contents, "mail.message")))
        self.assertIn("Line of Karim", str(self.rows_of(contents, "discuss.channel")))
        self.assert_nowhere(contents, "canary")

    @proves("P-35")
    def test_what_the_map_leaves_out_is_left_out(self):
        columns = self.env["privacy.export.reader"]._get_models()
        datamap = self.env["privacy.map.entry"]._get_map()
        count = 0
        for model, exported in columns.items():
            names = {column.field for column in exported}
            for entry in datamap.entries(model):
                self.assertEqual(entry.field in names, bool(entry.export), f"{model}.{entry.field}")
                count += not entry.export
        self.assertGreater(count, 20)

    @proves("P-38")
    def test_a_portable_copy_has_no_words_of_ours(self):
        contents = self.contents_of(self.make("portability"))
        (row,) = self.rows_of(contents, "res.partner")
        self.assertEqual(row["email"], self.karim.email)
        self.assertNotIn("comment", row)
        self.assertNotIn("data/privacy.request.json", contents)
        self.assert_nowhere(contents, "Pays late")
        everything = self.contents_of(self.make())
        self.assertIn("data/privacy.request.json", everything)

    # === WORDS === #

    def test_the_information_of_article_15(self):
        today = fields.Date.today()
        country = self.env.ref("base.sg")
        processors = self.env["privacy.processor"].create(
            [
                {
                    "name": name,
                    "company_id": self.company.id,
                    "contract_from": begin,
                    "country_id": country.id,
                    "service": "Sends text messages",
                }
                for name, begin in (
                    ("Gateway Ltd", today),
                    ("Talks only", False),
                    ("Next year", fields.Date.add(today, years=1)),
                )
            ]
        )
        self.env["privacy.transfer"].create(
            {
                "reference": "SCC 1",
                "company_id": self.company.id,
                "processor_id": processors[0].id,
                "country_id": country.id,
                "instrument": "clauses",
                "date_from": today,
            }
        )
        contents = self.contents_of(self.make())
        information = json.loads(contents["information.json"])
        self.assertEqual(
            set(information),
            {
                *("controller", "request", "made_on", "purposes", "sources", "recipients"),
                *("transfers", "automated_decisions", "rights", "complaints", "not_included"),
            },
        )
        self.assertEqual([r["name"] for r in information["recipients"]], ["Gateway Ltd"])
        self.assertEqual(information["transfers"][0]["recipient"], "Gateway Ltd")
        self.assertIn("contractual clauses", information["transfers"][0]["allowed_by"])
        self.assertEqual(information["complaints"], self.profile.complaint_route)
        self.assertIn("suspended", information["automated_decisions"])
        service = next(p for p in information["purposes"] if "service" in p["name"])
        self.assertEqual(service["lawful_bases"], ["Contract"])
        self.assertIn("Contact details", service["categories"])
        self.assertIn("Customer account", service["kept_as"])

    def test_words_are_in_the_language_of_the_person(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.profile.with_context(lang="bn_IN").complaint_route = "গোপনীয়তা কর্মকর্তা"
        self.karim.lang = "bn_IN"
        contents = self.contents_of(self.make())
        self.assertIn("গোপনীয়তা কর্মকর্তা", contents["README.txt"].decode())
        information = json.loads(contents["information.json"])
        self.assertEqual(information["complaints"], "গোপনীয়তা কর্মকর্তা")

    def test_the_readme_speaks_of_request_and_company(self):
        export = self.make()
        readme = self.contents_of(export)["README.txt"].decode()
        for words in ("Padma Net", export.request_id.name, "Karim Uddin", "Asia/Dhaka"):
            self.assertIn(words, readme)
