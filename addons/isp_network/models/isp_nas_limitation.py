from odoo import api, fields, models


class IspNasLimitation(models.Model):
    """Something of a service that its router cannot hold.

    Written by each look at the router, for the services it looked at, so that what no longer
    applies disappears by itself.
    """

    _name = "isp.nas.limitation"
    _description = "What a router cannot hold"
    _order = "nas_id, subscription_id, id"
    _rec_name = "subscription_id"

    nas_id = fields.Many2one(
        "isp.nas", "Router", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="nas_id.company_id", store=True, index=True)
    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade", readonly=True
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id", string="Customer")
    # Codes of routeros.desired.Desired, with what follows from it and what to do.
    code = fields.Selection(
        [
            ("no_password", "No password, so the login is not on the router: enter one"),
            ("no_address", "No static address, so the customer has no access: assign one"),
            (
                "several_macs",
                "Several devices, and the router locks a login to one: it is not locked at all",
            ),
            (
                "prefix_announced",
                "Static IPv6 prefix is announced, not delegated: the router delegates a fixed "
                "prefix with RADIUS only",
            ),
            ("prefix_v6", "No static IPv6 prefix on RouterOS 6: upgrade the router, or use RADIUS"),
            ("prefix_hotspot", "No static IPv6 prefix for hotspot logins"),
        ],
        "Limitation",
        required=True,
        readonly=True,
    )

    @api.model
    def _record(self, nas, skipped, scope=None):
        """Keep what a router cannot hold, instead of what was known before.

        :param skipped: ``Desired.skipped``
        :param scope: subscriptions that were looked at, ``None`` for the whole router
        """
        domain = [("nas_id", "=", nas.id)]
        if scope is not None:
            domain.append(("subscription_id", "in", scope.ids))
        known = {(one.subscription_id.id, one.code): one for one in self.search(domain)}
        wanted = dict.fromkeys(skipped)
        self.browse([one.id for key, one in known.items() if key not in wanted]).unlink()
        self.create(
            [
                {"nas_id": nas.id, "subscription_id": subscription_id, "code": code}
                for subscription_id, code in wanted
                if (subscription_id, code) not in known
            ]
        )

    @api.model
    def _forget(self, routers):
        """Nothing is written to these routers any more."""
        # sudo: the rows belong to the mechanism, who changes the router need not see them.
        self.sudo().search([("nas_id", "in", routers.ids)]).unlink()
