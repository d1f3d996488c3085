import base64
import json
import mimetypes
import secrets
from dataclasses import dataclass

import pytz

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.isp_base.encryption import SHOW_UNREADABLE, EncryptedChar

from .. import catalogue
from ..engine.export_values import REMOVED, secrets_pattern, without_tokens

BATCH = 1000
# Where people write what they like, also a password that they were told.
FREE_CATEGORIES = {"communication", "free_text", "document"}
# Shorter ones would be found in words that have nothing to do with them.
SECRET_LENGTH = 6
TEXT_TYPES = ("char", "text", "html")


@dataclass(frozen=True)
class Column:
    """A field of a table of the package."""

    name: str
    field: str
    type: str
    category: str
    origin: str

    def describe(self):
        """Return what the manifest says of the column."""
        return {
            "name": self.name,
            "type": self.type,
            "category": self.category,
            "origin": self.origin,
        }


class Subject:
    """Whose data is read, and how it is written.

    :param partners: the person first, then the addresses below it
    :param portable: only what the person provided or what was observed
    :param zone: name of the time zone of all times
    """

    def __init__(self, partners, portable=False, zone="UTC"):
        self.partners = partners
        self.portable = portable
        self.zone = pytz.timezone(zone)
        self.secrets = None
        self.names = {}


class PrivacyExportReader(models.AbstractModel):
    """Reads the records of a person as rows, the way an export package shows them.

    What is read, under which name, and what is left out, says the data map. A model may add a plain
    method ``_privacy_export_row(row, partners)``, called on each record: it returns the row, changed
    as it has to be, or None for a record that must not be shown, such as an internal note.
    """

    _name = "privacy.export.reader"
    _description = "Reader of the data of a person"

    # === WHOSE === #

    @api.model
    def _new_subject(self, partner, portable=False, zone="UTC"):
        """Return the person whose data is read, see :class:`Subject`."""
        return Subject(self._get_partners(partner), portable, zone)

    @api.model
    def _get_partners(self, partner):
        """Return the person and the addresses below; other people at a firm are not this person."""
        # sudo: whose data it is does not depend on what the officer at work may see otherwise.
        partner = partner.sudo().with_context(active_test=False)
        below = partner.search([("id", "child_of", partner.id), ("type", "!=", "contact")])
        return partner | below

    # === WHAT === #

    @api.model
    def _get_columns(self, model_name, portable=False):
        """Return the columns of a model in the package; none when nothing of it is exported."""
        fields_by_name = self.env[model_name]._fields
        datamap = self.env["privacy.map.entry"]._get_map()
        columns = []
        # Of a record that we made ourselves, such as a proof, not even the address is portable.
        kind = datamap.models[model_name].defaults.get("category")
        if portable and catalogue.ORIGINS.get(kind) == "derived":
            return columns
        for entry in datamap.entries(model_name):
            origin = catalogue.ORIGINS[entry.category]
            if entry.export and not (portable and origin == "derived"):
                field = fields_by_name[entry.field]
                columns.append(
                    Column(entry.export, entry.field, field.type, entry.category, origin)
                )
        return columns

    @api.model
    def _get_models(self, portable=False):
        """Return ``{model: columns}`` of all that may hold data of a person."""
        found = {}
        for name in sorted(self.env["privacy.map.entry"]._get_map().subject_models()):
            if not self.env[name]._transient and (columns := self._get_columns(name, portable)):
                found[name] = columns
        return found

    @api.model
    def _get_source(self, subject, model_name):
        """Return the model, as superuser, and the domain of the records of the person."""
        Entry = self.env["privacy.map.entry"]
        # Data for machines is in no language, and a secret that cannot be read is no error here.
        model = Entry._get_whole_model(model_name).with_context(
            lang=None, tz=subject.zone.zone, **{SHOW_UNREADABLE: True}
        )
        return model, Entry._get_domain(subject.partners, model_name)

    # === ROWS === #

    @api.model
    def _iter_batches(self, model, domain, order="id", names=()):
        """Yield the records a batch at a time, by a cursor of the server: memory stays the same.

        :param names: fields with a column that the cursor reads as well, as the ORM would. It is
            worth it for a long table: else each batch looks for its records once more.
        """
        self.env.flush_all()
        cursor = SQL.identifier(f"privacy_export_{secrets.token_hex(4)}")
        query = model._search(domain, order=order)
        terms = [model._field_to_sql(model._table, name, query) for name in ("id", *names)]
        self.env.cr.execute(SQL("DECLARE %s NO SCROLL CURSOR FOR %s", cursor, query.select(*terms)))
        fetch = SQL("FETCH %s FROM %s", SQL(str(BATCH)), cursor)
        while rows := self.env.execute_query(fetch):
            ids, *columns = zip(*rows, strict=True)
            records = model.browse(ids)
            for name, values in zip(names, columns, strict=True):
                # As `_fetch_query` of the ORM does with what it has read.
                model._fields[name]._insert_cache(records, values)
            yield records
            records.invalidate_recordset(flush=False)
        self.env.cr.execute(SQL("CLOSE %s", cursor))

    @api.model
    def _iter_rows(self, subject, model, domain, columns, order="id", is_long=False):
        """Yield the rows of a table, as dictionaries of values that JSON takes.

        :param is_long: worth that the cursor reads the columns, see :meth:`_iter_batches`
        """
        if subject.secrets is None and any(c.category in FREE_CATEGORIES for c in columns):
            subject.secrets = secrets_pattern(self._collect_secrets(subject))
        adapt = getattr(type(model), "_privacy_export_row", None)
        stored = [c.field for c in columns if model._fields[c.field].column_type]
        stored = [name for name in stored if model._fields[name].store]
        for records in self._iter_batches(model, domain, order, stored if is_long else ()):
            records.fetch(stored)
            files = self._get_files(records, columns)
            for record in records:
                row = {"id": record.id}
                for column in columns:
                    value = self._convert(subject, record, column, files)
                    row[column.name] = self._clean(subject, column, value)
                if adapt:
                    row = adapt(record, row, subject.partners)
                if row is not None:
                    yield row

    def _convert(self, subject, record, column, files):
        """Return the value of a field as JSON takes it."""
        if column.type == "binary":
            return files.get((record.id, column.field), (None, None))[0]
        value = record[column.field]
        if column.type == "datetime":
            return self._format_moment(subject, value)
        if column.type == "date":
            return value.isoformat() if value else None
        if column.type in ("many2one", "reference"):
            return self._get_name(subject, value) if value else None
        if column.type in ("many2many", "one2many"):
            return [self._get_name(subject, one) for one in value]
        if column.type in ("json", "properties", "properties_definition"):
            return json.loads(json.dumps(value, default=str)) if value else None
        if column.type in ("boolean", "integer", "float", "monetary"):
            return value
        return str(value) if value not in (False, None) else None

    def _format_moment(self, subject, value):
        """Return a time in the zone of the company, with its offset."""
        if not value:
            return None
        return pytz.utc.localize(value).astimezone(subject.zone).isoformat()

    def _get_name(self, subject, record):
        """Return the name of a record that a field leads to; of other people only what they are."""
        key = (record._name, record.id)
        if key not in subject.names:
            subject.names[key] = self._find_name(subject, record)
        return subject.names[key]

    def _find_name(self, subject, record):
        person = record.partner_id if record._name == "res.users" else record
        if person._name == "mail.guest":
            return self.env._("Another person")
        if person._name != "res.partner":
            return record.display_name
        firms = subject.partners.commercial_partner_id | subject.partners.parent_id
        if person in subject.partners:
            return person.display_name
        if person in firms.filtered("is_company"):
            return person.display_name
        return self._get_role(person)

    @api.model
    def _get_role(self, partner):
        """Return what somebody is who is not the person: staff, the company, or just another."""
        users = partner.with_context(active_test=False).user_ids
        if any(not user.share for user in users):
            return self.env._("Staff")
        # sudo: which partner is a company of ours is no secret.
        if self.env["res.company"].sudo().search_count([("partner_id", "=", partner.id)]):
            return partner.display_name
        return self.env._("Another person")

    # === SECRETS === #

    def _clean(self, subject, column, value):
        """Return a value without what would open something."""
        if column.type not in TEXT_TYPES or not value:
            return value
        value = without_tokens(value)
        if subject.secrets and column.category in FREE_CATEGORIES:
            value = subject.secrets.sub(REMOVED, value)
        return value

    @api.model
    def _collect_secrets(self, subject):
        """Return the secrets of the person in clear, which no text of the package may hold.

        A password that is also the person's phone number, say, cannot be told from it.
        """
        found = set()
        harmless = {
            value
            for partner in subject.partners
            for value in (partner.name, partner.email, partner.phone, partner.ref, partner.vat)
        }
        datamap = self.env["privacy.map.entry"]._get_map()
        for name in datamap.subject_models():
            entries = datamap.entries(name)
            hidden = [e.field for e in entries if e.category == "credential" and not e.export]
            hidden = [field for field in hidden if self._may_be_read(name, field)]
            shown = [e.field for e in entries if e.export and self._may_be_read(name, e.field)]
            if not hidden:
                continue
            model, domain = self._get_source(subject, name)
            for records in self._iter_batches(model, domain):
                for record in records:
                    found.update(record[field] for field in hidden)
                    harmless.update(record[field] for field in shown)
        return {
            text.strip()
            for text in found - harmless
            if isinstance(text, str) and len(text.strip()) >= SECRET_LENGTH
        }

    def _may_be_read(self, model_name, field_name):
        field = self.env[model_name]._fields[field_name]
        return isinstance(field, EncryptedChar) or field.type in TEXT_TYPES

    # === FILES === #

    @api.model
    def _get_files(self, records, columns):
        """Return ``{(record id, field): (path in the package, attachment)}`` of the files."""
        binary = {column.field: column for column in columns if column.type == "binary"}
        if not binary:
            return {}
        # Bills are made by their model, not taken from where one of them may be stored.
        has_documents = hasattr(records, "_privacy_documents")
        attachments = self._get_field_attachments(records, list(binary))
        files = {}
        for record in records:
            for name, column in binary.items():
                is_document = column.category == "document"
                if is_document and has_documents:
                    continue
                attachment = attachments.get((record.id, name))
                if attachment or (not records._fields[name].attachment and record[name]):
                    kind = mimetypes.guess_extension(attachment.mimetype or "") or ".bin"
                    folder = "documents" if is_document else "files"
                    path = f"{folder}/{records._name}/{record.id}-{column.name}{kind}"
                    files[record.id, name] = path, attachment
        return files

    def _get_field_attachments(self, records, names):
        # sudo: the files of fields are closed to all but the record's own methods.
        found = (
            self.env["ir.attachment"]
            .sudo()
            .with_context(skip_res_field_check=True, active_test=False)
            .search(
                [
                    ("res_model", "=", records._name),
                    ("res_field", "in", names),
                    ("res_id", "in", records.ids),
                ]
            )
        )
        return {(file.res_id, file.res_field): file for file in found}

    @api.model
    def _iter_files(self, subject, model, domain, columns):
        """Yield ``(path, content)`` of the files that the rows of a table name."""
        for records in self._iter_batches(model, domain):
            for (record_id, name), (path, attachment) in self._get_files(records, columns).items():
                if attachment:
                    yield path, attachment.raw
                else:
                    yield path, base64.b64decode(records.browse(record_id)[name])
