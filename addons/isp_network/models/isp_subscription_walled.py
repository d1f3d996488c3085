import re

from odoo import api, fields, models
from odoo.tools import SQL

# Look-ups by name that one address may make in ten minutes.
_LOOKUPS = 10
# Shorter numbers are not looked for: they would find somebody by chance.
_PHONE_DIGITS = 9


class IspSubscription(models.Model):
    """Who is it that looks at the payment page?"""

    _inherit = "isp.subscription"

    # === BUSINESS METHODS === #

    def _get_walled_reason(self):
        """Why the customer is on the payment page, as RADIUS sees it.

        :return: ``overdue``, ``suspended`` (for another reason), ``expired`` (prepaid time is
            over), ``cap`` (data volume used up), ``due`` or ``nothing``
        """
        self.ensure_one()
        if self.state == "suspended":
            return "overdue" if self.suspend_reason == "overdue" else "suspended"
        valid_until = self.entitlement_id.valid_until
        if valid_until and valid_until <= fields.Datetime.now():
            return "expired"
        if self.cap_state:
            return "cap"
        return "due" if self.access == "walled" or self.amount_due else "nothing"

    @api.model
    def _find_by_session_address(self, address):
        """The subscription whose open session has this address, as superuser.

        Routers may hand out the same private addresses; where two subscriptions have one, it is
        nobody's.

        :param address: an address of :mod:`ipaddress`, or None
        """
        # sudo: the visitor is not logged in; the address of the open session tells who it is.
        self_sudo = self.sudo()
        if address is None:
            return self_sudo.browse()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT subscription_id FROM radius.radacct_open
                WHERE acctupdatetime > now() - interval '30 minutes'
                    AND (framedipaddress = %(ip)s::inet
                        OR (family(%(ip)s::inet) = 6 AND (framedipv6address = %(ip)s::inet
                            OR framedipv6prefix >>= %(ip)s::inet
                            OR delegatedipv6prefix >>= %(ip)s::inet)))
                """,
                ip=str(address),
            )
        )
        ids = [row[0] for row in rows if row[0]]
        if len(rows) != 1 or not ids:
            return self_sudo.browse()
        return self_sudo.browse(ids).exists()

    @api.model
    def _find_by_login_or_phone(self, text):
        """The one subscription with this username or customer's phone number, as superuser."""
        # sudo: the visitor is not logged in; nothing about the person is shown to him.
        self_sudo = self.sudo()
        running = [("state", "in", ("active", "suspended"))]
        found = self_sudo.search([("username", "=", text.strip().lower()), *running], limit=2)
        digits = re.sub(r"\D", "", text)
        if not found and len(digits) >= _PHONE_DIGITS:
            found = self_sudo.search(
                [("partner_id.phone_sanitized", "=like", f"%{digits[-10:]}"), *running], limit=2
            )
        return found if len(found) == 1 else self_sudo.browse()

    @api.model
    def _may_look_up(self, address):
        """Count a look-up by name, and tell whether the address may make it.

        A /64 counts as one address of IPv6.
        """
        if address is None:
            return False
        network = f"{address}/64" if address.version == 6 else f"{address}/32"
        [[count]] = self.env.execute_query(
            SQL(
                """
                INSERT INTO radius.walled_lookup AS l (network, since, count)
                VALUES (network(%s::inet), now(), 1)
                ON CONFLICT (network) DO UPDATE SET
                    since = CASE WHEN l.since < now() - interval '10 minutes' THEN now()
                        ELSE l.since END,
                    count = CASE WHEN l.since < now() - interval '10 minutes' THEN 1
                        ELSE l.count + 1 END
                RETURNING count
                """,
                network,
            )
        )
        return count <= _LOOKUPS
