from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import CLASSES, PURPOSE_OF_CLASS, PURPOSES


class IspMessageTemplate(models.Model):
    """What a message is for, with its texts in English and Bangla.

    A text never changes: a new wording is a new version, and each message names the one it used.
    """

    _name = "isp.message.template"
    _description = "Template of messages"
    _order = "name, id"

    _privacy_free = "Wording, the same for all customers."

    name = fields.Char(required=True)
    code = fields.Char(copy=False, help="By this code the suite finds the template.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        index=True,
        help="Left empty, all companies use it that have none of their own with the same code.",
    )
    message_class = fields.Selection(
        CLASSES,
        "Class",
        required=True,
        default="service",
        help="Messages on the service and on bills go to everybody, so they must not advertise. "
        "Advertising goes out in the hours of the country, to those who agreed.",
    )
    purpose = fields.Selection(
        PURPOSES,
        compute="_compute_purpose",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    text_ids = fields.One2many("isp.message.text", "template_id", "All versions")
    text_en_id = fields.Many2one("isp.message.text", "English", compute="_compute_texts")
    text_bn_id = fields.Many2one("isp.message.text", "Bangla", compute="_compute_texts")

    _code_uniq = models.UniqueIndex(
        "(code, COALESCE(company_id, 0)) WHERE code IS NOT NULL AND active IS TRUE",
        "There is a template with this code already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("message_class")
    def _compute_purpose(self):
        for template in self:
            template.purpose = PURPOSE_OF_CLASS.get(template.message_class)

    @api.depends("text_ids.number", "text_ids.lang")
    def _compute_texts(self):
        for template in self:
            template.text_en_id = template._find_text("en")
            template.text_bn_id = template._find_text("bn")

    # === CONSTRAINT METHODS === #

    @api.constrains("message_class", "purpose")
    def _check_class(self):
        for template in self:
            if (template.message_class == "promotional") != (template.purpose == "marketing"):
                raise ValidationError(
                    self.env._("Advertising is for “Offers and news”, and nothing else is.")
                )
            template.text_ids._check_text()

    # === ACTIONS === #

    def action_new_version(self):
        """Open a form with the text in use, to be kept as the next version."""
        self.ensure_one()
        lang = self.env.context.get("isp_text_lang", "en")
        text = self._find_text(lang)
        copied = ("body", "dlt_template_id", "dlt_text", "gateway_template_id")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New version"),
            "res_model": "isp.message.text",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_template_id": self.id,
                "default_lang": lang,
                **{f"default_{name}": text[name] for name in copied},
            },
        }

    # === BUSINESS METHODS === #

    @api.model
    def _get(self, code, company):
        """Return the template of a code, the company's own before that of all."""
        # sudo: whoever sends need not see the templates.
        return self.sudo().search(
            [("code", "=", code), ("company_id", "in", [company.id, False])],
            order="company_id NULLS LAST",
            limit=1,
        )

    def _find_text(self, lang):
        """Return the text in use in a language."""
        self.ensure_one()
        return self.text_ids.filtered(lambda text: text.lang == lang).sorted("number")[-1:]

    def _choose_text(self, lang):
        """Return the text in a language, else in the other one."""
        return self._find_text(lang) or self.text_ids.sorted("number")[-1:]
