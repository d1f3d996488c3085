import json

from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL

from .. import catalogue
from ..datamap import DataMap
from ..stock_map import MODULES


class PrivacyMapEntry(models.Model):
    """A field of the data map, or one that needs no mapping, with the reason.

    Nothing is stored: the rows are made of the declarations beside the fields, whenever they are
    read, so they are always those of the code that runs. The id is that of the field.
    """

    _name = "privacy.map.entry"
    _description = "Field of the data map"
    _auto = False
    _order = "model_name, field_name"
    _rec_name = "field_name"
    _depends = {"privacy.purpose": ["code"], "ir.model.fields": ["model", "name"]}

    field_id = fields.Many2one("ir.model.fields", readonly=True)
    model_id = fields.Many2one("ir.model", readonly=True)
    model_name = fields.Char("Model name", readonly=True)
    field_name = fields.Char("Field name", readonly=True)
    status = fields.Selection(catalogue.STATUSES, readonly=True)
    subject = fields.Char(
        "Whose data",
        readonly=True,
        help="How the partner is found from the record. Empty where nothing leads to one.",
    )
    category = fields.Selection(catalogue.CATEGORIES, readonly=True)
    purpose_id = fields.Many2one("privacy.purpose", readonly=True)
    lawful_basis = fields.Selection(catalogue.LAWFUL_BASES, readonly=True)
    retention = fields.Selection(catalogue.RETENTION_CLASSES, "Kept as", readonly=True)
    erasure = fields.Selection(catalogue.ERASURE_ACTIONS, "At erasure", readonly=True)
    export_name = fields.Char("Name in exports", readonly=True, help="Empty: not exported.")
    reason = fields.Char(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT f.id, f.id AS field_id, f.model_id, m.model AS model_name,
                m.field AS field_name, m.status, m.subject, m.category, p.id AS purpose_id,
                m.basis AS lawful_basis, m.retention, m.erasure, m.export AS export_name, m.reason
            FROM jsonb_to_recordset(%s::jsonb) AS m(
                model varchar, field varchar, status varchar, subject varchar, category varchar,
                purpose varchar, basis varchar, retention varchar, erasure varchar,
                export varchar, reason varchar)
            JOIN ir_model_fields f ON f.model = m.model AND f.name = m.field
            LEFT JOIN privacy_purpose p ON p.code = m.purpose
            """,
            self._get_rows(),
        )

    # === THE MAP === #

    @api.model
    @tools.ormcache(cache="stable")
    def _get_map(self):
        """Return the :class:`DataMap` of this database."""
        # sudo: the map is the same for everybody, whoever asks first.
        Purpose = self.env["privacy.purpose"].sudo().with_context(active_test=False)
        return DataMap(
            self.env.registry,
            dict(Purpose._read_group([], ["code", "lawful_basis"])),
            MODULES,
            self.env.registry._init_modules,
        )

    @api.model
    def _get_tables(self):
        """Return the names of the tables of models in this database."""
        rows = self.env.execute_query(
            SQL(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema"
            )
        )
        return {name for (name,) in rows}

    @api.model
    @tools.ormcache(cache="stable")
    def _get_rows(self):
        """Return the rows as JSON."""
        rows = [
            {name: value or None for name, value in vars(entry).items()}
            | {"subject": ", ".join(entry.subject) or None}
            for entry in self._get_map().coverage(self._get_tables())
        ]
        return json.dumps(rows)

    # === RECORDS OF A PERSON === #

    @api.model
    def _get_records(self, partners, model_name):
        """Return the records of a model that hold data of these people.

        :param partners: the person with the addresses below it, as the caller sees fit
        """
        model = self._get_whole_model(model_name)
        return model.search(self._get_domain(partners, model_name))

    def _get_whole_model(self, model_name):
        # sudo: whose data it is does not depend on what the officer at work may see otherwise.
        model = self.env[model_name].sudo()
        return model.with_context(active_test=False, skip_res_field_check=True)

    def _get_domain(self, partners, model_name):
        paths = self._get_map().models[model_name].subject
        return Domain.OR(self._get_path_domain(partners, model_name, path) for path in paths)

    def _get_path_domain(self, partners, model_name, path):
        if "/" in path:
            return self._get_document_domain(partners, *path.split("/"))
        if "=" in path:
            own, theirs = path.split("=")
            values = [value for value in partners.sudo().mapped(theirs) if value]
            return Domain(own, "in", values)
        if path.endswith(".*"):
            path = path.removesuffix(".*")
            comodel = self.env[model_name]._fields[path].comodel_name
            return Domain(path, "any!", self._get_query(partners, comodel))
        return Domain(path, "in", partners.ids)

    def _get_query(self, partners, model_name):
        return self._get_whole_model(model_name)._search(self._get_domain(partners, model_name))

    def _get_document_domain(self, partners, model_field, id_field):
        """Return the domain of what belongs to documents of these people."""
        return Domain.OR(
            Domain(model_field, "=", name) & Domain(id_field, "any!", query)
            for name, query in self._get_document_queries(partners).items()
        )

    def _get_document_queries(self, partners):
        """Return ``{model: query}`` of the documents of these people.

        There is one for each model that has any, and they are asked for again and again while a
        package is made or a person erased; so they are kept with the transaction's cursor. They are
        queries, not records: documents that come later are found as well.
        """
        datamap = self._get_map()
        documents = datamap.documents
        values = {
            path: tuple(partners.sudo().mapped(path.split("=")[1]))
            for paths in documents.values()
            for path in paths
            if "=" in path
        }
        known = self.env.cr.cache.setdefault("privacy_document_queries", {})
        key = (datamap, partners._ids, tuple(values.items()))
        if key not in known:
            known[key] = {name: self._get_query(partners, name) for name in documents}
        return known[key]
