from odoo import api, models
from odoo.exceptions import AccessError


class PrivacyAudited(models.AbstractModel):
    """Base of models whose changes are written into the audit chain.

    Fields named in ``_guarded`` say who decided something: the record's own methods write them, and
    nobody else, or a decision could be put into another person's mouth.
    """

    _name = "privacy.audited"
    _description = "Audited"
    _guarded = ()

    @api.model_create_multi
    def create(self, vals_list):
        """Write down who added what."""
        if not self.env.su:
            for vals in vals_list:
                self._refuse_guarded(vals)
            unsafe = {f"default_{name}" for name in self._guarded}
            context = self.env.context
            safe = {key: context[key] for key in context.keys() - unsafe}
            # Replaced, for a key cannot be taken out otherwise.
            self = self.with_context(safe)  # pylint: disable=context-overridden
        records = super().create(vals_list)
        if records:
            self.env["privacy.audit"]._log("create", records)
        return records

    def write(self, vals):
        """Write down who changed which fields."""
        if not self.env.su:
            self._refuse_guarded(vals)
        result = super().write(vals)
        if self and (changed := self._own_fields(vals)):
            self.env["privacy.audit"]._log("write", self, fields=changed)
        return result

    def unlink(self):
        """Write down who deleted what."""
        if self:
            self.env["privacy.audit"]._log("unlink", self)
        return super().unlink()

    @api.model
    def _own_fields(self, names):
        """Return the names without those of the chatter, which write themselves."""
        return [name for name in names if not name.startswith(("message_", "activity_"))]

    @api.model
    def _refuse_guarded(self, vals):
        for name in self._guarded:
            if name in vals:
                raise AccessError(
                    self.env._(
                        "“%(field)s” is set by the buttons of the form and cannot be entered.",
                        field=self._fields[name]._description_string(self.env),
                    )
                )
