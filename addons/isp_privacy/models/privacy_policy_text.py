from markupsafe import Markup

from odoo import api, fields, models

from .. import audit_guard
from ..engine import policy_text


class PrivacyPolicyText(models.Model):
    """The text of one version in one language; frozen when the version is published."""

    _name = "privacy.policy.text"
    _description = "Text of a privacy policy"
    _order = "version_id desc, lang"
    _rec_name = "lang"

    _privacy_free = "What everybody is told."

    version_id = fields.Many2one(
        "privacy.policy.version", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="version_id.company_id", store=True, index=True)
    lang = fields.Selection("_selection_lang", "Language", required=True)
    body = fields.Text(
        "Text",
        required=True,
        help="A line that begins with “# ” is a heading, one with “- ” a point of a list. Values in "
        "braces, such as {company} or {answer_days}, are filled in when it is published.",
    )
    published_body = fields.Text("Text as published", readonly=True, copy=False)
    hash = fields.Char(
        "SHA-256", readonly=True, copy=False, help="Of the text as it was published."
    )
    rendered = fields.Html(compute="_compute_rendered", sanitize=False)
    difference = fields.Html("What differs", compute="_compute_difference", sanitize=False)

    _lang_uniq = models.Constraint(
        "UNIQUE(version_id, lang)", "There is a text in this language already."
    )

    def init(self):
        """Let the database itself refuse to change what was published."""
        audit_guard.protect_frozen(self.env.cr, self._table, "hash")

    # === COMPUTE METHODS === #

    @api.model
    def _selection_lang(self):
        # sudo: a text may be in a language that is not installed for screens.
        langs = (
            self.env["res.lang"]
            .sudo()
            .with_context(active_test=False)
            .search([("code", "!=", False)])
        )
        return [(lang.code, lang.name) for lang in langs]

    @api.depends("body", "published_body")
    def _compute_rendered(self):
        for text in self:
            text.rendered = Markup(policy_text.to_html(text._get_readable()))

    @api.depends("body", "published_body", "lang", "version_id")
    def _compute_difference(self):
        for text in self:
            lines = [
                (Markup("<%s>%s</%s><br/>") % (tag, line, tag)) if tag else Markup("%s<br/>") % line
                for tag, line in text._get_difference()
            ]
            text.difference = Markup("").join(lines)

    def _get_difference(self):
        """Return ``(tag, line)`` for each line: ``ins``, ``del``, or None for what stays."""
        previous = self.version_id._get_previous().text_ids.filtered(
            lambda text: text.lang == self.lang
        )
        tags = {"+": "ins", "-": "del", "=": None}
        return [
            (tags[mark], line)
            for mark, line in policy_text.compare(
                previous._get_readable() if previous else "", self._get_readable()
            )
        ]

    def _get_readable(self):
        """Return the text as people read it; a draft with its values as far as they are known."""
        if self.published_body:
            return self.published_body
        try:
            return self._fill()
        except policy_text.UnknownPlaceholder:
            return self.body or ""

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse a text that is added to a published version."""
        ids = {vals.get("version_id") for vals in vals_list} - {None, False}
        self.env["privacy.policy.version"].browse(ids)._check_draft()
        return super().create(vals_list)

    def write(self, vals):
        """Refuse to change what was published."""
        self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _check_draft(self):
        self.version_id._check_draft()

    # === BUSINESS METHODS === #

    def _fill(self):
        """Return the text with its values.

        :raises policy_text.UnknownPlaceholder: when one is not known
        """
        self.ensure_one()
        policy = self.version_id.policy_id
        return policy_text.fill(self.body or "", policy._get_values(self.lang) if policy else {})

    def _get_problems(self):
        """Return why the text cannot be published, as sentences."""
        try:
            self._fill()
        except policy_text.UnknownPlaceholder as error:
            return [
                self.env._(
                    "%(language)s: there is no value for %(names)s.",
                    language=self.lang,
                    names=str(error),
                )
            ]
        return []

    def _freeze(self):
        """Fill in the values and seal the text with its hash."""
        for text in self:
            filled = text._fill()
            text.write({"published_body": filled, "hash": policy_text.digest(filled)})
        # Now, for once it is published the database refuses.
        self.flush_recordset()
