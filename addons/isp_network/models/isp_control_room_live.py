from odoo import api, models
from odoo.tools import SQL

MAX_SESSIONS = 100
# Other addons and later versions may add these to routers; they are shown when they are there.
_OPTIONAL = ("pending_order_count", "drift_count")


class IspControlRoom(models.AbstractModel):
    """Who is online now, and how the routers are."""

    _inherit = "isp.control.room"

    @api.model
    @api.readonly
    def online(self, nas_id=False):
        """What the live screen shows; asked again every five seconds.

        :param nas_id: list the sessions of this router only
        :return: ``{"total": number, "routers": [dict, …], "sessions": [newest, …]}``
        """
        self._check_support()
        routers = self._describe_routers()
        wanted = [router["id"] for router in routers if not nas_id or router["id"] == nas_id]
        return {
            "total": sum(router["online"] for router in routers),
            "routers": routers,
            "sessions": self._read_newest(wanted),
        }

    def _describe_routers(self):
        """The routers the user may see, with sessions and last sign of life."""
        routers = self.env["isp.nas"].search([("active", "=", True)])
        live = self._read_routers(routers.ids)
        optional = [name for name in _OPTIONAL if name in routers._fields]
        result = []
        for nas in routers:
            count, reported, age = live.get(nas.id, (0, False, None))
            result.append(
                {
                    "id": nas.id,
                    "name": nas.name,
                    "address": nas.ip_address,
                    "location": nas.location or "",
                    "online": count,
                    "last_contact": reported,
                    # Interims come every few minutes; see radius.close_stale.
                    "silent": age is None or age > 20 * 60,
                    **{name: nas[name] for name in optional},
                }
            )
        return result

    def _read_routers(self, ids):
        """``{router: (open sessions, last report, its age in seconds)}``."""
        rows = self.env.execute_query(
            SQL(
                """
                WITH live AS (
                    SELECT nas_id, count(*) AS number, max(acctupdatetime) AS reported
                      FROM radius.radacct
                     WHERE acctstoptime IS NULL AND nas_id = ANY(%(ids)s)
                     GROUP BY nas_id
                ), login AS (
                    SELECT nas_id, max(authdate) AS reported FROM radius.radpostauth
                     WHERE authdate > now() - interval '1 hour' AND nas_id = ANY(%(ids)s)
                     GROUP BY nas_id
                )
                SELECT COALESCE(live.nas_id, login.nas_id), COALESCE(live.number, 0),
                       to_char(GREATEST(live.reported, login.reported) AT TIME ZONE 'UTC',
                               'YYYY-MM-DD HH24:MI:SS'),
                       extract(epoch FROM now() - GREATEST(live.reported, login.reported))::float
                  FROM live FULL JOIN login ON login.nas_id = live.nas_id
                """,
                ids=ids,
            )
        )
        return {row[0]: row[1:] for row in rows}

    def _read_newest(self, nas_ids):
        """The newest open sessions at the routers."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT a.radacctid, a.username, s.id, p.name, n.name, host(a.framedipaddress),
                       a.callingstationid,
                       to_char(a.acctstarttime AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                       COALESCE(a.acctoutputoctets, 0) / 1000000,
                       COALESCE(a.acctinputoctets, 0) / 1000000
                  FROM (SELECT * FROM radius.radacct
                         WHERE acctstoptime IS NULL AND nas_id = ANY(%s)
                         ORDER BY acctstarttime DESC LIMIT %s) a
                  JOIN isp_nas n ON n.id = a.nas_id
                  LEFT JOIN isp_subscription s
                         ON s.id = a.subscription_id AND s.company_id = n.company_id
                  LEFT JOIN res_partner p ON p.id = s.partner_id
                 ORDER BY a.acctstarttime DESC
                """,
                nas_ids,
                MAX_SESSIONS,
            )
        )
        names = (
            "id",
            "username",
            "subscription_id",
            "customer",
            "router",
            "ip",
            "mac",
            "since",
            "download_mb",
            "upload_mb",
        )
        return [dict(zip(names, row, strict=True)) for row in rows]
