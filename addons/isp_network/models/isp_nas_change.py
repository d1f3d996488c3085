from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

_PENDING = "isp.nas.change"


class IspNasChange(models.Model):
    """A service whose state on a router has to be looked at.

    Written in the transaction that changes the entitlement and deleted when the router was seen to
    be right, so that a change is neither lost nor taken for drift. It says where to look, never
    what to do: what should be there is derived anew each time.
    """

    _name = "isp.nas.change"
    _description = "Change that waits for a router"
    _order = "id"
    _rec_name = "subscription_id"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "network",
        "retention": "transient",
        "erasure": "delete",
    }
    _privacy_fields = {"message": {"export": False}}

    nas_id = fields.Many2one("isp.nas", "Router", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, index=True)
    subscription_id = fields.Many2one(
        "isp.subscription", ondelete="cascade", help="Left empty: the whole router."
    )
    whole = fields.Boolean(help="Only a look at the whole router finds the old row.")
    ends_session = fields.Boolean(help="The open session goes on with what was before.")
    tried = fields.Boolean(help="A run was cut off: part may be done.")
    message = fields.Char(help="What the router said.")

    # === BUSINESS METHODS === #

    @api.model
    def _collect(self, entitlements, ends_session=False, whole=False):
        """Note that entitlements change; written down once, just before the commit."""
        pending = self.env.cr.precommit.data
        if _PENDING not in pending:
            pending[_PENDING] = {}
            # sudo: whoever changes an entitlement, routers follow.
            self.env.cr.precommit.add(self.sudo()._write_collected)
        for entitlement_id in entitlements._ids:
            old = pending[_PENDING].get(entitlement_id, (False, False))
            pending[_PENDING][entitlement_id] = (old[0] or ends_session, old[1] or whole)

    @api.model
    def _write_collected(self):
        collected = self.env.cr.precommit.data.pop(_PENDING, {})
        if collected:
            self._insert(
                SQL(
                    """
                    SELECT s.nas_id, s.id, c.whole, c.ends_session
                    FROM unnest(%s::int[], %s::bool[], %s::bool[]) c (id, ends_session, whole)
                    JOIN isp_entitlement e ON e.id = c.id
                    JOIN isp_subscription s ON s.id = e.subscription_id
                    """,
                    list(collected),
                    [ends for ends, _whole in collected.values()],
                    [whole for _ends, whole in collected.values()],
                )
            )

    @api.model
    def _note(self, nas_by_subscription):
        """Let routers be looked at for ``{subscription: router}``."""
        self._insert(
            SQL(
                "SELECT c.nas_id, c.id, false, true"
                " FROM unnest(%s::int[], %s::int[]) c (nas_id, id)",
                [nas.id for nas in nas_by_subscription.values()],
                [subscription.id for subscription in nas_by_subscription],
            )
        )

    @api.model
    def _note_router(self, nas):
        """Let the whole of some routers be looked at."""
        self._insert(
            SQL("SELECT id, NULL::int, true, false FROM unnest(%s::int[]) n (id)", nas.ids)
        )

    @api.model
    def _insert(self, changes):
        """Write down ``(nas_id, subscription_id, whole, ends_session)`` and wake the routers.

        Routers that only ask RADIUS are left out.
        """
        self.env["isp.nas"].flush_model(["active", "provisioning", "company_id"])
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO isp_nas_change (nas_id, subscription_id, whole, ends_session, company_id,
                    tried, create_uid, create_date, write_uid, write_date)
                SELECT c.nas_id, c.subscription_id, c.whole, c.ends_session, n.company_id,
                    false, %(uid)s, %(now)s, %(uid)s, %(now)s
                FROM (%(changes)s) c (nas_id, subscription_id, whole, ends_session)
                JOIN isp_nas n ON n.id = c.nas_id
                WHERE n.active AND n.provisioning <> 'radius'
                RETURNING nas_id
                """,
                changes=changes,
                uid=self.env.uid,
                now=fields.Datetime.now(),
            )
        )
        self.invalidate_model(flush=False)
        routers = self.env["isp.nas"].with_user(SUPERUSER_ID).browse({row[0] for row in rows})
        for nas in routers:
            nas._enqueue_reconcile()
