import base64
import hashlib

from odoo import api, fields, models

from odoo.addons.isp_base import crypto
from odoo.addons.isp_base.encryption import encrypted_char

from ..routeros import backup


class IspNasBackup(models.Model):
    """A version of a router's configuration: encrypted, and stored only when it changed."""

    _name = "isp.nas.backup"
    _description = "Configuration backup"
    _inherit = ["isp.encrypted.mixin"]
    _order = "id desc"
    _rec_name = "version"

    _privacy_subject = None
    _privacy_defaults = {"category": "network", "purpose": "network", "retention": "network"}
    _privacy_fields = {
        # Login names and secrets of customers stand in the configuration of their router.
        "content": "secret",
    }
    _privacy_free = {"Version and hash of a configuration.": "digest routeros_version"}
    _privacy_retention = {"anchor": "last_seen", "begin": "date"}

    nas_id = fields.Many2one(
        "isp.nas", "Router", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="nas_id.company_id", store=True, index=True)
    version = fields.Integer(readonly=True, aggregator=None)
    date = fields.Datetime("First seen", readonly=True, default=fields.Datetime.now)
    last_seen = fields.Datetime("Last seen", readonly=True, default=fields.Datetime.now)
    routeros_version = fields.Char("RouterOS", readonly=True)
    size = fields.Integer("Size (bytes)", readonly=True, aggregator=None)
    digest = fields.Char("SHA-256", readonly=True)
    content, content_enc, content_bidx, content_last4 = encrypted_char(
        "content", "Configuration", groups="isp_base.group_isp_network", readonly=True
    )
    masked = fields.Text(
        "Configuration without secrets",
        compute="_compute_masked",
        compute_sudo=True,
        groups="isp_base.group_isp_network",
    )
    changes = fields.Text(
        "Changed since the version before",
        compute="_compute_masked",
        compute_sudo=True,
        groups="isp_base.group_isp_network",
    )
    file = fields.Binary(
        compute="_compute_file", groups="isp_base.group_isp_network", exportable=False
    )

    _version_uniq = models.UniqueIndex("(nas_id, version)", "One backup a version.")

    # === COMPUTE METHODS === #

    @api.depends("content_enc")
    def _compute_masked(self):
        for one in self:
            before = self.search(
                [("nas_id", "=", one.nas_id.id), ("version", "<", one.version)],
                order="version desc",
                limit=1,
            )
            content = one.content or ""
            one.masked = backup.mask(content, self._sign)
            one.changes = (
                backup.difference(before.content or "", content, self._sign) if before else False
            )

    @api.model
    def _sign(self, secret):
        """Four letters that tell one secret from another, and nothing about either."""
        return f"({crypto.blind_index('isp.nas.backup', secret)[:4]})"

    @api.depends("content_enc")
    def _compute_file(self):
        for one in self:
            one.file = base64.b64encode((one.content or "").encode())

    # === ACTION METHODS === #

    def action_download(self):
        """Hand out the configuration with its secrets, and note who took it."""
        self.ensure_one()
        self.check_access("read")
        self._check_field_access(self._fields["content"], "read")
        # sudo: reading is enough to take a copy, the note is ours.
        self.nas_id.sudo()._message_log(
            body=self.env._("Downloaded version %s of the configuration.", self.version),
            author_id=self.env.user.partner_id.id,
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/file?download=true"
            f"&filename={self.nas_id.name}-{self.version}.rsc",
            "target": "new",
        }

    # === BUSINESS METHODS === #

    @api.model
    def _store(self, nas, content, routeros_version):
        """Keep ``content`` as a new version, unless it is the latest one.

        :return: the version, new or not
        """
        # sudo: backups are made by jobs.
        model_sudo = self.sudo()
        digest = hashlib.sha256(content.encode()).hexdigest()
        latest = model_sudo.search([("nas_id", "=", nas.id)], order="version desc", limit=1)
        if latest.digest == digest:
            latest.last_seen = fields.Datetime.now()
            return latest
        return model_sudo.create(
            {
                "nas_id": nas.id,
                "version": latest.version + 1,
                "routeros_version": routeros_version,
                "size": len(content.encode()),
                "digest": digest,
                "content": content,
            }
        )
