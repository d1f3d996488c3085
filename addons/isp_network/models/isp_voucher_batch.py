import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.isp_billing.const import PASSWORD_ALPHABET

_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_CODE_LENGTH = 10
_PIN_LENGTH = 6
_MOST = 10_000


class IspVoucherBatch(models.Model):
    """Vouchers made and printed together: the same plan, validity and price."""

    _name = "isp.voucher.batch"
    _description = "Batch of vouchers"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _check_company_auto = True

    _privacy_subject = "partner_id"
    _privacy_defaults = {"category": "account", "purpose": "service", "retention": "account"}
    _privacy_fields = {"partner_id": "subject"}
    _privacy_facts = "quantity price state"
    _privacy_free = {"Number of the batch.": "name"}

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    plan_id = fields.Many2one(
        "isp.plan",
        required=True,
        check_company=True,
        ondelete="restrict",
        index=True,
        help="Gives the speed, the pool and how many may use a voucher at a time.",
    )
    partner_id = fields.Many2one(
        "res.partner", "Reseller", check_company=True, help="Who sells the vouchers."
    )
    quantity = fields.Integer(required=True, default=30)
    price = fields.Monetary(required=True, help="Printed on the voucher.")
    validity_count = fields.Integer("Valid for", required=True, default=1)
    validity_unit = fields.Selection(
        [("minute", "Minutes"), ("hour", "Hours"), ("day", "Days")],
        "Unit",
        required=True,
        default="day",
    )
    valid_seconds = fields.Integer(compute="_compute_valid_seconds", store=True)
    sell_by = fields.Datetime(
        "First use until", help="A voucher that was not used by then is worth nothing."
    )
    device_lock = fields.Integer(
        "Devices", default=1, help="How many devices may use one voucher. 0 for any."
    )
    sold_only = fields.Boolean(
        "Only when sold", help="A voucher does not work before a clerk has marked it as sold."
    )
    state = fields.Selection(
        [("draft", "Draft"), ("printed", "Printed"), ("closed", "Closed")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    voucher_ids = fields.One2many("isp.voucher", "batch_id", "Vouchers")
    used_count = fields.Integer("Used", compute="_compute_used_count")

    _quantity_valid = models.Constraint(
        f"CHECK (quantity BETWEEN 1 AND {_MOST})", "A batch has 1 to 10,000 vouchers."
    )
    _validity_positive = models.Constraint(
        "CHECK (validity_count BETWEEN 1 AND 20000)", "The validity is at least 1."
    )
    _device_lock_not_negative = models.Constraint(
        "CHECK (device_lock >= 0 AND price >= 0)", "Devices and price cannot be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("validity_count", "validity_unit")
    def _compute_valid_seconds(self):
        for batch in self:
            batch.valid_seconds = batch.validity_count * _SECONDS.get(batch.validity_unit, 0)

    def _compute_used_count(self):
        for batch in self:
            batch.used_count = len(batch.voucher_ids.filtered("first_used_at"))

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_printed(self):
        if self.filtered(lambda batch: batch.state != "draft"):
            raise UserError(
                self.env._("Vouchers that were printed stay on record. Close the batch instead.")
            )

    # === ACTION METHODS === #

    def action_generate(self):
        """Draw the codes; from then on they work."""
        for batch in self.filtered(lambda batch: batch.state == "draft"):
            batch._generate()
            batch.state = "printed"

    def action_close(self):
        """Let none of the vouchers work any more, used or not."""
        self.filtered(lambda batch: batch.state == "printed").state = "closed"

    def action_print(self):
        """Print the sheet, and note who has seen the codes."""
        self.ensure_one()
        if not self.voucher_ids:
            raise UserError(self.env._("There is nothing to print yet. Generate the vouchers."))
        self._message_log(body=self.env._("Vouchers printed."))
        return self.env.ref("isp_network.isp_voucher_report").report_action(self)

    def action_view_vouchers(self):
        """Open the vouchers of the batch."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_network.isp_voucher_action")
        action.update(domain=[("batch_id", "=", self.id)], context={})
        return action

    # === HELPERS === #

    def _generate(self):
        self.ensure_one()
        codes = set()
        while len(codes) < self.quantity:
            codes.add(self._draw(_CODE_LENGTH))
        self.env["isp.voucher"].create(
            [
                {
                    "batch_id": self.id,
                    "code": f"{code[:5]}-{code[5:]}",
                    "pin": self._draw(_PIN_LENGTH),
                }
                for code in codes
            ]
        )

    @api.model
    def _draw(self, length):
        return "".join(secrets.choice(PASSWORD_ALPHABET) for _position in range(length))

    def _get_validity_words(self):
        """“30 minutes”, “1 day”: what is printed."""
        self.ensure_one()
        count = self.validity_count
        return {
            "minute": self.env._("%(count)s minutes", count=count),
            "hour": self.env._("%(count)s hours", count=count),
            "day": self.env._("%(count)s days", count=count),
        }[self.validity_unit]
