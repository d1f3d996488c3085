from odoo import http
from odoo.exceptions import AccessError
from odoo.http import content_disposition, request


class PrivacySealed(http.Controller):
    """Documents that an erasure sealed."""

    @http.route("/isp_privacy/sealed/<int:kept_id>", type="http", auth="user", readonly=False)
    def sealed_document(self, kept_id):
        """Hand out what the user has opened for a reason a moment ago."""
        kept = request.env["privacy.erasure.kept"].browse(kept_id).exists()
        try:
            kept.check_access("read")
        except AccessError:
            raise request.not_found() from None
        content = kept._read_opened() if kept else None
        if content is None:
            raise request.not_found()
        headers = [
            ("Content-Type", kept.mimetype or "application/octet-stream"),
            ("Content-Disposition", content_disposition(f"sealed-{kept.id}")),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return request.make_response(content, headers)
