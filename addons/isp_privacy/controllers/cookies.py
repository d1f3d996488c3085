from odoo import http
from odoo.http import request

from ..models.ir_http import OPTIONAL_CLASSES

PAGE = "/privacy/cookies"


class PrivacyCookies(http.Controller):
    """Which cookies there are, and the visitor's choice among them."""

    @http.route(PAGE, type="http", auth="public", methods=["GET"], website=True)
    def show_cookies(self, **_kwargs):
        """Show the inventory with the choice; always reachable."""
        Cookie = request.env["privacy.cookie"].sudo()  # sudo: everybody may know the inventory
        labels = dict(Cookie._fields["cookie_class"]._description_selection(request.env))
        chosen = request.env["ir.http"]._privacy_choice()
        values = {
            "page_name": "privacy_cookies",
            "no_breadcrumbs": True,
            "is_cookie_page": True,
            "has_chosen": chosen is not None,
            "classes": [
                {
                    "name": name,
                    "label": label,
                    "essential": name == "essential",
                    "chosen": name in (chosen or ()),
                    "cookies": Cookie.search([("cookie_class", "=", name)]),
                }
                for name, label in labels.items()
            ],
        }
        return request.render("isp_privacy.cookie_page", values)

    @http.route(PAGE, type="http", auth="public", methods=["POST"], website=True, sitemap=False)
    def choose_cookies(self, answer="", back="", **chosen):
        """Keep the choice: all, only what is essential, or the classes that are ticked."""
        classes = {
            "all": OPTIONAL_CLASSES,
            "essential": [],
        }.get(answer, [name for name in OPTIONAL_CLASSES if chosen.get(name)])
        request.env["ir.http"]._privacy_choose(classes)
        # The redirection stays on this host whatever the form says.
        return request.redirect(back if back.startswith("/") else PAGE)
