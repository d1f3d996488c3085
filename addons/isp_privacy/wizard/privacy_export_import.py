import base64
import binascii
import io
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, email_normalize

from ..engine.package import PackageError, open_package

_lt = LazyTranslate(__name__)

CONTACTS = "res.partner"
TABLE = f"data/{CONTACTS}.json"
# Where a contact stands among others is told by the package in its own way; when it was made here
# is another day.
NOT_COPIED = {"parent_id", "commercial_partner_id", "create_date"}
COPIED_TYPES = ("char", "text", "html", "selection", "boolean", "float", "integer")
PROBLEMS = {
    "damaged": _lt("This is no data package, or its file is damaged. Ask for it once more."),
    "manifest": _lt("The package has no list of its files that can be read. It is not complete."),
    "version": _lt("The package was made by a version of the program that is not known here."),
    "unlisted": _lt("The package holds a file that its list does not name: %s"),
    "missing": _lt("A file of the package is missing: %s"),
    "altered": _lt("A file of the package was changed after it was made: %s"),
    "forged": _lt("The signature of the package is not right: it was changed after it was made."),
    "too_large": _lt("The package is larger than one of a single person can be. %s"),
}


class PrivacyExportImport(models.TransientModel):
    """Takes over a person from a data package, also from another installation of the suite.

    What the person provided about themselves is made anew: contact, addresses, tags, photo. The rest
    of the package, such as bills and sessions, is history of another provider and stays in it.
    """

    _name = "privacy.export.import"
    _description = "Import of a data package"

    file = fields.Binary("Package", attachment=False)
    file_name = fields.Char()
    state = fields.Selection(
        [("upload", "Upload"), ("checked", "Checked"), ("done", "Imported")], default="upload"
    )
    is_ours = fields.Boolean("Signed by this installation", readonly=True)
    name = fields.Char("Person", readonly=True)
    made_by = fields.Char(readonly=True)
    made_on = fields.Char(readonly=True)
    file_count = fields.Integer("Files, all unchanged", readonly=True)
    known_ids = fields.Many2many(
        "res.partner", string="Contacts with the same e-mail", readonly=True
    )
    partner_id = fields.Many2one("res.partner", "Contact", readonly=True)
    contact_count = fields.Integer("Contacts", readonly=True)
    equal_count = fields.Integer("Values equal to the package", readonly=True)
    differences = fields.Text("Values that differ", readonly=True)
    left_out = fields.Text("Not imported", readonly=True)

    # === ACTION METHODS === #

    def action_check(self):
        """Check the package, and show what is in it."""
        self.ensure_one()
        with self._open_upload() as package:
            self.write({"state": "checked", **self._describe(package)})
        return self._reopen()

    def action_import(self):
        """Make the contacts, and compare them with the package."""
        self.ensure_one()
        with self._open_upload() as package:
            report = self._import_package(package)
        # The package is not needed any more, and holds everything in clear.
        self.write({"state": "done", "file": False, **report})
        return self._reopen()

    def action_open_partner(self):
        """Show the contact that was made."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": CONTACTS,
            "res_id": self.partner_id.id,
            "view_mode": "form",
        }

    def _reopen(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_privacy.privacy_export_import_action"
        )
        return {**action, "res_id": self.id}

    # === BUSINESS METHODS - READING === #

    @contextmanager
    def _open_upload(self):
        if not self.file:
            raise UserError(self.env._("Choose the file of the package first."))
        try:
            data = base64.b64decode(self.file, validate=False)
        except binascii.Error as error:
            raise UserError(
                self.env._("The file did not arrive whole. Upload it again.")
            ) from error
        yield self._open_package(io.BytesIO(data))

    @api.model
    def _open_package(self, stream):
        """Return the package of a binary file, every file of it checked.

        :raises UserError: when it cannot be used
        """
        try:
            package = open_package(stream, self.env["privacy.export"]._verify)
            if TABLE not in package.files:
                raise PackageError("missing", TABLE)
        except PackageError as error:
            self._raise(error)
        return package

    @api.model
    def _raise(self, error):
        text = self.env._(PROBLEMS[error.code])
        raise UserError(text % error.path if "%s" in text else text) from error

    @api.model
    def _read_rows(self, package):
        """Return the contacts of a package, the person first."""
        try:
            rows = package.read_json(TABLE)
        except PackageError as error:
            self._raise(error)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._raise(PackageError("manifest"))
        root = package.manifest.get("subject_row")
        rows.sort(key=lambda row: row.get("id") != root)
        if not rows or rows[0].get("id") != root or not rows[0].get("name"):
            self._raise(PackageError("manifest"))
        return rows

    def _describe(self, package):
        row = self._read_rows(package)[0]
        # sudo: officers hold no right on contacts; only that there is one is shown.
        known = self.env[CONTACTS].sudo()
        if email := email_normalize(str(row.get("email") or "")):
            known = known.search([("email_normalized", "=", email)])
        manifest = package.manifest
        return {
            "is_ours": package.is_ours,
            "name": str(row["name"]),
            "made_by": str(manifest.get("controller") or ""),
            "made_on": str(manifest.get("generated_at") or ""),
            "file_count": len(package.files),
            "known_ids": [fields.Command.set(known.ids)],
        }

    # === BUSINESS METHODS - WRITING === #

    @api.model
    def _import_package(self, package):
        """Make the contacts of a package; return what the report says."""
        rows = self._read_rows(package)
        columns = self._get_copied_columns()
        # sudo: officers hold no right on contacts. What is written is what the package says, and it
        # is written down who did it.
        model = self.env[CONTACTS].sudo().with_context(lang=None, tracking_disable=True)
        skipped = set()
        partners = {}
        for row in rows:
            vals = self._prepare_contact(package, row, columns, skipped)
            if partners:
                vals["parent_id"] = next(iter(partners.values())).id
            partners[row["id"]] = model.create(vals)
        root = next(iter(partners.values()))
        self.env["privacy.audit"]._log("import", root, subject=root)
        equal, differences = self._compare(package, rows, columns, partners)
        return {
            "partner_id": root.id,
            "contact_count": len(partners),
            "equal_count": equal,
            "differences": "\n".join(differences),
            "left_out": self._describe_left_out(package, rows, columns, skipped),
        }

    @api.model
    def _get_copied_columns(self):
        """Return the columns of contacts that the person provided and that can be written."""
        copied = []
        for column in self.env["privacy.export.reader"]._get_columns(CONTACTS, portable=True):
            field = self.env[CONTACTS]._fields[column.field]
            is_simple = column.type in (*COPIED_TYPES, "many2one", "many2many", "binary")
            is_written = not field.readonly or field.inverse
            if column.origin == "provided" and is_simple and is_written:
                copied.append(column)
        return [column for column in copied if column.field not in NOT_COPIED]

    def _prepare_contact(self, package, row, columns, skipped):
        vals = {}
        for column in columns:
            value = row.get(column.name)
            if value in (None, False, "", []):
                continue
            converted = self._convert(package, column, value)
            if converted is None:
                skipped.add(column.name)
            else:
                vals[column.field] = converted
        return {"company_id": self.env.company.id, **vals}

    def _convert(self, package, column, value):
        """Return what is written for a value of the package, None for one that has no place here."""
        field = self.env[CONTACTS]._fields[column.field]
        if column.type == "many2one":
            return self._find(field.comodel_name, value).id or None
        if column.type == "many2many":
            return [fields.Command.set(self._find_tags(field.comodel_name, value).ids)]
        if column.type == "binary":
            return self._read_file(package, value)
        if column.type == "selection":
            known = dict(field._description_selection(self.env))
            return value if value in known else None
        if column.type in ("char", "text", "html"):
            return value if isinstance(value, str) else None
        return value if isinstance(value, bool | int | float) else None

    def _find(self, model_name, name):
        # sudo: countries and tags are the same for everybody.
        model = self.env[model_name].sudo().with_context(lang=None)
        found = model.search([("display_name", "=", str(name))])
        return found.filtered(lambda record: record.display_name == name)[:1]

    def _find_tags(self, model_name, names):
        """Return the tags of these names; those that are missing are made."""
        tags = self.env[model_name].sudo()  # sudo: as above
        for name in names if isinstance(names, list) else []:
            tags |= self._find(model_name, name) or tags.create({"name": str(name)})
        return tags

    def _read_file(self, package, path):
        if not isinstance(path, str) or path not in package.files:
            return None
        try:
            return base64.b64encode(package.read_bytes(path))
        except PackageError as error:
            self._raise(error)

    # === BUSINESS METHODS - REPORT === #

    def _compare(self, package, rows, columns, partners):
        """Read what was made as a package would, and compare it value by value.

        :return: how many values are equal, and the names of the others
        """
        reader = self.env["privacy.export.reader"]
        made = self.env[CONTACTS].union(*partners.values())
        subject = reader._new_subject(made[:1])
        model = made.sudo().with_context(lang=None)
        domain = [("id", "in", made.ids)]
        new_rows = {row["id"]: row for row in reader._iter_rows(subject, model, domain, columns)}
        contents = dict(reader._iter_files(subject, model, domain, columns))
        equal, differences = 0, []
        for number, row in enumerate(rows, 1):
            new = new_rows[partners[row["id"]].id]
            for column in columns:
                before, after = row.get(column.name), new[column.name]
                if column.type == "binary":
                    before = self._read_file(package, before)
                    after = base64.b64encode(contents[after]) if after else None
                if (before or None) == (after or None):
                    equal += 1
                else:
                    # Only the name: the report outlives the form, the data must not.
                    differences.append(
                        self.env._(
                            "Contact %(number)s: %(field)s", number=number, field=column.name
                        )
                    )
        return equal, differences

    def _describe_left_out(self, package, rows, columns, skipped):
        """Return what stays in the package: columns, values and tables."""
        names = {column.name for column in columns}
        unknown = {name for row in rows for name, value in row.items() if value} - names - {"id"}
        lines = []
        if unknown:
            lines.append(self.env._("Fields: %s", ", ".join(sorted(unknown))))
        if skipped:
            lines.append(
                self.env._("Values that mean nothing here: %s", ", ".join(sorted(skipped)))
            )
        for path, entry in sorted(package.files.items()):
            if path.endswith((".csv", ".txt")) or path in (TABLE, "information.json"):
                continue
            rows_text = entry.get("rows")
            lines.append(
                self.env._("%(path)s: %(count)s rows", path=path, count=rows_text)
                if rows_text is not None
                else path
            )
        return "\n".join(lines)
