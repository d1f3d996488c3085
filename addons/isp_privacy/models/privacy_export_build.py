import hmac
import logging
import os
import zipfile
from contextlib import closing

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from odoo.addons.isp_base.encryption import get_keyring

from ..engine.package import PackageError, PackageWriter, copy_chunks, open_package
from ..engine.secret_scan import SecretScanner

_logger = logging.getLogger(__name__)

# A part at which the process died so often is not tried again.
MAX_ATTEMPTS = 3
MEDIA_TYPES = {
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
}
_MAC_CONTEXT = "privacy.export"


class PrivacyExport(models.Model):
    """The job that makes the packages, one part in each transaction."""

    _inherit = "privacy.export"

    # === CRON === #

    @api.model
    def _cron_build(self):
        """Make what was asked for, go on where a crash has ended it, delete what is outdated."""
        cron = self.env["ir.cron"]
        self._delete_outdated()
        self._delete_orphans()
        waiting = self.search(
            [("state", "=", "building"), ("request_id.state", "=", "executing")], order="id"
        )
        cron._commit_progress(remaining=sum(export._count_steps() for export in waiting))
        for export in waiting:
            if not export._build(cron):
                return

    def _count_steps(self):
        return len(self.part_ids.filtered(lambda part: part.state == "todo")) + 1

    def _build(self, cron):
        """Go on with a package until it is ready.

        :return: False when the time of the job is up
        """
        while self._lock_for_build():
            # Written first: whoever finds it, after the process died, knows that it was tried.
            self.attempt_count += 1
            cron._commit_progress()
            if not self._lock_for_build():
                break
            self._take_step_or_explain()
            remaining = self._count_steps() if self.state == "building" else None
            if not cron._commit_progress(1, remaining=remaining):
                return False
        return True

    def _lock_for_build(self):
        """Lock the package; False when another process is at it, or there is nothing to do."""
        locked = self.try_lock_for_update(allow_referencing=True)
        self.invalidate_recordset()
        is_wanted = self.state == "building" and self.request_id.state == "executing"
        return bool(locked) and is_wanted

    def _take_step_or_explain(self):
        """Take the next step; what goes wrong is shown on the request and holds up no other."""
        try:
            with self.env.cr.savepoint():
                if self.attempt_count > MAX_ATTEMPTS:
                    raise UserError(
                        self.env._(
                            "Making the package was interrupted %(count)s times at “%(part)s”. "
                            "Look into the log of the server, then try again.",
                            count=MAX_ATTEMPTS,
                            part=self._get_next_part().path or self.name,
                        )
                    )
                self._take_step()
                self.attempt_count = 0
        except (psycopg2.OperationalError, LockError):
            raise  # somebody else is at it: the step is taken anew by the next run
        except UserError as error:
            self._fail(str(error))
        except OSError as error:
            _logger.exception("Data package %s cannot be written", self.name)
            self._fail(self.env._("The files cannot be written: %s", error.strerror or error))
        except Exception as error:  # border of a batch: logged, and shown on the request
            _logger.exception("Data package %s could not be made", self.name)
            self._fail(
                self.env._(
                    "An unexpected error (%s). Look into the log of the server, then try again.",
                    type(error).__name__,
                )
            )

    def _take_step(self):
        part = self._get_next_part()
        if not self.is_planned:
            self._plan()
        elif part:
            self._make_part(part)
        else:
            self._complete()

    def _get_next_part(self):
        return self.part_ids.filtered(lambda part: part.state == "todo")[:1]

    def _fail(self, message):
        self.problem = message
        self._discard("failed")
        self.request_id._fail(message)

    # === BUSINESS METHODS - THE PACKAGE === #

    def _complete(self):
        """Put the parts together, search the result for secrets, and tell the person."""
        self.digest = self._assemble()
        self._check_package()
        self._delete_parts()
        request = self.request_id
        now = fields.Datetime.now()
        profile = self.company_id._get_privacy_profile()
        self.write(
            {
                "state": "ready",
                "size_mb": os.path.getsize(self._get_path(self.store_name)) / 1e6,
                "date_ready": now,
                "expires_on": fields.Datetime.add(now, days=profile.export_days),
                "download_limit": profile.export_downloads,
            }
        )
        self.env["privacy.audit"]._log(
            "export", self, {"digest": self.digest}, subject=request.partner_id
        )
        request._finish(self._get_letter_words())
        self._warn_without_login()

    def _assemble(self):
        """Write the package from its parts; return the digest of its manifest."""
        with self._write_file(self.store_name) as sealed:
            package = PackageWriter(sealed, fields.Datetime.now())
            for part in self.part_ids:
                # A table of which nothing may be shown is left out; a month is not.
                if part.row_count or part.kind == "usage":
                    self._copy_part(package, part)
            for path, content in self._get_texts().items():
                package.add(path, [content.encode()], _media_type(path))
            return package.finish(self._get_head(), self._sign)

    def _copy_part(self, package, part):
        facts = {"model": part.model_name}
        if part.kind in ("json", "csv", "usage"):
            columns = self._get_reader()._get_columns(
                part.model_name, self.export_type == "portability"
            )
            facts["rows"] = part.row_count
            facts["schema"] = [column.describe() for column in columns]
        with closing(self._open_file(part.store_name)) as reader, zipfile.ZipFile(reader) as parts:
            for info in parts.infolist():
                with parts.open(info) as stream:
                    package.add(
                        info.filename, copy_chunks(stream), _media_type(info.filename), **facts
                    )

    def _get_head(self):
        """What the manifest says of the package."""
        partner = self.request_id.partner_id
        return {
            "request": self.request_id.name,
            "type": self.export_type,
            "subject": self.env["privacy.audit"]._pseudonym(partner),
            # Which of the rows of contacts is the person; the others are addresses below.
            "subject_row": partner.id,
            "controller": self.company_id.name,
            "time_zone": self.company_id._get_privacy_zone(),
        }

    def _check_package(self):
        """Read the finished package as its receiver would, and search it for secrets.

        :raises UserError: when there is one, or the package cannot be read
        """
        reader = self._get_reader()
        scanner = SecretScanner(
            reader._collect_secrets(self._get_subject()), get_keyring(self.env).is_leaked_in
        )

        def look(path, stream):
            if finding := scanner.scan(stream):
                raise UserError(
                    self.env._(
                        "The package was not handed out: %(path)s holds a secret (%(finding)s). "
                        "Have the field left out in the data map, or remove the text, then try "
                        "again.",
                        path=path,
                        finding=finding,
                    )
                )

        try:
            with closing(self._open_file(self.store_name)) as stream:
                open_package(stream, self._verify, look)
        except PackageError as error:
            raise UserError(
                self.env._("The finished package could not be read (%s). Try again.", error)
            ) from error

    def _delete_parts(self):
        self._delete_later(self.part_ids.mapped("store_name"))
        self.part_ids.write({"store_name": False})

    def _get_letter_words(self):
        """What the letter says: where to get the package, until when and how often."""
        request = self.request_id
        reader = request.with_context(lang=request._get_letter_lang())
        return reader.env._(
            "Your data is ready. Open this request on our customer page, confirm with your password "
            "that it is you, and fetch the package: until %(date)s, and %(count)s times at most. "
            "Then it is deleted.",
            date=reader._format_moment(self.expires_on),
            count=self.download_limit,
        )

    def _warn_without_login(self):
        """Ask the officers to help somebody who has no login to fetch the package with."""
        if not self.request_id.partner_id.user_ids:
            self.request_id._schedule_activities(
                self.env._("Grant access to the customer page: the package is fetched there"),
                fields.Date.to_date(self.expires_on),
            )

    # === SIGNATURE === #

    @api.model
    def _sign(self, digest):
        """Return the signature of a manifest: keyed, so that only this installation can make it."""
        return {
            "algorithm": "HMAC-SHA256, first 128 bits",
            "key": self._get_mac_key_id(),
            "hmac": get_keyring(self.env).blind_index(_MAC_CONTEXT, digest),
        }

    @api.model
    def _verify(self, digest, signature):
        """True for our signature, None for that of another installation, False for a forged one."""
        if not isinstance(signature, dict) or not isinstance(signature.get("hmac"), str):
            return False
        if signature.get("key") != self._get_mac_key_id():
            return None
        ours = get_keyring(self.env).blind_index(_MAC_CONTEXT, digest)
        return hmac.compare_digest(signature["hmac"].encode(), ours.encode())

    @api.model
    def _get_mac_key_id(self):
        """Tells installations apart, and nothing else."""
        return get_keyring(self.env).blind_index(f"{_MAC_CONTEXT}.key", "id")


def _media_type(path):
    return MEDIA_TYPES.get(os.path.splitext(path)[1], "application/octet-stream")
