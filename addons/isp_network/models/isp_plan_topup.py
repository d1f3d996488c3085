from odoo import fields, models


class IspPlanTopup(models.Model):
    """Extra volume that subscribers of a plan may buy."""

    _name = "isp.plan.topup"
    _description = "Top-up offer"
    _order = "plan_id, volume_gb, id"
    _check_company_auto = True

    _privacy_free = "What is sold, the same for all customers."

    plan_id = fields.Many2one("isp.plan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id", store=True, index=True)
    name = fields.Char("Description", required=True, translate=True)
    volume_gb = fields.Float("Volume (GB)", digits=(16, 3), required=True)
    price = fields.Float(digits="Product Price", required=True)
    product_id = fields.Many2one(
        "product.product",
        check_company=True,
        ondelete="restrict",
        help="Left empty, taxes and account are those of the plan.",
    )

    _values_valid = models.Constraint(
        "CHECK (volume_gb > 0 AND price >= 0)",
        "A top-up has a volume, and its price is not negative.",
    )
