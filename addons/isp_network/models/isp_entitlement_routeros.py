from odoo import models
from odoo.tools import SQL

# A session that is open keeps these; the rest matters to the next login only.
_IN_SESSION = {
    "access", "download_kbps", "upload_kbps", "burst_download_kbps", "burst_upload_kbps",
    "burst_threshold_download_kbps", "burst_threshold_upload_kbps", "burst_time_s", "priority",
    "framed_pool", "ipv6_pool", "ipv4_address", "delegated_prefix", "address_list",
    "mac_addresses", "username",
}  # fmt: skip
_ON_ROUTER = _IN_SESSION | {
    "nt_secret", "reason", "valid_until", "simultaneous_use", "session_timeout_s", "idle_timeout_s",
}  # fmt: skip


class IspEntitlement(models.Model):
    _inherit = "isp.entitlement"

    _valid_until_idx = models.Index("(valid_until) WHERE valid_until IS NOT NULL")

    def _write_multi(self, vals_list):
        """Routers with logins of their own follow what is about to be committed."""
        # Here and not in write(): computed columns reach the database only through this.
        before = self._read_on_routers()
        res = super()._write_multi(vals_list)
        changes = self.env["isp.nas.change"]
        for entitlement, vals in zip(self, vals_list, strict=True):
            if entitlement.id not in before:
                continue
            old = before[entitlement.id]
            names = {name for name in vals.keys() & old.keys() if _differ(old[name], vals[name])}
            if names:
                changes._collect(
                    entitlement,
                    ends_session=bool(names & _IN_SESSION),
                    # The row under the old name may carry a note, so no query finds it.
                    whole="username" in names and bool(old["username"]),
                )
        return res

    def _read_on_routers(self):
        """``{id: columns}`` of the entitlements whose subscription belongs to a router.

        From the database: a recomputation writes what has not changed as well, and the cache does
        not tell.
        """
        columns = sorted(_ON_ROUTER)
        rows = self.env.execute_query(
            SQL(
                "SELECT e.id, %s FROM isp_entitlement e JOIN isp_subscription s"
                " ON s.id = e.subscription_id WHERE e.id = ANY(%s) AND s.nas_id IS NOT NULL",
                SQL(", ").join(SQL.identifier("e", column) for column in columns),
                list(self._ids),
            )
        )
        return {row_id: dict(zip(columns, values, strict=True)) for row_id, *values in rows}


def _differ(one, other):
    """Whether two values of a column differ; nothing, zero and an empty text are the same."""
    return str(one or "") != str(other or "")
