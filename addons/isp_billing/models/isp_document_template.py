import atexit
from pathlib import Path

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..engine.document_sample import get_samples
from ..engine.document_text import Currency, Writer
from ..engine.documents import DocumentError, Renderer

FOLDER = Path(__file__).parents[1] / "data/documents"
SHIPPED = [
    ("bill_a4.typ", "Bill, A4"),
    ("receipt_80.typ", "Receipt, 80 mm"),
    ("mushak_63.typ", "VAT challan Mushak 6.3"),
]
BENGALI = "bn"

renderer = Renderer()
atexit.register(renderer.close)


class IspDocumentTemplate(models.Model):
    """How bills look: the text of a Typst template, shipped or the operator's own.

    A template sees nothing but the data of one bill; ``docs/documents.md`` describes them.
    """

    _name = "isp.document.template"
    _description = "Bill template"
    _order = "kind, sequence, id"

    _privacy_free = "Layout of bills; whose bill it is is filled in when it is printed."

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(
        default=10, help="The topmost template of a kind that the company may use is used."
    )
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [("bill", "Bill"), ("receipt", "Receipt"), ("vat", "VAT challan")],
        required=True,
        default="bill",
    )
    paper = fields.Selection(
        [("a4", "A4"), ("receipt80", "80 mm roll")], required=True, default="a4"
    )
    company_id = fields.Many2one(
        "res.company", index=True, help="Left empty, every company may use it."
    )
    native_digits = fields.Boolean(
        "Bengali digits",
        default=True,
        help="In Bangla, amounts and dates are written with Bengali digits.",
    )
    shipped = fields.Selection(SHIPPED, "Comes from", required=True, default="bill_a4.typ")
    own_source = fields.Text("Own text", copy=True, help="Empty while the shipped text is used.")
    source = fields.Text(
        compute="_compute_source",
        inverse="_inverse_source",
        string="Template",
        help="Written in Typst. It is tried with sample bills when it is saved.",
    )
    is_edited = fields.Boolean("Edited", compute="_compute_source")

    # === COMPUTE METHODS === #

    @api.depends("own_source", "shipped")
    def _compute_source(self):
        for template in self:
            template.source = template.own_source or template._read_shipped()
            template.is_edited = bool(template.own_source)

    def _inverse_source(self):
        for template in self:
            source = template.source or ""
            is_own = source.strip() and source != template._read_shipped()
            template.own_source = source if is_own else False

    # === CONSTRAINT METHODS === #

    @api.constrains("own_source")
    def _check_own_source(self):
        for template in self.filtered("own_source"):
            template._check_source()

    def _check_source(self):
        """Set sample bills by the template.

        :raises ValidationError: naming the line and what is wrong
        """
        self.ensure_one()
        for sample in get_samples():
            try:
                renderer.render(self.source, sample)
            except DocumentError as error:
                raise ValidationError(self._explain(error)) from error

    # === CRUD METHODS === #

    def copy_data(self, default=None):
        default = default or {}
        return [
            {
                **vals,
                "name": self.env._("%s (copy)", template.name),
                "company_id": template.company_id.id or self.env.company.id,
                "sequence": template.sequence + 1,
                **default,
            }
            for template, vals in zip(self, super().copy_data(default), strict=True)
        ]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_last(self):
        for template in self:
            others = Domain("kind", "=", template.kind) & Domain("id", "not in", self.ids)
            if not self.search_count(others & Domain("company_id", "=", False)):
                raise UserError(
                    self.env._(
                        "“%(name)s” is the last template of its kind for all companies. Archive "
                        "it, or restore the shipped text.",
                        name=template.name,
                    )
                )

    # === ACTION METHODS === #

    def action_restore(self):
        """Use the shipped text again."""
        self.write({"own_source": False})

    def action_preview(self):
        """Show a sample or a chosen bill."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview"),
            "res_model": "isp.document.preview",
            "view_mode": "form",
            "target": "new",
            "context": {"default_template_id": self.id},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _get_for(self, kind, company):
        """The template of ``kind`` that ``company`` uses.

        :raises UserError: when all are archived
        """
        # sudo: who prints a bill, the customer included, need not be able to read templates.
        templates = self.sudo().search(
            [("kind", "=", kind), ("company_id", "in", (False, company.id))]
        )
        if not templates:
            raise UserError(
                self.env._(
                    "%(company)s has no template for this document. Restore one from the archive "
                    "in ISP / Configuration / Bill templates.",
                    company=company.display_name,
                )
            )
        return templates[0]

    def _render_many(self, bills, common):
        """The PDF files of ``bills``, data as the template reads them.

        :raises UserError: naming the line when one cannot be set
        """
        self.ensure_one()
        files = renderer.render_many(self.source, bills, common)
        for bill, content in zip(bills, files, strict=True):
            if isinstance(content, DocumentError):
                raise UserError(
                    self.env._(
                        "%(number)s cannot be printed. %(reason)s",
                        number=bill.get("number") or self.env._("The draft"),
                        reason=self._explain(content),
                    )
                ) from content
        return files

    def _get_writer(self, lang):
        """The :class:`Writer` of amounts and dates in ``lang``, a ``res.lang``."""
        self.ensure_one()
        return Writer(
            (lang.code or "en")[:2],
            native_digits=self.native_digits,
            groups=tuple(int(part) for part in lang.grouping.strip("[]").split(",") if part),
            point=lang.decimal_point,
            separator=lang.thousands_sep or "",
        )

    @api.model
    def _get_currency(self, currency):
        """The engine's :class:`Currency` of a ``res.currency``."""
        return Currency(
            currency.name,
            currency.symbol or currency.name,
            currency.decimal_places,
            currency.position == "after",
            currency.currency_unit_label or "",
            currency.currency_subunit_label or "",
        )

    def _read_shipped(self):
        self.ensure_one()
        return (FOLDER / self.shipped).read_text() if self.shipped else ""

    def _explain(self, error):
        """A :class:`DocumentError` in the words of the user."""
        self.ensure_one()
        if error.line:
            return self.env._(
                "Template “%(name)s”, line %(line)s: %(message)s",
                name=self.name,
                line=error.line,
                message=". ".join([error.message, *error.hints]),
            )
        return self.env._("Template “%(name)s”: %(message)s", name=self.name, message=error.message)
