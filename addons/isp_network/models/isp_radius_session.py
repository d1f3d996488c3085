from odoo import fields, models
from odoo.tools import SQL

_LAWFUL_GROUP = "isp_network.group_isp_lawful"


class IspRadiusSession(models.Model):
    """A session of a subscriber, as routers reported it by RADIUS accounting.

    Who *has* an address is seen by everyone who sees sessions. Who *had* it is seen by those who
    answer lawful requests only: to others the addresses of sessions that ended are empty, however
    they read, search, group or export.
    """

    _name = "isp.radius.session"
    _description = "RADIUS session"
    _auto = False
    _order = "id desc"
    _rec_name = "username"
    _depends = {"isp.subscription": ["company_id", "partner_id"], "isp.nas": ["company_id"]}

    _privacy_subject = "partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "licence",
        "retention": "network",
        "erasure": "delete",
    }
    _privacy_fields = {
        "username ip_address ipv6_prefix mac_address session_ref": {},
        "partner_id": "subject",
    }
    _privacy_facts = "date_start date_stop duration_hours download_mb upload_mb"
    _privacy_retention = {"anchor": "date_stop", "begin": "date_start"}
    _privacy_tables = {"radius.radacct": "The sessions themselves, deleted by their subscription."}

    username = fields.Char(readonly=True)
    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    nas_id = fields.Many2one("isp.nas", "Router", readonly=True)
    nas_address = fields.Char("Router address", readonly=True)
    nas_port = fields.Char("Interface", readonly=True)
    state = fields.Selection([("online", "Online"), ("closed", "Closed")], readonly=True)
    date_start = fields.Datetime("Since", readonly=True)
    date_update = fields.Datetime("Last report", readonly=True)
    date_stop = fields.Datetime("Until", readonly=True)
    duration_hours = fields.Float("Duration", readonly=True)
    download_mb = fields.Float("Downloaded (MB)", digits=(16, 1), readonly=True)
    upload_mb = fields.Float("Uploaded (MB)", digits=(16, 1), readonly=True)
    # What a field holds depends on who asks, so the cache must not be shared.
    ip_address = fields.Char("IP address", readonly=True, depends_context=("uid", "su"))
    ipv6_prefix = fields.Char("IPv6 prefix", readonly=True, depends_context=("uid", "su"))
    mac_address = fields.Char("Device", readonly=True, help="MAC address or calling station.")
    terminate_cause = fields.Char("Ended by", readonly=True)
    session_ref = fields.Char("Session number", readonly=True)

    @property
    def _table_query(self):
        # Two branches, each with its state as a constant: PostgreSQL drops the one that is not
        # asked for, so who is online now never touches the months of the past.
        return SQL(
            "%s UNION ALL %s",
            self._select_sessions("online", SQL("a.acctstoptime IS NULL"), True),
            self._select_sessions(
                "closed",
                SQL("a.acctstoptime IS NOT NULL"),
                self.env.su or self.env.user.has_group(_LAWFUL_GROUP),
            ),
        )

    def _select_sessions(self, state, condition, with_addresses):
        addresses = SQL(
            "host(a.framedipaddress) AS ip_address,"
            " COALESCE(a.delegatedipv6prefix, a.framedipv6prefix)::text AS ipv6_prefix"
            if with_addresses
            else "NULL::text AS ip_address, NULL::text AS ipv6_prefix"
        )
        # Input and output are seen from the router: it receives what the customer uploads.
        return SQL(
            """
            SELECT a.radacctid AS id, a.username, s.id AS subscription_id, s.partner_id,
                COALESCE(s.company_id, n.company_id) AS company_id, n.id AS nas_id,
                host(a.nasipaddress) AS nas_address, a.nasportid AS nas_port,
                %(state)s::varchar AS state,
                a.acctstarttime AT TIME ZONE 'UTC' AS date_start,
                a.acctupdatetime AT TIME ZONE 'UTC' AS date_update,
                a.acctstoptime AT TIME ZONE 'UTC' AS date_stop,
                COALESCE(a.acctsessiontime, 0) / 3600.0 AS duration_hours,
                COALESCE(a.acctoutputoctets, 0) / 1000000.0 AS download_mb,
                COALESCE(a.acctinputoctets, 0) / 1000000.0 AS upload_mb,
                %(addresses)s,
                a.callingstationid AS mac_address, a.acctterminatecause AS terminate_cause,
                a.acctsessionid AS session_ref
            FROM radius.radacct a
            LEFT JOIN isp_subscription s ON s.id = a.subscription_id
            LEFT JOIN isp_nas n ON n.id = a.nas_id
            WHERE %(condition)s
            """,
            state=state,
            condition=condition,
            addresses=addresses,
        )

    # === BUSINESS METHODS - RETENTION === #

    def _privacy_delete(self):
        """Delete the rows themselves."""
        self.env.execute_query(
            SQL(
                "DELETE FROM radius.radacct WHERE radacctid = ANY(%s) RETURNING 1",
                self.ids,
            )
        )
        self.invalidate_model()

    def _privacy_drop(self, free, due):
        """Drop whole months; see :meth:`isp.radius.month._drop_between`."""
        return self.env["isp.radius.month"]._drop_between("radacct", free, due)
