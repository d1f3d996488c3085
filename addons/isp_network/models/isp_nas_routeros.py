import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.isp_base.encryption import encrypted_char

from ..routeros import connection, errors, logins

_logger = logging.getLogger(__name__)

# A job is a web request to Odoo, which ends it after limit_time_real (120 s by default).
DEADLINE_S = 100
_CONNECTION_FIELDS = {
    "active", "provisioning", "ip_address", "routeros_host", "routeros_port", "routeros_tls",
    "routeros_fingerprint", "routeros_ca", "routeros_user", "routeros_password",
}  # fmt: skip
_CONTENT_FIELDS = {"active", "provisioning", "routeros_gateway"}


class IspNas(models.Model):
    """The router as one whose configuration follows the entitlements, over the RouterOS API."""

    _inherit = "isp.nas"

    _privacy_free = {
        "How the operator reaches its router.": "routeros_host routeros_user routeros_gateway "
        "routeros_ca routeros_fingerprint routeros_version routeros_password_enc",
    }

    provisioning = fields.Selection(
        [
            ("radius", "RADIUS only"),
            ("routeros", "Router holds the logins"),
            ("both", "RADIUS, and the router what RADIUS cannot hold"),
        ],
        required=True,
        default="radius",
        tracking=True,
        help="RADIUS only: nothing is written to the router. Router holds the logins: its own "
        "secrets, profiles and hotspot users follow the subscriptions. The last: logins stay with "
        "RADIUS; pools, queues and address lists of static services follow the subscriptions.",
    )
    routeros_host = fields.Char(
        "API address", help="Name or address of the RouterOS API. Left empty, the IP address."
    )
    routeros_port = fields.Integer("API port", help="0 for the usual one: 8729, without TLS 8728.")
    routeros_tls = fields.Selection(
        [
            ("pin", "TLS, this certificate only"),
            ("verify", "TLS, certificate of an authority"),
            ("none", "No encryption"),
        ],
        "API encryption",
        required=True,
        default="pin",
        tracking=True,
        help="Without encryption passwords cross the network in clear.",
    )
    routeros_fingerprint = fields.Char(
        "Certificate (SHA-256)",
        tracking=True,
        help="Fingerprint of the router's certificate. Compare it with the router's own: "
        "/certificate print detail.",
    )
    routeros_ca = fields.Text(
        "Authority (PEM)", help="Left empty, the authorities this server knows are trusted."
    )
    routeros_user = fields.Char("API user", default="isp", tracking=True)
    (
        routeros_password,
        routeros_password_enc,
        routeros_password_bidx,
        routeros_password_last4,
    ) = encrypted_char("routeros_password", "API password", groups="isp_base.group_isp_network")
    routeros_gateway = fields.Char(
        "Gateway in PPPoE",
        help="Address the router itself has in the sessions of its customers, such as 10.64.0.1. "
        "Without it RouterOS refuses PPPoE sessions.",
    )
    routeros_drift = fields.Selection(
        [("correct", "Correct, and report"), ("report", "Report only")],
        "When the router was changed by hand",
        required=True,
        default="correct",
        help="What is missing on the router is put back in any case.",
    )
    routeros_version = fields.Char("RouterOS version", readonly=True, copy=False)

    sync_ids = fields.One2many("isp.nas.sync", "nas_id", readonly=True)
    change_ids = fields.One2many("isp.nas.change", "nas_id", readonly=True)
    difference_ids = fields.One2many("isp.nas.difference", "nas_id", readonly=True)
    limitation_ids = fields.One2many("isp.nas.limitation", "nas_id", readonly=True)
    backup_ids = fields.One2many("isp.nas.backup", "nas_id", readonly=True)
    routeros_state = fields.Selection(
        [
            ("ok", "Up to date"),
            ("pending", "Changes wait"),
            ("unreachable", "Unreachable"),
            ("refused", "Refused"),
        ],
        "Router state",
        compute="_compute_routeros_state",
    )
    routeros_message = fields.Char(compute="_compute_routeros_state")
    routeros_last_run = fields.Datetime("Last look", compute="_compute_routeros_state")
    routeros_drift_count = fields.Integer(
        "Rows that had drifted",
        compute="_compute_routeros_state",
        help="Found changed by hand when the whole router was last compared.",
    )
    routeros_pending_count = fields.Integer("Changes waiting", compute="_compute_routeros_counts")
    routeros_difference_count = fields.Integer("Differences", compute="_compute_routeros_counts")
    routeros_limitation_count = fields.Integer(
        "Cannot hold",
        compute="_compute_routeros_counts",
        help="Things of services that this router cannot hold.",
    )
    routeros_backup_count = fields.Integer("Backups", compute="_compute_routeros_counts")

    _routeros_port_valid = models.Constraint(
        "CHECK (routeros_port BETWEEN 0 AND 65535)", "The API port lies between 0 and 65535."
    )

    # === COMPUTE METHODS === #

    def _compute_routeros_state(self):
        for nas in self:
            sync = nas.sync_ids[:1]
            state = sync.result or "ok"
            if state == "ok" and nas.routeros_pending_count:
                state = "pending"
            nas.routeros_state = state if nas.provisioning != "radius" else False
            nas.routeros_message = sync.message
            nas.routeros_last_run = sync.last_run
            nas.routeros_drift_count = sync.drift_count

    def _compute_routeros_counts(self):
        for name, model, domain in (
            ("routeros_pending_count", "isp.nas.change", []),
            ("routeros_difference_count", "isp.nas.difference", [("is_open", "=", True)]),
            ("routeros_limitation_count", "isp.nas.limitation", []),
            ("routeros_backup_count", "isp.nas.backup", []),
        ):
            counts = dict(
                self.env[model]._read_group(
                    [("nas_id", "in", self.ids), *domain], ["nas_id"], ["__count"]
                )
            )
            for nas in self:
                nas[name] = counts.get(nas._origin, 0)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        routers = super().create(vals_list)
        routers._routeros_settings_changed(_CONTENT_FIELDS)
        return routers

    def write(self, vals):
        if vals.get("routeros_fingerprint"):
            fingerprint = connection.normalise_fingerprint(vals["routeros_fingerprint"])
            vals = dict(vals, routeros_fingerprint=fingerprint)
        res = super().write(vals)
        self._routeros_settings_changed(vals.keys())
        if {"active", "provisioning"} & vals.keys():
            self.env["isp.nas.limitation"]._forget(
                self.filtered(lambda nas: not nas.active or nas.provisioning == "radius")
            )
        return res

    def _routeros_settings_changed(self, names):
        """Look at the router at once, whatever the pause after an earlier failure."""
        routers = self.filtered(lambda nas: nas.active and nas.provisioning != "radius")
        if routers and names & (_CONNECTION_FIELDS | _CONTENT_FIELDS):
            self.env["isp.nas.sync"]._try_at_once(routers)
            if names & _CONTENT_FIELDS:
                # sudo: what follows from the setting belongs to the mechanism.
                self.env["isp.nas.change"].sudo()._note_router(routers)

    # === ACTION METHODS === #

    def action_routeros_test(self):
        """Connect, log in, look at the rights, and say in words what is wrong."""
        self.ensure_one()
        self.check_access("write")
        try:
            with self._open_router() as session:
                version = ".".join(map(str, session.version))
                lacking = logins.missing_policies(session, self.routeros_user)
        except errors.RouterError as error:
            raise UserError(self._explain_router_error(error)) from None
        self.routeros_version = version
        if lacking:
            raise UserError(
                self.env._(
                    "The router answers, but the group of the user “%(user)s” lacks: %(policies)s. "
                    "See the operator's guide for the group to make.",
                    user=self.routeros_user,
                    policies=", ".join(lacking),
                )
            )
        return self._notify_routeros(
            self.env._("The router answers. It runs RouterOS %s.", version), "success"
        )

    def action_routeros_fetch_fingerprint(self):
        """Take over the certificate the router shows, for a person to compare."""
        self.ensure_one()
        self.check_access("write")
        target = self._get_router_target()
        try:
            fingerprint = connection.fetch_fingerprint(target.host, target.port)
        except errors.RouterError as error:
            raise UserError(self._explain_router_error(error)) from None
        self.routeros_fingerprint = fingerprint
        return self._notify_routeros(
            self.env._(
                "Compare with the fingerprint on the router itself before you trust it: %s",
                fingerprint,
            ),
            "warning",
        )

    def action_view_differences(self):
        """Open the differences of the router."""
        return self._open_router_action("isp_network.isp_nas_difference_action")

    def action_view_limitations(self):
        """Open what the router cannot hold."""
        return self._open_router_action("isp_network.isp_nas_limitation_action")

    def action_view_backups(self):
        """Open the backups of the router."""
        return self._open_router_action("isp_network.isp_nas_backup_action")

    def action_view_waiting(self):
        """Open the subscriptions whose change waits for the router."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_billing.isp_subscription_action"
        )
        action.update(domain=[("router_change_ids.nas_id", "=", self.id)], context={})
        return action

    def _open_router_action(self, xmlid):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        action.update(domain=[("nas_id", "=", self.id)])
        return action

    def _notify_routeros(self, message, kind):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": message,
                "type": kind,
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === BUSINESS METHODS === #

    def _get_router_target(self):
        """Where the API of the router is, and how to log in."""
        self.ensure_one()
        # sudo: the password is needed, whoever caused the connection.
        password = self.sudo().routeros_password or ""
        tls = None if self.routeros_tls == "none" else self.routeros_tls
        return connection.Target(
            host=(self.routeros_host or self.ip_address).strip(),
            port=self.routeros_port or (connection.TLS_PORT if tls else connection.PLAIN_PORT),
            user=self.routeros_user or "",
            password=password,
            tls=tls,
            fingerprint=self.routeros_fingerprint or "",
            ca_pem=self.routeros_ca or None,
            deadline_s=DEADLINE_S,
        )

    def _open_router(self):
        """A logged-in session with the router.

        :raises RouterError: see :func:`routeros.connection.open_session`
        """
        return connection.open_session(self._get_router_target())

    def _explain_router_error(self, error):
        """What went wrong with a router, and what to do, in a sentence."""
        self.ensure_one()
        name, what = self.name, str(error)
        if isinstance(error, errors.WrongPassword):
            return self.env._(
                "%(router)s does not accept the user “%(user)s” or its password. Check both, and "
                "whether the user may connect from this server's address.",
                router=name,
                user=self.routeros_user,
            )
        if isinstance(error, errors.NoRights):
            return self.env._(
                "The user “%(user)s” of %(router)s has too few rights. Its group needs api, read, "
                "write, sensitive and test.",
                router=name,
                user=self.routeros_user,
            )
        if isinstance(error, errors.UntrustedCertificate):
            return self.env._(
                "%(router)s shows another certificate than the expected one (%(what)s). If it was "
                "renewed, read its fingerprint again and compare; otherwise somebody may be in "
                "between.",
                router=name,
                what=error.fingerprint or what,
            )
        if isinstance(error, errors.Unreachable):
            return self.env._(
                "%(router)s cannot be reached: %(what)s. Check its address, that the service api "
                "or api-ssl is on, and that a firewall lets this server through.",
                router=name,
                what=what,
            )
        return self.env._(
            "%(router)s does not carry this out: %(what)s.", router=name, what=what.rstrip(".")
        )
