from passlib.hash import nthash

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.isp_base import crypto
from odoo.addons.isp_base.encryption import encrypted_char

STATES = [
    ("available", "Available"),
    ("sold", "Sold"),
    ("used", "In use"),
    ("expired", "Expired"),
    ("cancelled", "Cancelled"),
]
# What the states mean in the database; the same as _compute_state.
_STATE_SQL = """
    CASE WHEN v.sale_state = 'cancelled' OR b.state = 'closed' THEN 'cancelled'
        WHEN COALESCE(u.valid_until, b.sell_by) <= now() AT TIME ZONE 'UTC' THEN 'expired'
        WHEN u.voucher_id IS NOT NULL THEN 'used'
        ELSE v.sale_state END
"""


class IspVoucher(models.Model):
    """A code that gives access for some time from its first use.

    RADIUS writes the first use at the moment of the login, in a table of its own that this model
    reads, so the time runs exactly and needs no job.
    """

    _name = "isp.voucher"
    _description = "Voucher"
    _inherit = ["isp.encrypted.mixin"]
    _order = "batch_id desc, id"
    _rec_name = "code"

    _privacy_subject = "batch_id.partner_id"
    _privacy_defaults = {"category": "credential", "purpose": "service", "retention": "account"}
    _privacy_fields = {
        "pin nt_secret chap_secret": "secret",
        "sold_by": "staff",
    }
    _privacy_free = {"Printed on a card that anybody may buy; who did is not asked.": "code"}
    _privacy_tables = {
        "radius.voucher_use": "The device goes with the voucher's row, a job takes it over at once.",
    }

    batch_id = fields.Many2one(
        "isp.voucher.batch", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="batch_id.company_id", store=True, index=True, precompute=True
    )
    plan_id = fields.Many2one(related="batch_id.plan_id")
    code = fields.Char(required=True, readonly=True, copy=False)
    pin, pin_enc, pin_bidx, pin_last4 = encrypted_char(
        "pin", "PIN", groups="isp_base.group_isp_clerk", indexed=False
    )
    nt_secret = fields.Char(
        compute="_compute_secrets", store=True, groups="base.group_system", copy=False
    )
    chap_secret = fields.Char(
        compute="_compute_secrets", store=True, groups="base.group_system", copy=False
    )
    sale_state = fields.Selection(
        [("available", "Available"), ("sold", "Sold"), ("cancelled", "Cancelled")],
        "Sale",
        required=True,
        readonly=True,
        default="available",
        copy=False,
    )
    sold_on = fields.Datetime(readonly=True, copy=False)
    sold_by = fields.Many2one("res.users", readonly=True, copy=False)
    first_used_at = fields.Datetime("First used", compute="_compute_use")
    valid_until = fields.Datetime(compute="_compute_use")
    device = fields.Char("First device", compute="_compute_use")
    state = fields.Selection(STATES, compute="_compute_use", search="_search_state")

    _code_uniq = models.UniqueIndex("(lower(code))", "Another voucher has this code.")

    # === COMPUTE METHODS === #

    @api.depends("pin_enc", "batch_id.plan_id.allow_chap")
    def _compute_secrets(self):
        for voucher in self:
            # sudo: sealing needs the PIN, whoever caused the change.
            pin = voucher.sudo().pin
            chap = pin and voucher.batch_id.plan_id.allow_chap
            voucher.nt_secret = crypto.radius_encrypt(nthash.hash(pin)) if pin else False
            voucher.chap_secret = crypto.radius_encrypt(pin) if chap else False

    def _compute_use(self):
        self.env["isp.voucher.batch"].flush_model()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT v.id, u.first_used_at, u.valid_until, u.mac, %s
                FROM isp_voucher v JOIN isp_voucher_batch b ON b.id = v.batch_id
                LEFT JOIN radius.voucher_use u ON u.voucher_id = v.id WHERE v.id = ANY(%s)
                """,
                SQL(_STATE_SQL),
                self.ids,
            )
        )
        found = {row[0]: row[1:] for row in rows}
        for voucher in self:
            used, until, mac, state = found.get(voucher.id, (False, False, False, "available"))
            voucher.first_used_at = used
            voucher.valid_until = until
            voucher.device = mac
            voucher.state = state

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        ids = SQL(
            """(
                SELECT v.id FROM isp_voucher v JOIN isp_voucher_batch b ON b.id = v.batch_id
                LEFT JOIN radius.voucher_use u ON u.voucher_id = v.id WHERE %s = ANY(%s)
            )""",
            SQL(_STATE_SQL),
            list(value),
        )
        return [("id", "in", ids)]

    # === ACTION METHODS === #

    def action_sell(self):
        """Note that the voucher was sold."""
        todo = self.filtered(lambda voucher: voucher.sale_state == "available")
        todo.write(
            {
                "sale_state": "sold",
                "sold_on": fields.Datetime.now(),
                "sold_by": self.env.user.id,
            }
        )

    def action_cancel(self):
        """Let a voucher not work any more."""
        self.write({"sale_state": "cancelled"})

    def action_reveal_pin(self):
        """Show the PIN, and note who looked."""
        return self.action_reveal("pin")

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_printed(self):
        if self.filtered(lambda voucher: voucher.batch_id.state != "draft"):
            raise UserError(
                self.env._("Vouchers that were printed stay on record. Cancel them instead.")
            )
