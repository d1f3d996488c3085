from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IspDunningStep(models.Model):
    _inherit = "isp.dunning.step"

    _privacy_free = "Steps that go for all customers."

    channel = fields.Selection(
        selection_add=[("preferred", "As the customer chose")],
        ondelete={"preferred": lambda steps: steps.write({"channel": "mail"})},
        default="preferred",
    )
    message_template_id = fields.Many2one(
        "isp.message.template",
        "Text message",
        domain="[('message_class', '=', 'billing'), ('company_id', 'in', [company_id, False])]",
        ondelete="restrict",
        help="Left empty, the text for bills due soon or overdue is used.",
    )

    @api.constrains("action", "channel", "mail_template_id")
    def _check_preferred_mail(self):
        """E-mail is the last resort, so there has to be one."""
        for step in self:
            if (
                step.action == "remind"
                and step.channel == "preferred"
                and not step.mail_template_id
            ):
                raise ValidationError(
                    self.env._("“%(step)s”: choose the message.", step=step.display_name)
                )

    def _get_message_template(self):
        """Return the template of the text message of a reminder."""
        self.ensure_one()
        code = "dunning_overdue" if self.days > 0 else "dunning_upcoming"
        return self.message_template_id or self.env["isp.message.template"]._get(
            code, self.company_id
        )
