import base64
import io
import json
import tempfile
from contextlib import contextmanager, nullcontext

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from odoo.addons.isp_base import crypto, safe_csv
from odoo.addons.isp_base.encryption import get_keyring

from ..const import USERNAME_PATTERN
from ..engine.identity import find_duplicates
from ..engine.problems import Problem
from ..engine.seen import SeenKeys
from ..engine.subscriber_file import Row, SubscriberFile
from ..engine.subscriber_row import RowParser
from .isp_import_reasons import explain

BATCH_SIZE = 500
SEAL_BYTES = 1 << 20
SPOOL_BYTES = 8 << 20


class IspImport(models.Model):
    """The files of an import: what was uploaded, its rows in batches, and the rejected ones.

    A file may hold passwords, so nothing of it is stored in clear: both files are lines of
    AES-256-GCM tokens, each bound to its place.
    """

    _inherit = "isp.import"

    # === THE UPLOADED FILE === #

    def _seal_file(self):
        """Store what was uploaded, encrypted."""
        self.ensure_one()
        content = io.BytesIO(base64.b64decode(self.file))
        chunks = iter(lambda: content.read(SEAL_BYTES), b"")
        self._store_sealed("sealed_file", (chunk.decode("latin-1") for chunk in chunks))

    @contextmanager
    def _open_file(self):
        """The uploaded file in clear, in a temporary file that no other process can open."""
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as clear:
            offset = 0
            while chunk := self._read_sealed("sealed_file", offset):
                text, offset = chunk
                clear.write(text.encode("latin-1"))
            clear.seek(0)
            yield clear

    def _read_columns(self):
        """Check that the file is a table, and find or propose the mapping of its columns."""
        self.ensure_one()
        with self._open_file() as source, self._words():
            table = SubscriberFile(source)
            first = next(table.rows(), None)
            if first is None:
                raise Problem("file_empty")
        mapping = self.env["isp.import.mapping"]._find_or_create(
            self.company_id, table.columns, self.file_name
        )
        samples = dict(zip(table.columns, (cell[:60] for cell in first.values), strict=False))
        sealed = get_keyring(self.env).encrypt(
            json.dumps(samples, ensure_ascii=False), self._sealed_aad("sealed_samples", 0)
        )
        # sudo: these columns belong to the mechanism, not to the user.
        self.sudo().write({"has_file": True, "columns": table.columns, "sealed_samples": sealed})
        self.mapping_id = mapping

    def _get_samples(self):
        """``{heading: cell of the first row}``."""
        # sudo: see _read_columns.
        sealed = self.sudo().sealed_samples
        if not sealed:
            return {}
        return json.loads(
            get_keyring(self.env).decrypt(sealed, self._sealed_aad("sealed_samples", 0))
        )

    def _delete_source(self):
        """Delete what was uploaded and the rows read from it."""
        self.ensure_one()
        self._sealed_attachment("sealed_file").unlink()
        self._sealed_attachment("sealed_rows").unlink()
        # sudo: these columns belong to the mechanism, not to the user.
        self.sudo().write({"has_file": False, "sealed_samples": False, "next_offset": 0})

    @contextmanager
    def _words(self):
        """Turn the engine's problems into messages for people."""
        try:
            yield
        except Problem as problem:
            raise UserError(explain(self.env, problem)) from None

    # === SEALED FILES === #

    def _sealed_attachment(self, field_name):
        # sudo: the attachments of these fields are closed to everybody.
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_field", "=", field_name),
                    ("res_id", "=", self.id),
                ]
            )
        )

    def _sealed_aad(self, field_name, offset):
        return crypto.record_aad(self._name, f"{field_name}@{offset}", self.id)

    def _store_sealed(self, field_name, texts):
        """Encrypt ``texts``, one token a line, and store them."""
        keyring = get_keyring(self.env)
        sealed = io.BytesIO()
        for text in texts:
            token = keyring.encrypt(text, self._sealed_aad(field_name, sealed.tell()))
            sealed.write(token.encode() + b"\n")
        self._sealed_attachment(field_name).unlink()
        # sudo: see _sealed_attachment.
        self.env["ir.attachment"].sudo().create(
            {
                "name": field_name,
                "res_model": self._name,
                "res_field": field_name,
                "res_id": self.id,
                "raw": sealed.getvalue(),
                "mimetype": "application/octet-stream",
            }
        )
        self.invalidate_recordset([field_name], flush=False)

    def _read_sealed(self, field_name, offset):
        """``(text, next offset)`` of the token at ``offset``, ``None`` after the last one."""
        attachment = self._sealed_attachment(field_name)
        if not attachment:
            raise UserError(self.env._("The file is no longer there. Upload it again."))
        with self._open_attachment(attachment) as sealed:
            sealed.seek(offset)
            token = sealed.readline()
            if not token:
                return None
            try:
                text = get_keyring(self.env).decrypt(
                    token.decode().rstrip("\n"), self._sealed_aad(field_name, offset)
                )
            except crypto.DecryptError as error:
                raise UserError(
                    self.env._("The stored file cannot be read: %s. Upload it again.", error)
                ) from None
            return text, sealed.tell()

    @api.model
    def _open_attachment(self, attachment):
        """The content as a binary file, from disk where it is on disk."""
        if attachment.store_fname:
            return open(attachment._full_path(attachment.store_fname), "rb")
        return nullcontext(io.BytesIO(attachment.raw))

    # === ROWS === #

    def _get_parser(self, columns):
        return RowParser(
            columns,
            self.mapping_id._get_rules(),
            self.country_id.code or self.company_id.country_id.code,
            USERNAME_PATTERN,
            has_default_plan=bool(self.default_plan_id),
        )

    def _iterate_rows(self, table):
        """Parsed rows of ``table``, told which of them repeat an earlier one."""
        parser = self._get_parser(table.columns)
        seen = SeenKeys()
        try:
            for row in table.rows():
                parsed = parser.parse(row)
                find_duplicates(parsed, seen)
                yield parsed
        finally:
            seen.close()

    def _prepare_rows(self):
        """Store the rows of the uploaded file in batches, so that a job need not read all of it."""
        self.ensure_one()
        with self._open_file() as source, self._words():
            table = SubscriberFile(source)
            total = 0

            def pack():
                nonlocal total
                for batch in split_every(BATCH_SIZE, self._iterate_rows(table)):
                    total += len(batch)
                    yield json.dumps([_pack(parsed) for parsed in batch], ensure_ascii=False)

            self._store_sealed("sealed_rows", pack())
        # sudo: these columns belong to the mechanism, not to the user.
        self.sudo().write({"columns": table.columns, "total_count": total})

    def _read_batch(self):
        """``(parsed rows, next offset)`` of the batch that is next, ``None`` after the last one."""
        # sudo: see _prepare_rows.
        batch = self._read_sealed("sealed_rows", self.sudo().next_offset)
        if not batch:
            return None
        text, next_offset = batch
        with self._words():
            parser = self._get_parser(self.columns)
        return [_unpack(parser, packed) for packed in json.loads(text)], next_offset

    # === REJECTED ROWS === #

    def _get_shown_cells(self, cells):
        """``cells`` without the password, which is not stored in clear."""
        secret = {
            (line.source or "").casefold()
            for line in self.mapping_id.line_ids
            if line.target == "password"
        }
        names = [name.casefold() for name in self.columns]
        return [
            "" if position < len(names) and names[position] in secret else cell
            for position, cell in enumerate(cells)
        ]

    def _write_rejected_file(self):
        """Write the rejected rows as a file that can be corrected and imported again."""
        self.ensure_one()
        if not self.rejected_count:
            return
        with tempfile.TemporaryFile("w+", encoding="utf-8-sig", newline="") as file:
            self._dump_rejected(file)
            file.flush()
            file.buffer.seek(0)
            content = file.buffer.read()
        self.rejected_file_name = f"{(self.file_name or self.name).rsplit('.', 1)[0]}-rejected.csv"
        # sudo: the attachment belongs to the record, whoever may write it.
        attachments = self.env["ir.attachment"].sudo()
        attachments.create(
            {
                "name": self.rejected_file_name,
                "res_model": self._name,
                "res_field": "rejected_file",
                "res_id": self.id,
                "raw": content,
                "mimetype": "text/csv",
            }
        )
        self.invalidate_recordset(["rejected_file"], flush=False)

    def _dump_rejected(self, file):
        """Write the rejected rows to a text file: the columns they had, line and reason."""
        width = len(self.columns)
        write = safe_csv.writer(file)
        write([*self.columns, self.env._("Line"), self.env._("Reason")])
        # sudo: the cells are readable through this file only.
        rows = self.env["isp.import.row"].sudo()
        last = 0
        while batch := rows.search(
            [("import_id", "=", self.id), ("kind", "=", "rejected"), ("id", ">", last)],
            order="id", limit=1000,
        ):  # fmt: skip
            last = batch[-1].id
            for row in batch:
                write([*(row.cells or [""] * width)[:width], row.number, row.details])
            batch.invalidate_recordset()


def _pack(parsed):
    """A row as JSON: what is in the file, and what only a look at all of it can tell."""
    found = next((p for p in parsed.problems if p.code in ("duplicate", "no_identity")), None)
    problem = [found.code, found.params] if found else None
    return [parsed.number, parsed.cells, parsed.is_customer_repeated, problem]


def _unpack(parser, packed):
    number, cells, is_customer_repeated, problem = packed
    parsed = parser.parse(Row(number, cells))
    parsed.is_customer_repeated = is_customer_repeated
    if problem:
        parsed.problems.append(Problem(problem[0], **problem[1]))
    return parsed
