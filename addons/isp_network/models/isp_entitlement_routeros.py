from odoo import models

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
        res = super()._write_multi(vals_list)
        changes = self.env["isp.nas.change"]
        for entitlement, vals in zip(self, vals_list, strict=True):
            names = vals.keys()
            if names & _ON_ROUTER:
                changes._collect(
                    entitlement,
                    ends_session=bool(names & _IN_SESSION),
                    # The row under the old name may carry a note, so no query finds it.
                    whole="username" in names,
                )
        return res
