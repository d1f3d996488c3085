"""Carries out what the data map says of each field, on the records of a person.

It writes SQL: the guards of models, which keep history and sent bills as they are, are right for
everybody but the law that demands the erasure; and no stored field may be computed anew from an
emptied one, for the label of a bill's line is part of its seal. Triggers of the database still run,
so RADIUS hears of it.

A record can be several people's: a conversation, a service at somebody else's address. Of such a
record only the links to the person go here; their words and numbers in it are replaced by the
search for identifiers (:meth:`Eraser.redact`).
"""

import json
import re

import psycopg2

from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from . import sweep

ERASED = "(erased)"
ID_SETS = {"res.partner": "partner_ids", "res.users": "user_ids"}


class Eraser:
    """Erases the data of one person.

    :param partners: the person with the addresses below
    :param pseudonym: what stands for the person from now on
    """

    def __init__(self, env, partners, pseudonym):
        # sudo: whose data it is does not depend on what the officer at work may see otherwise.
        self.env = env(su=True, context={"active_test": False, "tracking_disable": True})
        self.entries = self.env["privacy.map.entry"]
        self.datamap = self.entries._get_map()
        self.subjects = self.datamap.subject_models()
        self.partners = partners.with_env(self.env)
        self.users = self.partners.user_ids
        self.partner_ids, self.user_ids = self.partners.ids, self.users.ids
        self.pseudonym = pseudonym
        self.name = f"Subscriber {pseudonym}"
        self._columns, self._unique, self._coverage = {}, {}, None

    # === WHAT IS ERASED, AND IN WHICH ORDER === #

    def list_models(self):
        """Return the models that hold data of people, in the order in which they are erased.

        What belongs to a document goes before it, and the partner comes last: its addresses lead
        to records that are known by them alone.
        """
        names = [name for name in self.subjects if self.has_work(name)]
        return sorted(names, key=lambda name: (self._rank(name), name))

    def _rank(self, name):
        if name in ("res.users", "res.partner"):
            return 1000 + len(name)
        if name == "ir.attachment":
            return -1000
        ranks = {".*": 300, "/": 200, ".": 10}
        return -max(
            sum(path.count(mark) * rank for mark, rank in ranks.items())
            for path in self.datamap.models[name].subject
        )

    def has_work(self, name):
        """Tell if something of a model is erased at all, and stored."""
        if not self.env[name]._auto:
            return self.deletes(name) and hasattr(self.env[name], "_privacy_delete")
        return any(entry.erasure != "keep" for entry in self._mapped(name))

    def deletes(self, name):
        """Tell if whole records of a model are deleted."""
        return self.datamap.models[name].deletes

    def _mapped(self, name):
        return [entry for entry in self.datamap.entries(name) if entry.status == "mapped"]

    def retention_of(self, name):
        """Return the retention class of the records that are deleted as a whole."""
        return next((entry.retention for entry in self._mapped(name)), "")

    # === ONE MODEL === #

    def search(self, name, after, limit):
        """Return the next records of a model that hold data of the person."""
        domain = self.entries._get_domain(self.partners, name) & Domain("id", ">", after)
        return self.entries._get_whole_model(name).search(domain, limit=limit, order="id")

    def erase(self, records):
        """Erase one batch of records, as the map says.

        :return: those that have to wait, because somebody else has to be told of them first
        """
        self.env.flush_all()
        waiting = records.browse()
        if hasattr(records, "_privacy_waiting"):
            waiting = records._privacy_waiting()
        records -= waiting
        own = records - self.shared(records) if self._needs_own(records._name) else records
        if self.deletes(records._name):
            self._delete(own)
        else:
            self._write(records, own)
        # Files in the rooms where people talk are the writer's.
        if records._name == "mail.message" and own:
            self._delete(self._files_of(own))
        self.env.invalidate_all()
        return waiting

    def _needs_own(self, name):
        """Tell if it matters whose the records are: links to people are cut in all of them."""
        fields = self.env[name]._fields
        return self.deletes(name) or any(
            entry.erasure != "keep" and fields[entry.field].comodel_name not in ID_SETS
            for entry in self._mapped(name)
        )

    def _files_of(self, messages):
        """Return the files that hang on these messages and on no others."""
        files = messages.attachment_ids
        others = self.env["mail.message"].search(
            [("attachment_ids", "in", files.ids), ("id", "not in", messages.ids)]
        )
        return files - others.attachment_ids

    def _write(self, records, own):
        for entry in self._mapped(records._name):
            if entry.erasure == "keep":
                continue
            field = records._fields[entry.field]
            if field.type == "many2many":
                self._unlink_relations(field, records, own)
            elif field.type == "many2one" and field.comodel_name in ID_SETS:
                self._detach(field, records)
            else:
                for column in self.columns_of(records, field):
                    self._update(own, column, entry.erasure, field.type)

    def columns_of(self, model, field):
        """Return the columns in which a field is stored: two of an encrypted one, none of a file."""
        names = [getattr(field, "enc_field", None), getattr(field, "bidx_field", None)]
        existing = self._get_columns(model._table)
        return [name for name in (field.name, *names) if name in existing]

    def _get_columns(self, table):
        """Return ``{column: type}`` of a table; all are read at once."""
        if not self._columns:
            rows = self.env.execute_query(
                SQL(
                    "SELECT c.relname, a.attname, t.typname FROM pg_attribute a"
                    " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid"
                    " WHERE c.relnamespace = current_schema::regnamespace"
                    " AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped"
                )
            )
            for name, column, kind in rows:
                self._columns.setdefault(name, {})[column] = kind
        return self._columns.get(table, {})

    def _update(self, records, column, action, field_type):
        if not records:
            return
        table = records._table
        value = self._value(table, column, action, field_type)
        self.env.execute_query(
            SQL(
                "UPDATE %(table)s SET %(column)s = %(value)s"
                " WHERE id = ANY(%(ids)s) AND %(column)s IS NOT NULL",
                table=SQL.identifier(table),
                column=SQL.identifier(column),
                value=value,
                ids=records.ids,
            )
        )

    def _value(self, table, column, action, field_type):
        """Return the SQL of what stands in a column from now on."""
        kind = self._get_columns(table)[column]
        if action in ("null", "detach"):
            return SQL("NULL")
        text = self.name if action == "pseudonymise" else ERASED
        value = SQL("%s", f"<p>{text}</p>" if field_type == "html" else text)
        if self._is_unique(table, column):
            value = SQL("%s || '-' || id", value)
        if kind == "jsonb":  # translated
            return SQL("jsonb_build_object('en_US', %s)", value)
        return value

    def _is_unique(self, table, column):
        if table not in self._unique:
            rows = self.env.execute_query(
                SQL(
                    "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
                    " WHERE indrelid = to_regclass(%s) AND indisunique AND NOT indisprimary",
                    table,
                )
            )
            self._unique[table] = " ".join(definition for (definition,) in rows)
        return bool(re.search(rf"\b{re.escape(column)}\b", self._unique[table]))

    def _detach(self, field, records):
        ids = getattr(self, ID_SETS[field.comodel_name])
        self.env.execute_query(
            SQL(
                "UPDATE %(table)s SET %(column)s = NULL"
                " WHERE id = ANY(%(ids)s) AND %(column)s = ANY(%(people)s)",
                table=SQL.identifier(records._table),
                column=SQL.identifier(field.name),
                ids=records.ids,
                people=ids,
            )
        )

    def _unlink_relations(self, field, records, own):
        """Remove links: to the person from all records, to anything else from the own ones."""
        people = ID_SETS.get(field.comodel_name)
        condition = SQL(
            "%s = ANY(%s)", SQL.identifier(field.column1), (records if people else own).ids
        )
        if people:
            condition = SQL(
                "%s AND %s = ANY(%s)",
                condition,
                SQL.identifier(field.column2),
                getattr(self, people),
            )
        self.env.execute_query(
            SQL("DELETE FROM %s WHERE %s", SQL.identifier(field.relation), condition)
        )

    def _delete(self, records):
        if not records:
            return
        if not records._auto:
            records._privacy_delete()
            return
        if records._name == "ir.attachment":
            for name in set(records.filtered("store_fname").mapped("store_fname")):
                records._mark_for_gc(name)
        # Files beside the attachments go when the transaction is through, whoever deletes the rows.
        if hasattr(records, "_privacy_delete_files"):
            records._privacy_delete_files()
        try:
            with self.env.cr.savepoint():
                self.env.execute_query(
                    SQL(
                        "DELETE FROM %s WHERE id = ANY(%s)",
                        SQL.identifier(records._table),
                        records.ids,
                    )
                )
        except psycopg2.errors.ForeignKeyViolation as error:
            raise UserError(
                self.env._(
                    "Records of %(model)s cannot be deleted, because %(other)s still needs them.",
                    model=records._description,
                    other=error.diag.table_name,
                )
            ) from error

    # === WHOSE IT IS === #

    def shared(self, records):
        """Return those of the records that are other people's as well."""
        paths = self.datamap.models[records._name].subject
        if len(paths) == 1 and (paths[0] == "id" or self._is_single(records, paths[0])):
            return records.browse()
        return records.filtered(self._is_shared)

    def _is_single(self, records, path):
        """Tell if a path leads to one person only."""
        return not re.search(r"[/=]|\.\*$", path) and (
            records._fields[path.split(".")[0]].type == "many2one"
        )

    def _is_shared(self, record):
        paths = self.datamap.models[record._name].subject
        # What somebody wrote is theirs, wherever it stands.
        if "author_id" in paths and record.author_id <= self.partners and record.author_id:
            return False
        return bool(self._others(record))

    def _others(self, record):
        """Return the customers behind a record who are not the person."""
        found, by_value = self.env["res.partner"], self.env["res.partner"]
        for path in self.datamap.models[record._name].subject:
            if "=" in path:
                own, theirs = path.split("=")
                if record[own]:
                    by_value |= by_value.search([(theirs, "=", record[own])])
            elif "/" in path:
                model, res_id = (record[name] for name in path.split("/"))
                found |= self._others_of_document(model, res_id)
            elif path.endswith(".*"):
                for linked in record[path.removesuffix(".*")]:
                    found |= self._others(linked) if self._is_shared(linked) else found.browse()
            else:
                found |= record if path == "id" else record.mapped(path)
        # An address that a family shares makes nobody else's what names the person.
        if not found & self.partners:
            found |= by_value
        return self._without_staff(found - self.partners)

    def _others_of_document(self, model, res_id):
        partners = self.env["res.partner"]
        if model not in self.subjects or not res_id:
            return partners
        paths = self.datamap.models[model].subject
        if any(re.search(r"/|\.\*$", path) for path in paths):
            return partners
        document = self.entries._get_whole_model(model).browse(res_id).exists()
        return self._others(document) if document else partners

    def _without_staff(self, partners):
        """Leave out who works for the operator, and the operator itself."""
        staff = partners.filtered(
            lambda partner: (
                any(not user.share or user._is_public() for user in partner.user_ids)
                or partner.ref_company_ids
            )
        )
        return partners - staff

    # === WORDS AND NUMBERS IN OTHER RECORDS === #

    def redact(self, patterns, kept_models=()):
        """Replace the identifiers of the person wherever the map knows of personal data.

        Rows that lead to nobody, such as those of a log, are deleted if their map says so. Tables
        beside the ORM are treated as the model that answers for them.

        :param kept_models: those of which records of the person are kept for a while
        :return: number of rows that were changed
        """
        self.env.flush_all()
        changed = 0
        tables = {(table.schema, table.name): table for table in sweep.list_tables(self.env.cr)}
        schema = self.env.execute_query(SQL("SELECT current_schema"))[0][0]
        for name, model_map in self.datamap.models.items():
            if model_map.cls._abstract or name in kept_models:
                continue
            if table := tables.get((schema, model_map.cls._table)):
                changed += self._redact_model(patterns, name, table)
            for other in model_map.tables if model_map.deletes else ():
                # One beside the schema's own is named with its schema, "table.column" is not one.
                if table := tables.get(tuple(other.split(".", 1))):
                    changed += self._delete_matching(patterns, table)
        self.env.invalidate_all()
        return changed

    def _redact_model(self, patterns, name, table):
        columns = self._redactable(name)
        rows = list(sweep.matching_rows(self.env.cr, patterns, table, columns))
        if rows and self.deletes(name) and not self.datamap.models[name].subject:
            self._delete(self.env[name].browse(row_id for row_id, _values in rows))
            return len(rows)
        for row_id, values in rows:
            for column, text in values.items():
                self._write_redacted(patterns, table, row_id, column, text)
        return len(rows)

    def _redactable(self, name):
        """Return the columns of a model that hold personal data, or a copy of it."""
        model = self.env[name]
        if not model._auto:
            return set()
        columns = set()
        kept = {entry.field for entry in self._mapped(name) if entry.erasure == "keep"}
        for entry in self._get_coverage().get(name, ()):
            if entry.status in ("mapped", "rule") and entry.field not in kept:
                columns |= set(self.columns_of(model, model._fields[entry.field]))
        return columns

    def _get_coverage(self):
        """Return what is known of the fields of each model."""
        if self._coverage is None:
            self._coverage = {}
            for entry in self.datamap.coverage(self.entries._get_tables()):
                self._coverage.setdefault(entry.model, []).append(entry)
        return self._coverage

    def _write_redacted(self, patterns, table, row_id, column, text):
        value = patterns.redact(text, f"erased-{self.pseudonym}")
        kind = self._get_columns(table.name)[column]
        if kind in ("json", "jsonb") and not _is_json(value):
            value = None
        identifier = SQL.identifier(column)
        if value is not None and self._is_unique(table.name, column):
            value = f"{value}-{row_id}"
        if kind in ("json", "jsonb"):
            value = SQL("%s::jsonb", value)
        elif kind not in ("text", "varchar", "bpchar"):
            value = SQL("NULL")  # an address of the network, or a list
        self.env.execute_query(
            SQL("UPDATE %s SET %s = %s WHERE id = %s", table.sql, identifier, value, row_id)
        )

    def _delete_matching(self, patterns, table):
        locate = SQL("tableoid::text || ' ' || ctid::text")
        places = [
            place for place, _ in sweep.matching_rows(self.env.cr, patterns, table, locate=locate)
        ]
        if places:
            self.env.execute_query(
                SQL("DELETE FROM %s WHERE %s = ANY(%s)", table.sql, locate, places)
            )
        return len(places)


def _is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
