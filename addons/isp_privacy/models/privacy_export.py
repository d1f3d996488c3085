import hashlib
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.isp_base.encryption import get_keyring

from ..engine.request_states import TYPES
from ..engine.sealed_file import new_key

FOLDER = "privacy_export"
LINK_MINUTES = 15


class PrivacyExport(models.Model):
    """A package with the data of one person: made by a job, fetched some times, then deleted.

    The package is a file in the filestore, sealed with a key of its own that only the keys of the
    installation open. The tables hold neither the data nor the link to it.
    """

    _name = "privacy.export"
    _description = "Data package"
    _inherit = ["privacy.sealed"]
    _order = "id desc"
    _sealed_folder = FOLDER

    # The request proves that the data was handed over; the package itself goes with the person.
    _privacy_subject = "request_id.*"
    _privacy_defaults = {
        "category": "proof",
        "purpose": "rights",
        "retention": "audit",
        "erasure": "delete",
    }
    _privacy_retention = {"never": "A job of its own deletes the file days after it is ready."}
    _privacy_fields = {"token_hash file_key": "secret"}
    _privacy_facts = "state date_ready expires_on download_count"
    _privacy_free = {
        "Reference of the request, hash and random name of the file.": "name store_name digest",
        "What went wrong, without any data.": "problem",
    }

    name = fields.Char(required=True, readonly=True)
    request_id = fields.Many2one(
        "privacy.request", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    export_type = fields.Selection(
        [choice for choice in TYPES if choice[0] in ("access", "portability")],
        "What is in it",
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("building", "Being made"),
            ("ready", "Ready"),
            ("fetched", "Fetched as often as allowed"),
            ("expired", "Not fetched in time"),
            ("failed", "Failed"),
            ("cancelled", "Not needed any more"),
        ],
        required=True,
        readonly=True,
        default="building",
        index=True,
    )
    problem = fields.Char(readonly=True)

    part_ids = fields.One2many("privacy.export.part", "export_id", readonly=True)
    is_planned = fields.Boolean(readonly=True)
    attempt_count = fields.Integer(
        "Attempts at the present part",
        readonly=True,
        help="A part that was interrupted several times is not tried again.",
    )
    progress = fields.Integer("Progress (%)", compute="_compute_progress")

    digest = fields.Char(
        "SHA-256 of the manifest",
        readonly=True,
        copy=False,
        help="The manifest names the hash of each file, so this one stands for all of them.",
    )
    size_mb = fields.Float("Size (MB)", digits=(16, 2), readonly=True)
    row_count = fields.Integer("Rows", compute="_compute_progress")
    date_ready = fields.Datetime("Ready since", readonly=True)
    expires_on = fields.Datetime("Fetched until", readonly=True)
    download_limit = fields.Integer("Downloads allowed", readonly=True)
    download_count = fields.Integer("Downloads", readonly=True)
    token_hash = fields.Char(readonly=True, copy=False, groups="base.group_system")
    token_expires_on = fields.Datetime(readonly=True, copy=False, groups="base.group_system")

    _token_hash_uniq = models.UniqueIndex("(token_hash) WHERE token_hash IS NOT NULL")

    # === COMPUTE AND CRUD METHODS === #

    @api.depends("state", "is_planned", "part_ids.state", "part_ids.row_count")
    def _compute_progress(self):
        for export in self:
            parts = export.part_ids
            done = parts.filtered(lambda part: part.state == "done")
            # Rows of tables are counted once, not once as JSON and once as CSV.
            rows = done.filtered(lambda part: part.kind in ("csv", "usage"))
            export.row_count = sum(rows.mapped("row_count"))
            if export.state in ("ready", "fetched", "expired"):
                export.progress = 100
            elif export.is_planned:
                # Putting the parts together is one step more.
                export.progress = 100 * len(done) // (len(parts) + 1)
            else:
                export.progress = 0

    # === BUSINESS METHODS - DELIVERY === #

    def _is_available(self):
        """Whether the package can be fetched now."""
        self.ensure_one()
        return self.state == "ready" and self.expires_on > fields.Datetime.now()

    def _get_downloads_left(self):
        self.ensure_one()
        return max(self.download_limit - self.download_count, 0)

    def _issue_link(self):
        """Return a new token that fetches the package once; it replaces the one before.

        Only its hash is stored, so the database opens no package.
        """
        self.ensure_one()
        if not self._is_available():
            raise UserError(
                self.env._("The package is not there any more. Please send a new request.")
            )
        token = secrets.token_urlsafe(32)
        valid_until = fields.Datetime.now() + timedelta(minutes=LINK_MINUTES)
        self.write(
            {
                "token_hash": _hash_token(token),
                "token_expires_on": min(valid_until, self.expires_on),
            }
        )
        return token

    @api.model
    def _find_by_token(self, token, partner):
        """Return the package that a token of this very person opens now; none for anybody else."""
        found = self.search([("token_hash", "=", _hash_token(token))])
        if (
            not partner
            or found.request_id.partner_id != partner
            or not found._is_available()
            or found.token_expires_on <= fields.Datetime.now()
        ):
            return self.browse()
        return found

    def _fetch(self):
        """Hand the package out once: count it, write it down, delete the file after the last time.

        :return: a readable binary file, open already, so that deleting does no harm to it
        """
        self.ensure_one()
        stream = self._open_file(self.store_name)
        count = self.download_count + 1
        self.write({"token_hash": False, "token_expires_on": False, "download_count": count})
        partner = self.request_id.partner_id
        self.env["privacy.audit"]._log("download", self, {"download_count": count}, partner)
        if not self._get_downloads_left():
            self._discard("fetched")
        return stream

    def _discard(self, state):
        """Delete the files, and note why."""
        self._delete_files()
        self.write({"state": state, "token_hash": False, "token_expires_on": False})

    # === CRON === #

    @api.model
    def _delete_outdated(self):
        """Delete packages that were not fetched in time, and those nobody waits for any more."""
        expired = self.search(
            [("state", "=", "ready"), ("expires_on", "<=", fields.Datetime.now())]
        )
        for export in expired:
            export._discard("expired")
            self.env["privacy.audit"]._log("expire", export, subject=export.request_id.partner_id)
        closed = self.search(
            [("state", "=", "building"), ("request_id.state", "not in", ("executing", "on_hold"))]
        )
        for export in closed:
            export._discard("cancelled")

    # === FILES === #

    def _get_unreadable_words(self):
        return self.env._(
            "The package %s cannot be read: its file is gone or damaged. It has to be made anew.",
            self.name,
        )

    def _get_store_names(self):
        return [*super()._get_store_names(), *self.part_ids.mapped("store_name")]

    @api.model
    def _find_needed(self, store_names):
        """Of a package that was fetched, or that nobody waits for, no file is needed."""
        live = self.search([("state", "in", ("building", "ready"))])
        return set(live._get_store_names()) & store_names

    @api.model
    def _create_for(self, request):
        """Begin a package for a request; the job makes it."""
        get_keyring(self.env)
        return self.create(
            {
                "name": f"export-{request.name}.zip",
                "request_id": request.id,
                "export_type": request.request_type,
                "file_key": new_key(),
            }
        )


def _hash_token(token):
    return hashlib.sha256((token or "").encode()).hexdigest()
