import ipaddress
import re
import secrets
import string

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.isp_base import crypto
from odoo.addons.isp_base.encryption import encrypted_char

_SECRET_LENGTH = 24
_SECRET_ALPHABET = string.ascii_letters + string.digits


class IspNas(models.Model):
    """A router or access concentrator that asks RADIUS about subscribers.

    A trigger hands each change to the RADIUS schema in the same transaction, so a new router may
    log subscribers in as soon as it is saved.
    """

    _name = "isp.nas"
    _description = "Router (NAS)"
    _inherit = ["mail.thread", "isp.encrypted.mixin"]
    _order = "name, id"

    _privacy_subject = None
    _privacy_defaults = {"category": "free_text", "purpose": "network", "retention": "account"}
    # On whose roof it stands, and whom to call there.
    _privacy_fields = {"location note": {"erasure": "null", "export": False}}
    _privacy_free = {
        "A router of the operator.": "name ip_address",
        "Secrets between our servers and the router.": "secret_enc secret_radius",
    }
    _privacy_tables = {"radius.client": "Copy of routers, fed by triggers; no customer is in it."}

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    ip_address = fields.Char(
        "IP address",
        required=True,
        tracking=True,
        help="IPv4 address the router's RADIUS packets come from.",
    )
    nas_type = fields.Selection(
        [("mikrotik", "MikroTik RouterOS"), ("other", "Other, standard attributes")],
        "Type",
        required=True,
        default="mikrotik",
        tracking=True,
        help="Decides in which attributes speeds and lists are sent: MikroTik's own, or WISPr "
        "bandwidths and Filter-Id.",
    )
    coa_port = fields.Integer(
        "CoA port",
        default=3799,
        help="UDP port on which the router takes changes and disconnects.",
    )
    secret, secret_enc, secret_bidx, secret_last4 = encrypted_char(
        "secret",
        "Shared secret",
        groups="isp_base.group_isp_network",
        help="Known to the router and to RADIUS only. Left empty, it is generated.",
    )
    secret_radius = fields.Char(
        "Shared secret for RADIUS",
        compute="_compute_secret_radius",
        store=True,
        copy=False,
        groups="base.group_system",
        exportable=False,
    )
    require_message_authenticator = fields.Boolean(
        "Signed requests only",
        default=True,
        tracking=True,
        help="Ignore login requests without Message-Authenticator. Switch it off only for a "
        "router that cannot sign them, such as RouterOS before 7.15.",
    )
    stale_minutes = fields.Integer(
        "Silent for (min)",
        required=True,
        default=20,
        help="A session that the router has not reported for so long is closed where it was last "
        "heard. Take at least three times the accounting interval of the plans. A report that "
        "still comes opens it again.",
    )
    location = fields.Char()
    note = fields.Html("Notes")
    session_count = fields.Integer("Online now", compute="_compute_session_count")

    _ip_address_uniq = models.UniqueIndex(
        "(ip_address) WHERE active IS TRUE", "Another router has this IP address."
    )
    _coa_port_valid = models.Constraint(
        "CHECK (coa_port BETWEEN 1 AND 65535)", "The CoA port lies between 1 and 65535."
    )
    _stale_minutes_valid = models.Constraint(
        "CHECK (stale_minutes BETWEEN 2 AND 10080)",
        "Sessions are closed after 2 minutes to 7 days of silence.",
    )

    # === COMPUTE METHODS === #

    @api.depends("secret_enc")
    def _compute_secret_radius(self):
        for nas in self:
            # sudo: sealing needs the secret, whoever caused the change.
            secret = nas.sudo().secret
            nas.secret_radius = crypto.radius_encrypt(secret) if secret else False

    def _compute_session_count(self):
        counts = dict(
            self.env["isp.radius.session"]._read_group(
                [("nas_id", "in", self.ids), ("state", "=", "online")], ["nas_id"], ["__count"]
            )
        )
        for nas in self:
            nas.session_count = counts.get(nas._origin, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("secret_enc")
    def _check_secret(self):
        for nas in self.sudo():
            if nas.secret:
                self._check_secret_text(nas.secret)

    @api.model
    def _check_secret_text(self, secret):
        if not re.fullmatch(r"[!-~]{8,64}", secret):
            raise ValidationError(
                self.env._("A shared secret has 8 to 64 letters, digits and signs, without spaces.")
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._normalise_vals(vals)
            vals["secret"] = vals.get("secret") or self._generate_secret()
        return super().create(vals_list)

    def write(self, vals):
        self._normalise_vals(vals)
        return super().write(vals)

    def copy_data(self, default=None):
        if "ip_address" not in (default or {}):
            raise UserError(
                self.env._("A router cannot be duplicated: each one has its own IP address.")
            )
        return super().copy_data(default)

    # === ACTION METHODS === #

    def action_generate_secret(self):
        """Replace the shared secret by a random one."""
        for nas in self:
            nas.secret = self._generate_secret()

    def action_reveal_secret(self):
        """Show the shared secret, and note who looked."""
        return self.action_reveal("secret")

    def action_view_sessions(self):
        """Open the sessions of the router."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_network.isp_radius_session_action"
        )
        action.update(domain=[("nas_id", "=", self.id)], context={"search_default_online": 1})
        return action

    # === BUSINESS METHODS === #

    @api.model
    def _ensure_local_nas(self, name="This machine"):
        """The router 127.0.0.1, for trying RADIUS by hand with ``radtest``.

        Its ``secret`` can be read in superuser mode.
        """
        address = "127.0.0.1"
        nas = self.with_context(active_test=False).search([("ip_address", "=", address)], limit=1)
        if not nas:
            return self.create({"name": name, "ip_address": address})
        if not nas.active:
            nas.active = True
        return nas

    # === HELPERS === #

    @api.model
    def _generate_secret(self):
        return "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(_SECRET_LENGTH))

    @api.model
    def _normalise_vals(self, vals):
        """Addresses without blanks; checked before the trigger sees them."""
        if vals.get("ip_address"):
            text = vals["ip_address"].strip()
            try:
                vals["ip_address"] = str(ipaddress.IPv4Address(text))
            except ValueError:
                raise ValidationError(
                    self.env._("“%s” is not an IPv4 address. Write it like 10.20.0.1.", text)
                ) from None
        if vals.get("secret"):
            self._check_secret_text(vals["secret"])
