import base64
import io

from PIL import Image

from odoo import fields, models
from odoo.tools import html2plaintext
from odoo.tools.image import base64_to_image

LOGO_PIXELS = (720, 240)
DEFAULT_COLOR = "#0b5c7a"


class ResCompany(models.Model):
    _inherit = "res.company"

    _privacy_free = {"How to pay the operator.": "isp_payment_instructions"}

    isp_bill_layout = fields.Selection(
        [("isp", "Bill of this suite"), ("odoo", "Invoice of Odoo")],
        "Printed bills",
        required=True,
        default="isp",
        help="How invoices of subscriptions are printed and mailed. Other invoices are always "
        "printed by Odoo.",
    )
    isp_print_after_run = fields.Boolean(
        "Make PDF files after the run",
        default=True,
        help="When a billing run is done, the PDF file of each bill is made in the background and "
        "stored with it.",
    )
    isp_payment_instructions = fields.Text(
        "How to pay",
        translate=True,
        help="Printed on each bill beside the code: wallet numbers, bank account, opening hours.",
    )

    # === BUSINESS METHODS - DOCUMENTS === #

    def _isp_localize(self, moment):
        """A moment of the database in the company's time zone."""
        self.ensure_one()
        return fields.Datetime.context_timestamp(
            self.with_context(tz=self._get_isp_timezone().zone), moment
        )

    def _get_document_company(self):
        """The letterhead."""
        # sudo: read for whoever may print a bill of the company.
        company = self.sudo()
        partner = company.partner_id
        logo, ratio = (None, 1) if company.uses_default_logo else _get_logo(company.logo)
        return {
            "name": company.name,
            "color": company.primary_color or DEFAULT_COLOR,
            "address": partner._get_document_address(),
            "contact": [text for text in (company.phone, company.email, company.website) if text],
            "tax_ids": partner._get_document_tax_ids(),
            "logo": logo,
            "logo_ratio": ratio,
            "footer": " · ".join(html2plaintext(company.report_footer or "").split("\n")).strip()
            or company.name,
        }


def _get_logo(data):
    """A logo as the text of an SVG picture, small enough for every bill, and its width by height."""
    if not data:
        return None, 1
    picture = base64_to_image(data)
    picture.thumbnail(LOGO_PIXELS)
    if picture.mode in ("RGBA", "LA", "P"):
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        picture = white
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=90)
    width, height = picture.size
    content = base64.b64encode(file.getvalue()).decode()
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{content}"/></svg>'
    )
    return svg, width / height
