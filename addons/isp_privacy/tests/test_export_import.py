import base64
import io
import json
import zipfile
from contextlib import closing

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from odoo.addons.isp_base.tests.promises import proves

from ..engine.package import PackageWriter, file_digest
from .export_common import ExportCase

PIXEL = (
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU"
    b"5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestExportImport(ExportCase):
    """P-38: a package of ours makes the person anew in a database of the suite."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        state = cls.env["res.country.state"].search(
            [("country_id", "=", cls.env.ref("base.in").id)], limit=1
        )
        cls.karim.write(
            {
                "name": '=Karim "K" Uddin, জনাব',
                "country_id": state.country_id.id,
                "state_id": state.id,
                "ref": "C-1001",
                "website": "https://karim.example",
                "function": "Baker",
                "image_1920": PIXEL,
                "category_id": [(0, 0, {"name": "Gold"}), (0, 0, {"name": "House"})],
            }
        )
        cls.create_partner(
            "Karim's shop", False, parent_id=cls.karim.id, type="delivery", city="Sylhet"
        )

    def bytes_of(self, export):
        with closing(export._open_file(export.store_name)) as stream:
            return stream.readall()

    def upload(self, data):
        wizard = self.env["privacy.export.import"].with_user(self.nasrin)
        return wizard.create({"file": base64.b64encode(data), "file_name": "export.zip"})

    def change(self, data, edit, sign_anew=False):
        """Return a package with other contents; its manifest fits only when signed anew."""
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        edit(entries)
        stream = io.BytesIO()
        if sign_anew:
            manifest = json.loads(entries.pop("manifest.json"))
            entries.pop("manifest.json.sig")
            files = manifest.pop("files")
            kinds = {entry["path"]: entry["media_type"] for entry in files}
            writer = PackageWriter(stream, self.karim.create_date)
            for path, content in entries.items():
                writer.add(path, [content], kinds.get(path, ""))
            head = {name: manifest[name] for name in manifest if name != "generated_at"}
            writer.finish(head, self.env["privacy.export"]._sign)
        else:
            with zipfile.ZipFile(stream, "w") as archive:
                for name, content in entries.items():
                    archive.writestr(name, content)
        return stream.getvalue()

    # === THE WAY === #

    @proves("P-38")
    def test_a_package_makes_the_person_anew(self):
        for request_type in ("access", "portability"):
            with self.subTest(type=request_type):
                data = self.bytes_of(self.make(request_type))
                wizard = self.upload(data)
                wizard.action_check()
                self.assertEqual((wizard.state, wizard.is_ours), ("checked", True))
                self.assertEqual(wizard.name, self.karim.name)
                self.assertIn(self.karim, wizard.known_ids)
                wizard.action_import()
                self.assertEqual(wizard.state, "done")
                self.assertFalse(wizard.file, "the clear text does not stay")
                self.assertEqual(wizard.differences, "")
                self.assertEqual(wizard.contact_count, 2)
                self.assertGreater(wizard.equal_count, 30)
                self.assert_same(self.karim, wizard.partner_id.sudo())

    def assert_same(self, old, new):
        self.assertNotEqual(old, new)
        for name in (
            *("name", "email", "phone", "street", "city", "zip", "country_id", "state_id", "ref"),
            *("website", "function", "category_id", "image_1920", "lang", "is_company", "type"),
        ):
            self.assertEqual(new[name], old[name], name)
        self.assertFalse(new.comment, "what staff noted was not provided by the person")
        self.assertEqual(new.company_id, self.company)
        self.assertEqual(
            [(child.name, child.type, child.city) for child in new.child_ids],
            [(child.name, child.type, child.city) for child in old.child_ids],
        )
        row = self.env["privacy.audit"].search([("action", "=", "import"), ("res_id", "=", new.id)])
        self.assertEqual(row.actor_id, self.nasrin.id)

    def test_the_report_says_what_stays_in_the_package(self):
        wizard = self.upload(self.bytes_of(self.make()))
        wizard.action_check()
        wizard.action_import()
        self.assertIn("data/privacy.request.json: 1 rows", wizard.left_out)
        self.assertIn("comment", wizard.left_out)

    def test_the_screen(self):
        wizard = self.upload(self.bytes_of(self.make()))
        self.assertEqual(Form(wizard).state, "upload")
        action = wizard.action_check()
        self.assertEqual((action["res_id"], action["target"]), (wizard.id, "new"))
        wizard.action_import()
        self.assertEqual(wizard.action_open_partner()["res_id"], wizard.partner_id.id)

    def test_the_comparison_finds_what_differs(self):
        data = self.bytes_of(self.make())
        with closing(io.BytesIO(data)) as stream:
            model = self.env["privacy.export.import"]
            package = model._open_package(stream)
            rows = model._read_rows(package)
            columns = model._get_copied_columns()
            partners = dict(
                zip((row["id"] for row in rows), self.karim | self.karim.child_ids, strict=True)
            )
            self.assertEqual(model._compare(package, rows, columns, partners)[1], [])
            self.karim.write({"city": "Khulna", "image_1920": False})
            differences = model._compare(package, rows, columns, partners)[1]
            self.assertEqual(sorted(differences), ["Contact 1: city", "Contact 1: photo"])

    # === ANOTHER INSTALLATION === #

    def test_a_package_of_another_installation_is_taken_with_a_warning(self):
        data = self.bytes_of(self.make())

        def edit(entries):
            signature = json.loads(entries["manifest.json.sig"])
            signature["key"] = "0" * 32
            entries["manifest.json.sig"] = json.dumps(signature).encode()

        wizard = self.upload(self.change(data, edit))
        wizard.action_check()
        self.assertFalse(wizard.is_ours)
        wizard.action_import()
        self.assertEqual(wizard.partner_id.sudo().email, self.karim.email)

    def test_what_is_unknown_here_is_reported(self):
        data = self.bytes_of(self.make())

        def edit(entries):
            rows = json.loads(entries["data/res.partner.json"])
            rows[0] |= {"country_id": "Atlantis", "state_id": None, "shoe_size": "44", "lang": "xx"}
            entries["data/res.partner.json"] = json.dumps(rows).encode()

        wizard = self.upload(self.change(data, edit, sign_anew=True))
        wizard.action_check()
        wizard.action_import()
        self.assertFalse(wizard.partner_id.sudo().country_id)
        self.assertIn("shoe_size", wizard.left_out)
        for name in ("country_id", "lang"):
            self.assertIn(name, wizard.left_out)

    # === REFUSED === #

    def assert_refused(self, data, words):
        count = self.env["res.partner"].search_count([])
        for step in ("action_check", "action_import"):
            wizard = self.upload(data)
            with self.assertRaisesRegex(UserError, words):
                getattr(wizard, step)()
        self.assertEqual(self.env["res.partner"].search_count([]), count)

    @proves("P-38")
    def test_a_package_that_was_changed_is_refused(self):
        data = self.bytes_of(self.make())

        def other_name(entries):
            table = "data/res.partner.json"
            entries[table] = entries[table].replace(b"Dhaka", b"Delhi")

        def other_hash(entries):
            other_name(entries)
            manifest = json.loads(entries["manifest.json"])
            for entry in manifest["files"]:
                if entry["path"] == "data/res.partner.json":
                    entry["sha256"] = file_digest(entries["data/res.partner.json"])
            entries["manifest.json"] = json.dumps(manifest).encode()

        def smuggle(entries):
            entries["data/evil.json"] = b"[]"

        def drop(entries):
            entries.pop("README.txt")

        self.assert_refused(self.change(data, other_name), "was changed.*res.partner.json")
        self.assert_refused(self.change(data, other_hash), "signature")
        self.assert_refused(self.change(data, smuggle), "does not name.*evil")
        self.assert_refused(self.change(data, drop), "is missing: README")

    def test_what_is_no_package_is_refused(self):
        data = self.bytes_of(self.make())
        self.assert_refused(b"Hello", "no data package")
        self.assert_refused(data[:-40], "no data package")
        wizard = self.env["privacy.export.import"].with_user(self.nasrin).create({})
        with self.assertRaisesRegex(UserError, "Choose the file"):
            wizard.action_check()

    def test_contacts_that_are_none_are_refused(self):
        data = self.bytes_of(self.make())
        for rows in (b"{}", b"[]", b"[5]", b'[{"id": 1, "name": "X"}]', b"null"):

            def edit(entries, rows=rows):
                entries["data/res.partner.json"] = rows

            with self.subTest(rows=rows):
                self.assert_refused(self.change(data, edit, sign_anew=True), "not complete")

        def drop(entries):
            entries.pop("data/res.partner.json")

        self.assert_refused(self.change(data, drop, sign_anew=True), "is missing: data/res.partner")

    def test_values_of_another_kind_do_no_harm(self):
        data = self.bytes_of(self.make())

        def edit(entries):
            rows = json.loads(entries["data/res.partner.json"])
            rows[0] |= {
                "email": {"a": 1},
                "tags": "VIP",
                "city": 5,
                "is_company": "x",
                "photo": [1],
            }
            entries["data/res.partner.json"] = json.dumps(rows).encode()

        wizard = self.upload(self.change(data, edit, sign_anew=True))
        wizard.action_check()
        wizard.action_import()
        partner = wizard.partner_id.sudo()
        self.assertEqual((partner.email, partner.city, partner.is_company), (False, False, False))
        self.assertIn("city", wizard.left_out)
