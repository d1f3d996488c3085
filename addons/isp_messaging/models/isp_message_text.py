from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..const import LANGUAGES, VARIABLES
from ..engine import dlt, placeholders
from ..engine.text_length import measure


class IspMessageText(models.Model):
    """One version of a template's text in one language; never changed, only followed by a new one."""

    _name = "isp.message.text"
    _description = "Text of a template"
    _order = "template_id, lang, number desc"

    _privacy_free = "Wording, the same for all customers."

    template_id = fields.Many2one(
        "isp.message.template", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="template_id.company_id", store=True, index=True)
    message_class = fields.Selection(related="template_id.message_class")
    lang = fields.Selection(LANGUAGES, "Language", required=True, default="en")
    number = fields.Integer("Version", readonly=True, default=0)
    body = fields.Text("Text", required=True, help="Placeholders such as {{ customer }}.")
    dlt_template_id = fields.Char(
        "Template id (DLT)", help="Number of the text at the operators of India."
    )
    dlt_text = fields.Text(
        "Registered text", help="Exactly as registered, with its variables: {#var#}."
    )
    gateway_template_id = fields.Char(
        "Template id of the gateway", help="Where a gateway fills in the variables itself (MSG91)."
    )
    sample = fields.Text(compute="_compute_sample")
    size = fields.Char(compute="_compute_sample", help="Of the example.")

    _number_uniq = models.UniqueIndex(
        "(template_id, lang, number)", "Somebody else has just written a new version."
    )

    # === COMPUTE METHODS === #

    @api.depends("template_id.name", "lang", "number")
    def _compute_display_name(self):
        languages = dict(self._fields["lang"]._description_selection(self.env))
        for text in self:
            text.display_name = self.env._(
                "%(template)s, %(language)s, version %(number)s",
                template=text.template_id.name,
                language=languages.get(text.lang),
                number=text.number,
            )

    @api.depends("body")
    def _compute_sample(self):
        for text in self:
            text.sample = placeholders.fill(text.body, VARIABLES)
            text.size = text._get_size_words(measure(text.sample or ""))

    def _get_size_words(self, size):
        if size.encoding == "gsm7":
            return self.env._(
                "%(units)s characters of the Latin alphabet for phones (GSM-7): parts to pay: "
                "%(parts)s",
                units=size.units,
                parts=size.parts,
            )
        return self.env._(
            "%(units)s characters in Unicode, of which less fit into a part: parts to pay: "
            "%(parts)s",
            units=size.units,
            parts=size.parts,
        )

    # === CONSTRAINT METHODS === #

    @api.constrains("body", "dlt_template_id", "dlt_text")
    def _check_text(self):
        for text in self:
            if problem := text._find_problem():
                raise ValidationError(problem)

    def _find_problem(self):
        """Return what is wrong with the text, None when nothing is."""
        unknown = [name for name in placeholders.names(self.body) if name not in VARIABLES]
        if unknown:
            return self.env._(
                "There is no placeholder %(unknown)s. There are: %(known)s.",
                unknown=", ".join(unknown),
                known=", ".join(VARIABLES),
            )
        if placeholders.left_over(self.sample):
            return self.env._(
                "Braces are left over: a placeholder is written as {{ customer }}, nothing else is "
                "in double braces."
            )
        found = self.env["isp.message.word"]._find(self.sample)
        if found and self.message_class != "promotional":
            return self.env._(
                "Customers cannot refuse this message, so it must not advertise. Take out: "
                "%s. Offers belong into a template of the class “Advertising”.",
                ", ".join(found),
            )
        return self._find_dlt_problem()

    def _find_dlt_problem(self):
        if bool(self.dlt_template_id) != bool(self.dlt_text):
            return self.env._("Enter the template id (DLT) together with the registered text.")
        if not self.dlt_text:
            return None
        if dlt.fixed_share(self.dlt_text) < dlt.MIN_FIXED:
            return self.env._(
                "The registered text is nearly all variables. Operators want at least 30 % of it "
                "to be fixed."
            )
        if dlt.match(self.dlt_text, self.sample) is None:
            return self.env._(
                "The text differs from the registered one. They must be the same, letter by "
                "letter, with a placeholder of at most 30 characters where the other has {#var#}."
            )
        return None

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Number the versions of each template and language."""
        used = {}
        for vals in vals_list:
            key = vals.get("template_id"), vals.get("lang") or "en"
            if key not in used:
                last = self.search(
                    [("template_id", "=", key[0]), ("lang", "=", key[1])],
                    order="number desc",
                    limit=1,
                )
                used[key] = last.number
            used[key] += 1
            vals["number"] = used[key]
        return super().create(vals_list)

    def write(self, vals):
        """Refuse: messages name the version that they used."""
        if vals.keys() - {"company_id"}:
            raise UserError(
                self.env._("A version is never changed. Write a new one: the next messages use it.")
            )
        return super().write(vals)

    # === BUSINESS METHODS === #

    @api.model
    def _find_registered(self, company, body):
        """Return the registered text of which a body is an instance, such as of a stock message."""
        # sudo: whoever sends need not see the templates.
        texts = self.sudo().search(
            [("dlt_text", "!=", False), ("company_id", "in", [company.id, False])]
        )
        return texts.filtered(lambda text: dlt.match(text.dlt_text, body) is not None)[:1]
