from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.isp_radius_attempt import REJECT_REASONS
from ..radius import login_test


class IspTestLogin(models.TransientModel):
    """What RADIUS answers when a subscription logs in now."""

    _name = "isp.test.login"
    _description = "Test login"

    subscription_id = fields.Many2one("isp.subscription", required=True, readonly=True)
    username = fields.Char(related="subscription_id.username")
    server = fields.Char(readonly=True)
    result = fields.Selection(
        [("accepted", "Accepted"), ("rejected", "Rejected"), ("silent", "No answer")],
        readonly=True,
    )
    explanation = fields.Text(readonly=True)
    line_ids = fields.One2many("isp.test.login.line", "test_id", "What the router would be told")

    @api.model
    def _run(self, subscription):
        """Log in for ``subscription`` and return the record of what came back.

        :raises UserError: when there is nothing to log in with, or no way to the server
        """
        # sudo: support staff tries the login without seeing password or secret.
        subscription_sudo = subscription.sudo()
        password = subscription_sudo.password
        if not (subscription.username and password):
            raise UserError(
                self.env._("The subscription has no username or no password to log in with.")
            )
        parameters = self.env["ir.config_parameter"].sudo()
        host = parameters.get_param("isp_network.radius_host") or "127.0.0.1"
        port = int(parameters.get_param("isp_network.radius_port") or 1812)
        try:
            secret = self._get_secret(login_test.source_address(host, port))
            answer = login_test.ask(
                host,
                port,
                secret,
                subscription.username,
                password,
                device=subscription._get_known_device(),
            )
        except OSError as error:
            raise UserError(
                self.env._(
                    "The RADIUS server %(server)s cannot be reached: %(error)s. Check the address "
                    "under Configuration → Settings → Network.",
                    server=f"{host}:{port}",
                    error=error.strerror or error,
                )
            ) from None
        return self.create(
            {
                "subscription_id": subscription.id,
                "server": f"{host}:{port}",
                "result": answer.result,
                "explanation": self._explain(subscription, answer),
                "line_ids": [
                    fields.Command.create({"label": label, "value": value})
                    for label, value in self._describe(answer.values)
                ],
            }
        )

    def _get_secret(self, address):
        """The secret of the router record that this machine is for RADIUS."""
        # sudo: support staff tries the login without seeing the secret.
        routers_sudo = self.env["isp.nas"].sudo()
        if address.startswith("127.") and not routers_sudo.search_count(
            [("ip_address", "=", "127.0.0.1")], limit=1
        ):
            # Committed at once, because RADIUS reads nothing else.
            with self.env.registry.cursor() as cr:
                return self.env(cr=cr, su=True)["isp.nas"]._ensure_local_nas().secret
        nas = routers_sudo.search([("ip_address", "=", address)], limit=1)
        if not nas:
            raise UserError(
                self.env._(
                    "RADIUS answers only to routers it knows. Add one with the address "
                    "%(address)s, which is this machine, under Network → Routers.",
                    address=address,
                )
            )
        return nas.secret

    def _explain(self, subscription, answer):
        if answer.result == "accepted":
            if answer.values.get("Reply-Message"):
                return self.env._(
                    "Name and password are right, but the customer reaches the payment page only: "
                    "%s.",
                    answer.values["Reply-Message"],
                )
            return self.env._("Name and password are right. The customer can go online.")
        if answer.result == "silent":
            return self.env._(
                "No answer within %s seconds. RADIUS is not running there, or it does not know this "
                "machine's address or secret.",
                login_test.TIMEOUT_S,
            )
        reason = self._read_reason(subscription)
        return reason or answer.values.get("Reply-Message") or self.env._("No reason was given.")

    def _read_reason(self, subscription):
        """Why RADIUS refused, as it has just written down itself."""
        # A cursor of its own: this transaction's view of the database is older than the answer.
        with self.env.registry.cursor(readonly=True) as cr:
            cr.execute(
                "SELECT reason FROM radius.radpostauth WHERE subscription_id = %s"
                " AND authdate > now() - interval '1 minute' AND reply <> 'Access-Accept'"
                " ORDER BY authdate DESC LIMIT 1",
                [subscription.id],
            )
            row = cr.fetchone()
        if not row:
            return None
        field = self.env["isp.radius.attempt"]._fields["reason"]
        labels = dict(field._description_selection(self.env))
        return labels.get(row[0]) if row[0] in dict(REJECT_REASONS) else row[0]

    def _describe(self, values):
        """``[(label, value in words), …]`` of what the router is told."""
        seconds = self.env._("%s s")
        known = {
            "Mikrotik-Rate-Limit": (self.env._("Speed: upload/download, then burst"), "%s"),
            "WISPr-Bandwidth-Max-Up": (self.env._("Upload"), self.env._("%s bit/s")),
            "WISPr-Bandwidth-Max-Down": (self.env._("Download"), self.env._("%s bit/s")),
            "Framed-IP-Address": (self.env._("Static IPv4"), "%s"),
            "Framed-Pool": (self.env._("IPv4 pool on the router"), "%s"),
            "Delegated-IPv6-Prefix": (self.env._("Static IPv6 prefix"), "%s"),
            "Framed-IPv6-Pool": (self.env._("IPv6 pool on the router"), "%s"),
            "Mikrotik-Delegated-IPv6-Pool": (self.env._("IPv6 pool on the router"), "%s"),
            "Mikrotik-Address-List": (self.env._("Address list"), "%s"),
            "Filter-Id": (self.env._("Address list"), "%s"),
            "Session-Timeout": (self.env._("Session ends after"), seconds),
            "Idle-Timeout": (self.env._("Ends without traffic after"), seconds),
            "Acct-Interim-Interval": (self.env._("The router reports every"), seconds),
            "Reply-Message": (self.env._("Message"), "%s"),
        }
        lines = []
        for name, (label, pattern) in known.items():
            if name in values:
                lines.append((label, pattern % values[name]))
        lines += [(name, value) for name, value in values.items() if name not in known]
        return lines


class IspTestLoginLine(models.TransientModel):
    """One thing the router would be told."""

    _name = "isp.test.login.line"
    _description = "Line of a test login"

    test_id = fields.Many2one("isp.test.login", required=True, ondelete="cascade")
    label = fields.Char("What", readonly=True)
    value = fields.Char(readonly=True)
