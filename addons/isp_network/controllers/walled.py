import ipaddress
from urllib.parse import urlencode

from odoo import http
from odoo.http import request


class WalledGarden(http.Controller):
    """The page a walled customer is led to: what is owed, and the way to pay it."""

    # === ROUTES === #

    @http.route(
        "/isp/walled",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        website=True,
        sitemap=False,
    )
    def walled(self, login=None, **_kwargs):
        """Tell what is owed.

        A visitor who comes from the address of an open session is led on to the payment. Anybody
        else may ask by username or phone number, and learns the amount and nothing about the
        person.
        """
        subscriptions = request.env["isp.subscription"]
        address = self._get_visitor_address()
        service_sudo = subscriptions._find_by_session_address(address)
        values = {"page_name": "isp_walled", "login": "", "by_address": bool(service_sudo)}
        if service_sudo:
            values |= self._prepare_own_values(service_sudo)
        elif login and request.httprequest.method == "POST":
            values["login"] = login[:64]
            if subscriptions._may_look_up(address):
                service_sudo = subscriptions._find_by_login_or_phone(login[:64])
                values["not_found"] = not service_sudo
            else:
                values["too_many"] = True
        values["service"] = service_sudo
        values["why"] = service_sudo and service_sudo._get_walled_reason()
        response = request.render("isp_network.walled_page", values)
        # What one line owes must not be shown to the next one by a cache.
        response.headers["Cache-Control"] = "no-store"
        return response

    # === HELPERS === #

    def _prepare_own_values(self, service_sudo):
        """What only the line itself is shown: the ways on, with the token of the service.

        Each is ``None`` where it leads nowhere.
        """
        query = urlencode({"access_token": service_sudo._portal_ensure_token()})
        url = f"/my/services/{service_sudo.id}"
        volume = service_sudo._get_volume()
        return {
            "pay_url": f"{url}/pay?{query}" if service_sudo._get_payable_bills() else None,
            "recharge_url": f"{url}?{query}" if service_sudo._can_recharge() else None,
            "topup_url": None if service_sudo._get_topup_problem() else f"{url}/topup?{query}",
            "renewed": volume and volume[1],
        }

    def _get_visitor_address(self):
        """Address that the visitor's packets come from.

        Whoever connects could write any X-Forwarded-For, so it counts only behind the proxies that
        the companies name, and from the right: the last one is what our own proxy has seen.
        """
        environ = request.httprequest.environ
        original = environ.get("werkzeug.proxy_fix.orig") or {}
        peer = original.get("REMOTE_ADDR") or environ.get("REMOTE_ADDR") or ""
        trusted = request.env["res.company"]._get_walled_proxies()
        forwarded = original.get("HTTP_X_FORWARDED_FOR") or environ.get("HTTP_X_FORWARDED_FOR", "")
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        while hops and self._is_in(peer, trusted):
            peer = hops.pop()
        try:
            return ipaddress.ip_address(peer)
        except ValueError:
            return None

    def _is_in(self, text, networks):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in networks)
