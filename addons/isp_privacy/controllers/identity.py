from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..engine import upload
from ..models.privacy_kyc import KINDS, OPEN
from ..models.privacy_kyc_document import SIDES
from .exports import send

PAGE = "/my/privacy/identity"
# All pictures of a document, and the rest of the form.
MAX_FORM_BYTES = len(SIDES) * upload.MAX_BYTES + 2**20
# Shown by the browser itself; of anything else it takes a copy.
_SHOWN = {upload.JPEG}


class PrivacyIdentity(CustomerPortal):
    """Pictures of identity documents: sent by the customer, opened by officers."""

    # === STAFF === #

    @http.route(
        "/isp_privacy/identity/<int(max=2147483647):document_id>",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=False,
    )
    def open_document(self, document_id):
        """Show one picture to an officer, and write down that it was shown."""
        document = request.env["privacy.kyc.document"].browse(document_id).exists()
        try:
            document.check_access("read")
        except AccessError:
            raise request.not_found() from None
        if not document.size_bytes:
            raise request.not_found()
        stream = document._open_logged()
        name = f"identity-{document.id}{document._get_ending()}"
        as_attachment = document.mimetype not in _SHOWN
        return request.make_response(
            send(stream),
            [
                ("Content-Type", document.mimetype),
                ("Content-Length", str(stream.size)),
                ("Content-Disposition", content_disposition(name) if as_attachment else "inline"),
                # Whatever is in the file: it runs no script and loads nothing.
                ("Content-Security-Policy", "default-src 'none'; img-src 'self'; sandbox"),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
            ],
        )

    # === CUSTOMER === #

    @http.route(PAGE, type="http", auth="user", methods=["GET"], website=True)
    def portal_my_identity(self, **_kwargs):
        """Show how far the check of the own identity is; never the document itself."""
        return self._render_identity()

    @http.route(
        PAGE,
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
        max_content_length=MAX_FORM_BYTES,
    )
    def portal_send_identity(self, kind="", number="", **files):
        """Take number and pictures of the own document."""
        sent = {
            side: files[side].stream
            for side, _label in SIDES
            if getattr(files.get(side), "filename", "")
        }
        try:
            # All of it or nothing: what is refused leaves no half of a document behind.
            with request.env.cr.savepoint():
                request.env["privacy.kyc"]._send_from_portal(kind, number, sent)
        except UserError as error:
            return self._render_identity(str(error), kind)
        return request.redirect(PAGE)

    def _render_identity(self, error=None, kind="nid"):
        partner, company = request.env.user.partner_id, request.env.company
        state = partner.sudo()._privacy_kyc_state(company)
        # sudo: customers read no identity documents, and see the state of the own ones.
        own = request.env["privacy.kyc"].sudo()
        own = own.search([("partner_id", "=", partner.id), ("company_id", "=", company.id)])
        values = self._prepare_portal_layout_values()
        values.update(
            page_name="privacy",
            is_privacy_identity=True,
            documents=own,
            can_send=state not in ("approved", *OPEN),
            kinds=own._fields["kind"]._description_selection(request.env),
            kind=kind if kind in dict(KINDS) else "nid",
            sides=own.document_ids._fields["side"]._description_selection(request.env),
            limit_mb=upload.MAX_BYTES // 2**20,
            error=error,
        )
        return request.render("isp_privacy.portal_my_identity", values)
