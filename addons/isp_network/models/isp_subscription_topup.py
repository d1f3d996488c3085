from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..usage import caps


class IspSubscriptionTopup(models.Model):
    """Extra volume that a subscription bought for its running window. Billed as a one-off charge."""

    _name = "isp.subscription.topup"
    _description = "Top-up of data volume"
    _order = "id desc"
    _rec_name = "name"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    plan_id = fields.Many2one(related="subscription_id.plan_id")
    offer_id = fields.Many2one(
        "isp.plan.topup",
        domain="[('plan_id', '=', plan_id)]",
        ondelete="set null",
    )
    name = fields.Char(
        "Description",
        compute="_compute_from_offer",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    volume_gb = fields.Float(
        "Volume (GB)",
        digits=(16, 3),
        compute="_compute_from_offer",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    price = fields.Monetary(
        compute="_compute_from_offer", store=True, precompute=True, readonly=False
    )
    window_id = fields.Many2one(
        "isp.usage.window", "For", readonly=True, index=True, ondelete="restrict"
    )
    fee_id = fields.Many2one(
        "isp.subscription.fee", "Charge", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    state = fields.Selection(
        [("active", "Given"), ("undone", "Taken back")],
        required=True,
        readonly=True,
        default="active",
    )

    _values_valid = models.Constraint(
        "CHECK (volume_gb > 0 AND price >= 0)",
        "A top-up has a volume, and its price is not negative.",
    )

    # === COMPUTE METHODS === #

    @api.depends("offer_id")
    def _compute_from_offer(self):
        for topup in self:
            offer = topup.offer_id
            topup.name = offer.name or topup.name or self.env._("Extra volume")
            topup.volume_gb = offer.volume_gb or topup.volume_gb
            topup.price = offer.price or topup.price

    # === CONSTRAINT METHODS === #

    @api.constrains("offer_id", "subscription_id")
    def _check_offer(self):
        for topup in self:
            if topup.offer_id and topup.offer_id.plan_id.company_id != topup.company_id:
                raise ValidationError(
                    self.env._("“%(name)s” is not offered in this company.", name=topup.name)
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        topups = super().create(vals_list)
        for topup in topups:
            topup._give()
        return topups

    def write(self, vals):
        if {"subscription_id", "volume_gb", "price", "offer_id"} & set(vals):
            raise UserError(
                self.env._("A top-up is not changed any more. Take it back and sell another one.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("Top-ups stay on record. Take them back instead."))

    # === ACTION METHODS === #

    def action_undo(self):
        """Take back a top-up of which nothing has been used."""
        for topup in self:
            topup._undo()

    # === BUSINESS METHODS === #

    @property
    def _volume(self):
        """Octets."""
        return round(self.volume_gb * caps.GB)

    def _give(self):
        """Add the volume to the running window and charge for it."""
        subscription = self.subscription_id
        # sudo: windows are written by the network only; the right to sell is on this model.
        windows = self.env["isp.usage.window"].sudo()
        windows._open_missing(subscription)
        window = subscription.sudo().usage_window_id
        if not window:
            raise UserError(
                self.env._(
                    "%(name)s has no limited volume at present, so there is nothing to top up.",
                    name=subscription.display_name,
                )
            )
        fee = self.env["isp.subscription.fee"].browse()
        if self.price:
            product = self.offer_id.product_id or subscription.plan_id.product_id
            fee = fee.create(
                {
                    "subscription_id": subscription.id,
                    "product_id": product.id,
                    "name": self.name,
                    "amount": self.price,
                    "date": subscription.company_id._get_isp_today(),
                }
            )
        window._sum_up(subscription.ids)
        window.topup_bytes += self._volume
        self.write({"window_id": window.id, "fee_id": fee.id})
        self._renotice(window)
        windows._act(subscription.ids)
        subscription._log_event("billing", self.env._("Topped up: %(name)s", name=self.name))

    def _undo(self):
        self.ensure_one()
        if self.state != "active":
            return
        window = self.window_id.sudo()
        window._sum_up(self.subscription_id.ids)
        usable = window.state == "current"
        if not usable or not caps.can_undo_top_up(window._get_account(), self._volume):
            raise UserError(
                self.env._(
                    "“%(name)s” has been used, at least in part, and cannot be taken back.",
                    name=self.name,
                )
            )
        window.topup_bytes -= self._volume
        self.state = "undone"
        fee = self.fee_id
        if fee.charge_ids:
            # Billed already: the next bill gives it back.
            fee.amount = 0
        elif fee:
            self.fee_id = False
            fee.unlink()
        self.env["isp.usage.window"].sudo()._act(self.subscription_id.ids)
        self.subscription_id._log_event(
            "billing", self.env._("Top-up taken back: %(name)s", name=self.name)
        )

    @api.model
    def _renotice(self, window):
        """What is reached again with the new volume is told again."""
        percent = window._get_account().percent
        if percent < (window.noticed_percent or 0):
            window.noticed_percent = 80 if percent >= 80 else 0
