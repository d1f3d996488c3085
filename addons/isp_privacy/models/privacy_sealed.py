import contextlib
import logging
import os
import secrets
import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from odoo.addons.isp_base.encryption import encrypted_char

from ..engine.sealed_file import SealedFileError, SealedReader, SealedWriter

_logger = logging.getLogger(__name__)

# A file that no record names is left from a crash, or its transaction was rolled back.
ORPHAN_HOURS = 6
ORPHAN_BATCH = 1000


class PrivacySealed(models.AbstractModel):
    """Base of models whose records have sealed files in the filestore, beside the attachments.

    Each record has a key of its own, which only the keys of the installation open: when those are
    replaced, the key is encrypted again and the file stays as it is.
    """

    _name = "privacy.sealed"
    _description = "Sealed files"
    _inherit = ["isp.encrypted.mixin"]
    # Name of the folder, which no other model may have.
    _sealed_folder = None

    store_name = fields.Char(readonly=True, copy=False, default=lambda self: secrets.token_hex(16))
    file_key, file_key_enc, file_key_bidx, file_key_last4 = encrypted_char("file_key", "File key")

    @api.ondelete(at_uninstall=False)
    def _unlink_files(self):
        self._delete_files()

    # === FILES === #

    @api.model
    def _get_folder(self):
        """Folder of the files: beside the attachments, so that all servers see it."""
        folder = os.path.join(self.env["ir.attachment"]._filestore(), self._sealed_folder)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return folder

    @api.model
    def _get_path(self, store_name):
        return os.path.join(self._get_folder(), os.path.basename(store_name))

    def _open_file(self, store_name):
        """Return a reader of one of the sealed files.

        :raises UserError: when the file is gone, damaged, or its key is
        """
        try:
            path = self._get_path(store_name)
            return SealedReader(path, self._get_file_key(), self._get_purpose(store_name))
        except (OSError, SealedFileError) as error:
            _logger.error("File of %s(%s) cannot be read: %s", self._name, self.id, error)
            raise UserError(self._get_unreadable_words()) from error

    def _get_unreadable_words(self):
        """Return what is said of a file that cannot be read."""
        return self.env._("The file cannot be read: it is gone or damaged.")

    @contextlib.contextmanager
    def _write_file(self, store_name):
        """Write a sealed file: it is there whole, or not at all."""
        path = self._get_path(store_name)
        temporary = f"{path}.tmp"
        try:
            with open(temporary, "wb", opener=_open_private) as raw:
                writer = SealedWriter(raw, self._get_file_key(), self._get_purpose(store_name))
                yield writer
                writer.finish()
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def _get_file_key(self):
        # sudo: the key is closed to everybody; only this model opens its own files.
        return self.sudo().file_key

    @api.model
    def _get_purpose(self, store_name):
        """What a file is bound to: it opens under no other name."""
        return f"{self._name}|{store_name}"

    # === DELETION === #

    def _delete_files(self):
        """Delete the files of these records as soon as the transaction is through."""
        self._delete_later(self._get_store_names())

    def _privacy_delete_files(self):
        """Erasure asks for it before it deletes the rows."""
        self._delete_files()

    def _get_store_names(self):
        """Return the names of all files of these records."""
        return self.mapped("store_name")

    @api.model
    def _delete_later(self, store_names):
        """Delete files as soon as the transaction is through: were it rolled back, they are needed."""
        paths = [self._get_path(name) for name in store_names if name]
        self.env.cr.postcommit.add(lambda: _unlink(paths))

    @api.model
    def _delete_orphans(self):
        """Delete files which no record names: what a crash has left."""
        oldest = time.time() - ORPHAN_HOURS * 3600
        with os.scandir(self._get_folder()) as entries:
            old = [entry.name for entry in entries if entry.stat().st_mtime < oldest]
        for names in split_every(ORPHAN_BATCH, old, list):
            needed = self._find_needed({_store_name(name) for name in names})
            _unlink(self._get_path(name) for name in names if _store_name(name) not in needed)

    @api.model
    def _find_needed(self, store_names):
        """Return those of the names whose files records still need."""
        return set(self.search([("store_name", "in", list(store_names))]).mapped("store_name"))


def _store_name(file_name):
    return file_name.partition(".")[0]


def _open_private(path, flags):
    return os.open(path, flags, 0o600)


def _unlink(paths):
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
