from odoo import api, fields, models

from odoo.addons.isp_base import crypto


class IspEntitlement(models.Model):
    """What a login needs beside the service itself, and who hears of a change."""

    _inherit = "isp.entitlement"

    _privacy_fields = {"chap_secret": "secret"}
    _privacy_tables = {
        "radius.login": "Copy of entitlements, fed by triggers in the same transaction.",
        "radius.device": "Devices just learned; a job moves them to the subscription.",
        "radius.pending": "Logins of the last seconds; the next packet clears it.",
        "radius.walled_lookup": "Addresses that asked for the payment page, for some minutes.",
    }

    chap_secret = fields.Char(
        "Encrypted password for CHAP",
        compute="_compute_chap_secret",
        store=True,
        groups="base.group_system",
        copy=False,
        exportable=False,
        help="Only for plans that allow CHAP; readable with the RADIUS key only.",
    )
    realm = fields.Char(related="company_id.isp_realm", store=True)
    service_type = fields.Selection(related="subscription_id.plan_id.service_type", store=True)
    mac_lock = fields.Selection(related="subscription_id.plan_id.mac_lock", store=True)
    mac_lock_devices = fields.Integer(
        related="subscription_id.plan_id.mac_lock_devices", store=True
    )
    suspended_on = fields.Datetime(related="subscription_id.suspended_on", store=True)

    # === COMPUTE METHODS === #

    @api.depends("subscription_id.password_enc", "subscription_id.plan_id.allow_chap")
    def _compute_chap_secret(self):
        for entitlement in self:
            subscription = entitlement.subscription_id
            # sudo: sealing needs the password, whoever caused the change.
            password = subscription.plan_id.allow_chap and subscription.sudo().password
            entitlement.chap_secret = crypto.radius_encrypt(password) if password else False

    # === CRUD METHODS === #

    def _write_multi(self, vals_list):
        """Sessions that are online hear of what is about to be committed."""
        # Here and not in write(): computed columns reach the database only through this.
        self.env["isp.network.order"]._collect_later()
        return super()._write_multi(vals_list)
