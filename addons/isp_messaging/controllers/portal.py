from odoo import http
from odoo.http import request

from odoo.addons.isp_billing.controllers.portal import PortalService

from ..const import CHANNELS


class PortalMessages(PortalService):
    """The customer's choice of channels, on the page of their services."""

    @http.route()
    def portal_my_services(self, **kwargs):
        """Add the choice to the page."""
        response = super().portal_my_services(**kwargs)
        services_sudo = response.qcontext.get("services")
        if services_sudo:
            offered = services_sudo[:1].company_id._get_isp_channels()
            partner_sudo = services_sudo[:1].partner_id
            labels = dict(
                request.env["res.partner"]
                ._fields["isp_channel_1"]
                ._description_selection(request.env)
            )
            response.qcontext.update(
                isp_channels=[(name, labels[name]) for name, _label in CHANNELS if name in offered],
                isp_chosen=[partner_sudo[f"isp_channel_{number}"] for number in (1, 2, 3)],
            )
        return response

    @http.route("/my/services/channels", type="http", auth="user", methods=["POST"], website=True)
    def portal_choose_channels(self, **form):
        """Keep by which channels the customer wants to be reached, in their order."""
        known = dict(CHANNELS)
        names = [form.get(f"isp_channel_{number}") for number in (1, 2, 3)]
        # Each once and without gaps; an empty choice follows the company.
        chosen = list(dict.fromkeys(name for name in names if name in known))
        chosen += [False] * (3 - len(chosen))
        # Whoever sees the services of an account chooses for those who are reminded of them.
        partners_sudo = self._search_services().partner_id
        partners_sudo.write(
            {f"isp_channel_{number}": name for number, name in enumerate(chosen, 1)}
        )
        return request.redirect("/my/services#channels")
