import io
import json
import re
import zipfile
from datetime import datetime, timedelta

import pytz
from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.fields import Command, Domain

from odoo.addons.isp_base import safe_csv

from ..engine.export_values import csv_cell

# A table with more rows is divided by month, one with more rows a month by day.
LONG_ROWS = 5000
LONG_MONTH_ROWS = 200_000
DOCUMENT_BATCH = 20
_UNSAFE = re.compile(r"[^\w.-]+")


class PrivacyExport(models.Model):
    """Which parts a package has, and how each is made."""

    _inherit = "privacy.export"

    def _get_subject(self):
        """Return whose data the package holds, as its reader wants it."""
        self.ensure_one()
        reader = self.env["privacy.export.reader"]
        return reader._new_subject(
            self.request_id.partner_id,
            self.export_type == "portability",
            self.company_id._get_privacy_zone(),
        )

    # === PLAN === #

    def _plan(self):
        """Write down which parts the package has."""
        self.ensure_one()
        subject = self._get_subject()
        parts = []
        for model_name, columns in self._get_reader()._get_models(subject.portable).items():
            parts += self._plan_model(subject, model_name, columns)
        self.write(
            {
                "is_planned": True,
                "part_ids": [Command.clear()]
                + [
                    Command.create({"sequence": number, **part})
                    for number, part in enumerate(parts)
                ],
            }
        )

    def _plan_model(self, subject, model_name, columns):
        model, domain = self._get_reader()._get_source(subject, model_name)
        count = model.search_count(domain)
        if not count:
            return []
        part = {"model_name": model_name}
        date_field = self._get_date_field(model, columns)
        if count > LONG_ROWS and date_field:
            parts = [
                {**part, "kind": "usage", "date_field": date_field, **span}
                for span in self._get_spans(subject, model, domain, date_field)
            ]
        else:
            parts = [
                {**part, "kind": kind, "path": f"data/{model_name}.{kind}"}
                for kind in ("json", "csv")
            ]
        if any(column.type == "binary" for column in columns):
            parts.append({**part, "kind": "files", "path": f"files/{model_name}"})
        if hasattr(model, "_privacy_documents") and not subject.portable:
            parts.append({**part, "kind": "documents", "path": f"documents/{model_name}"})
        return parts

    def _get_date_field(self, model, columns):
        """By which date a long table is divided: the first one that the map names."""
        for column in columns:
            if column.type in ("date", "datetime") and model._fields[column.field].store:
                return column.field
        return None

    def _get_spans(self, subject, model, domain, date_field):
        """Return the spans of time of a long table, with the file of each.

        Months are those of the company's zone, in which the times are written.
        """
        spans = []
        for start, count in self._count_by(model, domain, date_field, "month"):
            path = f"usage/{model._name}-{start:%Y-%m}.csv" if start else None
            if not start:
                spans.append({"path": f"usage/{model._name}-undated.csv"})
                continue
            end = start + relativedelta(months=1)
            within = self._get_span_domain(subject, model, date_field, start, end)
            days = [(start, end)]
            if count > LONG_MONTH_ROWS:
                counted = self._count_by(model, domain & within, date_field, "day")
                days = [(day, day + timedelta(days=1)) for day, _count in counted]
            spans += [
                {"path": path, "date_from": day_start, "date_to": day_end}
                for day_start, day_end in days
            ]
        return spans

    def _count_by(self, model, domain, date_field, step):
        found = model._read_group(domain, [f"{date_field}:{step}"], ["__count"])
        counts = [(_as_datetime(start), count) for start, count in found]
        return sorted(counts, key=lambda row: row[0] or datetime.max)

    def _get_span_domain(self, subject, model, date_field, start, end):
        """Domain of the records of ``[start, end)``; of those without a date when there are none.

        :param start: naive, in the zone of the subject
        """
        if not start:
            return Domain(date_field, "=", False)
        if model._fields[date_field].type == "date":
            start, end = start.date(), end.date()
        else:
            start, end = _to_utc(subject, start), _to_utc(subject, end)
        return Domain(date_field, ">=", start) & Domain(date_field, "<", end)

    # === PARTS === #

    def _make_part(self, part):
        """Make one part: a sealed file, whole or not at all."""
        subject = self._get_subject()
        columns = self._get_reader()._get_columns(part.model_name, subject.portable)
        model, domain = self._get_reader()._get_source(subject, part.model_name)
        order = "id"
        if part.date_field:
            domain &= self._get_span_domain(
                subject, model, part.date_field, part.date_from, part.date_to
            )
            order = f"{part.date_field}, id"
        rows = self._get_reader()._iter_rows(
            subject, model, domain, columns, order, is_long=part.kind == "usage"
        )
        make = {
            "json": lambda archive: self._write_json(archive, part, rows),
            "csv": lambda archive: self._write_csv(archive, part, rows, columns),
            "usage": lambda archive: self._write_csv(archive, part, rows, columns),
            "files": lambda archive: self._write_files(
                archive, self._get_reader()._iter_files(subject, model, domain, columns)
            ),
            "documents": lambda archive: self._write_files(
                archive, self._iter_documents(model, domain)
            ),
        }[part.kind]
        with (
            self._write_file(part.store_name) as sealed,
            zipfile.ZipFile(sealed, "w", zipfile.ZIP_STORED) as archive,
        ):
            count = make(archive)
        part.write({"state": "done", "row_count": count})

    def _write_json(self, archive, part, rows):
        count = 0
        with self._open_text(archive, part.path) as stream:
            stream.write("[")
            for row in rows:
                stream.write(",\n" if count else "\n")
                stream.write(json.dumps(row, ensure_ascii=False))
                count += 1
            stream.write("\n]\n")
        return count

    def _write_csv(self, archive, part, rows, columns):
        """Write rows; of a file in several parts only the first has the line of names."""
        count = 0
        siblings = self.part_ids.filtered(lambda other: other.path == part.path)
        with self._open_text(archive, part.path) as stream:
            write = safe_csv.writer(stream, lineterminator="\r\n")
            if part == siblings[:1]:
                write(["id", *(column.name for column in columns)])
            for row in rows:
                write([csv_cell(value) for value in row.values()])
                count += 1
        return count

    def _open_text(self, archive, path):
        stream = archive.open(path, "w", force_zip64=True)
        return io.TextIOWrapper(stream, "utf-8", newline="")

    def _write_files(self, archive, files):
        count, taken = 0, set()
        for path, content in files:
            stem, dot, ending = path.rpartition(".")
            number = 2
            while path in taken:
                path = f"{stem}-{number}{dot}{ending}"
                number += 1
            taken.add(path)
            archive.writestr(path, content)
            count += 1
        return count

    def _iter_documents(self, model, domain):
        """Yield ``(path, content)`` of the documents that a model makes of its records.

        Hook: a model defines ``_privacy_documents()``, which returns ``[(file name, content)]``.
        """
        for records in self._get_reader()._iter_batches(model, domain):
            for start in range(0, len(records), DOCUMENT_BATCH):
                batch = records[start : start + DOCUMENT_BATCH]
                for name, content in batch._privacy_documents():
                    yield f"documents/{_UNSAFE.sub('-', name).strip('-.') or 'document'}", content

    def _get_reader(self):
        return self.env["privacy.export.reader"]


def _as_datetime(value):
    """Return the beginning of a group of ``_read_group`` as a naive datetime, None without one."""
    if not value:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime(value.year, value.month, value.day)


def _to_utc(subject, moment):
    return subject.zone.localize(moment).astimezone(pytz.utc).replace(tzinfo=None)
