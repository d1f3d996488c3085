from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..usage import caps

# Passed in the context by the methods of this model; a context that arrives by RPC cannot hold it.
_SELLING = object()
_GUARDED_FIELDS = {"state", "window_id", "fee_id", "move_id"}


class IspSubscriptionTopup(models.Model):
    """Extra volume that a subscription bought for its running window. Billed as a one-off charge.

    What a clerk sells is given at once and stands on the next bill. What the customer orders has a
    bill of its own and is given when that is paid.
    """

    _name = "isp.subscription.topup"
    _description = "Top-up of data volume"
    _order = "id desc"
    _rec_name = "name"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "account", "purpose": "billing", "retention": "tax_doc"}
    _privacy_facts = "volume_gb price given_on state"
    _privacy_free = {"Name of what was sold.": "name"}

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
    move_id = fields.Many2one(
        "account.move",
        "Bill of the order",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    given_on = fields.Datetime("Given on", readonly=True, copy=False)
    state = fields.Selection(
        [
            ("ordered", "Ordered, not paid"),
            ("active", "Given"),
            ("undone", "Taken back"),
            ("cancelled", "Order cancelled"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="active",
        index=True,
    )

    _values_valid = models.Constraint(
        "CHECK (volume_gb > 0 AND price >= 0)",
        "A top-up has a volume, and its price is not negative.",
    )
    _one_order = models.UniqueIndex(
        "(subscription_id) WHERE state = 'ordered'",
        "A top-up of this subscription waits for its payment already.",
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
        for vals in vals_list:
            self._refuse_foreign_values(vals)
        topups = super().create(vals_list)
        for topup in topups.filtered(lambda topup: topup.state == "active"):
            topup._sell()
        return topups

    def write(self, vals):
        self._refuse_foreign_values(vals)
        if {"subscription_id", "volume_gb", "price", "offer_id"} & set(vals):
            raise UserError(
                self.env._("A top-up is not changed any more. Take it back and sell another one.")
            )
        return super().write(vals)

    @api.model
    def _refuse_foreign_values(self, vals):
        """Volume is given by the methods of this model only."""
        if _GUARDED_FIELDS & set(vals) and self.env.context.get("isp_selling") is not _SELLING:
            raise UserError(self.env._("A top-up is sold and taken back by its buttons."))

    def _selling(self):
        """These top-ups, in a context in which they may change their state."""
        return self.with_context(isp_selling=_SELLING)

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

    def _open_window(self):
        """The running window of the subscription, begun if need be; empty without a cap."""
        # sudo: windows are written by the network only; the right to sell is on this model.
        self.env["isp.usage.window"].sudo()._open_missing(self.subscription_id)
        return self.subscription_id.sudo().usage_window_id

    def _sell(self):
        """Give the volume at once and charge for it with the next bill."""
        window = self._open_window()
        if not window:
            raise UserError(
                self.env._(
                    "%(name)s has no limited volume at present, so there is nothing to top up.",
                    name=self.subscription_id.display_name,
                )
            )
        if self.price:
            self._selling().fee_id = self._create_fee()
        self._give(window)

    def _create_fee(self):
        """The charge for it."""
        subscription = self.subscription_id
        product = self.offer_id.product_id or subscription.plan_id.product_id
        return self.env["isp.subscription.fee"].create(
            {
                "subscription_id": subscription.id,
                "product_id": product.id,
                "name": self.name,
                "amount": self.price,
                "date": subscription.company_id._get_isp_today(),
            }
        )

    def _give(self, window):
        """Add the volume to the running ``window``."""
        subscription = self.subscription_id
        window._sum_up(subscription.ids)
        window.topup_bytes += self._volume
        self._selling().write(
            {"window_id": window.id, "state": "active", "given_on": fields.Datetime.now()}
        )
        self._renotice(window)
        window._act(subscription.ids)
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
        self._drop_fee()
        window._act(self.subscription_id.ids)
        self.subscription_id._log_event(
            "billing", self.env._("Top-up taken back: %(name)s", name=self.name)
        )

    def _drop_fee(self):
        """Charge nothing for it: what has been billed comes back with the next bill."""
        fee = self.fee_id
        if fee.charge_ids:
            fee.active = False
            self._selling().state = "undone"
        else:
            self._selling().write({"state": "undone", "fee_id": False})
            fee.unlink()

    @api.model
    def _renotice(self, window):
        """What is reached again with the new volume is told again."""
        percent = window._get_account().percent
        if percent < (window.noticed_percent or 0):
            window.noticed_percent = 80 if percent >= 80 else 0
