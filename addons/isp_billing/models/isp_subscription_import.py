from odoo import fields, models


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    import_id = fields.Many2one(
        "isp.import",
        "Imported by",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The last import that created or changed the subscription.",
    )
