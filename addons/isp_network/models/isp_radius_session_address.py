from odoo import api, models
from odoo.fields import Domain

# Fields that tell whose an address was.
_ADDRESSES = {"ip_address", "ipv6_prefix"}


class IspRadiusSession(models.Model):
    """Who *has* an address may be asked by everyone who sees sessions, who *had* it not."""

    _inherit = "isp.radius.session"

    @api.model
    def _search(self, domain, *args, **kwargs):
        domain = Domain(domain)
        asks = any(one.field_expr in _ADDRESSES for one in domain.iter_conditions())
        lawful = self.env.su or self.env.user.has_group("isp_network.group_isp_lawful")
        if asks and not lawful:
            domain &= Domain("state", "=", "online")
        return super()._search(domain, *args, **kwargs)
