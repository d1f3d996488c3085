import base64

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine.document_sample import get_sample
from ..engine.documents import DocumentError
from ..models.isp_document_template import renderer

PIXELS_PER_INCH = 120


class IspDocumentPreview(models.TransientModel):
    """A template with a sample or a chosen bill, as a picture and as a file."""

    _name = "isp.document.preview"
    _description = "Preview of a bill template"

    template_id = fields.Many2one(
        "isp.document.template", required=True, readonly=True, ondelete="cascade"
    )
    kind = fields.Selection(related="template_id.kind")
    move_id = fields.Many2one(
        "account.move",
        "Bill",
        domain="[('move_type', 'in', ('out_invoice', 'out_refund'))]",
        help="Left empty, a sample is shown.",
    )
    language = fields.Selection(
        [("en", "English"), ("bn", "Bangla")], "Language of the sample", default="en", required=True
    )
    image = fields.Binary(compute="_compute_image", string="First page")
    pdf = fields.Binary(compute="_compute_pdf", string="PDF file")

    # === COMPUTE METHODS === #

    @api.depends("template_id", "move_id", "language")
    def _compute_image(self):
        for preview in self:
            preview.image = preview._render("png")

    @api.depends("template_id", "move_id", "language")
    def _compute_pdf(self):
        for preview in self:
            preview.pdf = preview._render()

    # === ACTION METHODS === #

    def action_open_pdf(self):
        """Open the whole document."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/isp.document.preview/{self.id}/pdf?filename=preview.pdf",
            "target": "new",
        }

    # === BUSINESS METHODS === #

    def _render(self, image_format=None):
        template = self.template_id
        if not template:
            return False
        try:
            content = renderer.render(
                template.source, self._get_bill(), image_format, PIXELS_PER_INCH
            )
        except DocumentError as error:
            raise UserError(template._explain(error)) from error
        return base64.b64encode(content)

    def _get_bill(self):
        self.ensure_one()
        if not self.move_id:
            return get_sample(self.language, self.template_id.native_digits)
        move = self.move_id
        move.check_access("read")
        common, bills = move._get_document_data(
            self.template_id, move._get_document_lang(), self.template_id.kind
        )
        return common | bills[0]
