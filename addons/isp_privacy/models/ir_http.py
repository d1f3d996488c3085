import logging

from odoo import models
from odoo.http import request

from .privacy_cookie import CLASSES

_logger = logging.getLogger(__name__)

CHOICE_COOKIE = "privacy_cookies"
CHOICE_DAYS = 180
OPTIONAL_CLASSES = [name for name, _label in CLASSES if name != "essential"]
# Pages on which customers pay, and those around them that hold links to pay with.
_PORTAL_PATHS = ("/my", "/payment")
# Scripts of our own server only: what runs on a page of payment could read what is typed there.
# Odoo's pages hold scripts in line and compile their templates, so these two stay allowed.
CONTENT_POLICY = (
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; frame-ancestors 'self'"
)
# What Odoo's own code calls its two kinds. The cookies it calls optional follow campaigns.
ODOO_TYPES = {"required": "essential", "optional": "marketing"}


class IrHttp(models.AbstractModel):
    """Cookies only by choice: the last gate before an answer leaves the server."""

    _inherit = "ir.http"

    # === THE VISITOR'S CHOICE === #

    @classmethod
    def _privacy_choice(cls):
        """Return the classes the visitor has chosen, None before any choice."""
        value = request.cookies.get(CHOICE_COOKIE)
        if value is None:
            return None
        return frozenset(value.split("-")) & frozenset(OPTIONAL_CLASSES)

    @classmethod
    def _privacy_allows(cls, cookie_class):
        """Tell if cookies and scripts of a class may be used for this visitor."""
        if cookie_class == "essential":
            return True
        return cookie_class in (cls._privacy_choice() or ())

    @classmethod
    def _privacy_choose(cls, classes):
        """Keep what the visitor chose, and delete the cookies of what was not chosen."""
        chosen = [name for name in OPTIONAL_CLASSES if name in classes]
        request.future_response.set_cookie(
            CHOICE_COOKIE,
            "-".join(chosen) or "none",
            max_age=CHOICE_DAYS * 24 * 3600,
            secure=request.httprequest.url.startswith("https:"),
            samesite="Lax",
        )
        Cookie = request.env["privacy.cookie"]
        host = request.httprequest.host.partition(":")[0]
        for name in request.cookies:
            if Cookie._get_class(name) not in ("essential", None, *chosen):
                # With and without the domain: a browser keeps them apart.
                for domain in (None, host):
                    request.future_response.set_cookie(name, max_age=0, domain=domain)

    # === GATES === #

    @classmethod
    def _is_allowed_cookie(cls, cookie_type):
        """Let code ask by class, besides by Odoo's two types."""
        cookie_class = ODOO_TYPES.get(cookie_type, cookie_type)
        if cookie_class == "essential":
            return super()._is_allowed_cookie("required")
        return cls._privacy_allows(cookie_class)

    @classmethod
    def _post_dispatch(cls, response):
        result = super()._post_dispatch(response)
        cls._privacy_gate(response)
        # Addresses may hold the token of a document: other sites learn the host at most.
        response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        path = request.httprequest.path
        if any(path == one or path.startswith(f"{one}/") for one in _PORTAL_PATHS):
            response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        return result

    @classmethod
    def _handle_error(cls, exception):
        answer = super()._handle_error(exception)
        # A redirection that is raised carries its cookies along.
        cls._privacy_gate(getattr(answer, "response", None) or answer)
        return answer

    @classmethod
    def _privacy_gate(cls, response):
        """Take out the cookies whose class the visitor has not chosen.

        By name, for most code that sets a cookie does not say its class. A cookie that is not in
        the inventory passes, or a new addon would break; the log tells of it.
        """
        headers = getattr(response, "headers", None)
        if headers is None or "Set-Cookie" not in headers:
            return
        lines = headers.getlist("Set-Cookie")
        kept = [line for line in lines if cls._privacy_may_set(line)]
        if len(kept) < len(lines):
            headers.remove("Set-Cookie")
            for line in kept:
                headers.add("Set-Cookie", line)

    @classmethod
    def _privacy_may_set(cls, line):
        name, _sign, rest = line.partition("=")
        cookie_class = request.env["privacy.cookie"]._get_class(name.strip())
        if cookie_class is None:
            _logger.warning("Cookie %s is not in the inventory: add it with its class", name)
            return True
        return "max-age=0" in rest.lower() or cls._privacy_allows(cookie_class)
