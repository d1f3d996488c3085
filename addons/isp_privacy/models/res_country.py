from odoo import fields, models


class ResCountry(models.Model):
    """What the law of a country says about age."""

    _inherit = "res.country"

    privacy_min_age = fields.Integer(
        "Age of consent to data",
        help="From this age on people decide about their data themselves. A policy profile of the "
        "country may ask for more, never for less.",
    )

    _privacy_min_age_sane = models.Constraint(
        "CHECK (privacy_min_age BETWEEN 0 AND 30)", "Enter an age between 0 and 30 years."
    )
