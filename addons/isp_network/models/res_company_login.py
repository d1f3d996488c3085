import ipaddress
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    """How customers are recognised: by their realm, and on the payment page by their address."""

    _inherit = "res.company"

    _privacy_free = {"How logins look, and our own proxies.": "isp_realm isp_walled_proxies"}

    isp_realm = fields.Char(
        "Realm of logins",
        help="A customer may log in as username@realm as well as by the username alone.",
    )
    isp_walled_proxies = fields.Char(
        "Trusted proxies of the payment page",
        help="Addresses of the reverse proxies, separated by spaces, whose X-Forwarded-For is "
        "believed when a customer opens the payment page. Left empty, only the address of the "
        "connection itself counts.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("isp_realm")
    def _check_isp_realm(self):
        for company in self.filtered("isp_realm"):
            if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", company.isp_realm):
                raise ValidationError(
                    self.env._(
                        "“%(realm)s” cannot be a realm. Take small letters, digits, dots and "
                        "hyphens, as in isp.example.",
                        realm=company.isp_realm,
                    )
                )

    @api.constrains("isp_walled_proxies")
    def _check_isp_walled_proxies(self):
        for company in self:
            for word in (company.isp_walled_proxies or "").split():
                try:
                    ipaddress.ip_network(word)
                except ValueError:
                    raise ValidationError(
                        self.env._(
                            "“%(word)s” is neither an IP address nor a network. Write them like "
                            "10.20.0.1 or 10.20.0.0/24.",
                            word=word,
                        )
                    ) from None

    # === BUSINESS METHODS === #

    @api.model
    def _get_walled_proxies(self):
        """Networks whose X-Forwarded-For is believed, of all companies."""
        # sudo: the payment page is public and does not know the company yet.
        texts = self.sudo().search([("isp_walled_proxies", "!=", False)])
        return [
            ipaddress.ip_network(word)
            for text in texts.mapped("isp_walled_proxies")
            for word in text.split()
        ]
