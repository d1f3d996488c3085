from odoo import api, fields, models, tools

CLASSES = [
    ("essential", "Essential"),
    ("functional", "Functional"),
    ("analytics", "Analytics"),
    ("marketing", "Marketing"),
]


class PrivacyCookie(models.Model):
    """The inventory of cookies: what may be set, and what a visitor must have chosen for it."""

    _name = "privacy.cookie"
    _description = "Cookie"
    _order = "cookie_class, name"

    _privacy_free = "What everybody is told of the cookies of our pages."

    name = fields.Char(
        required=True, help="A name that ends with * stands for all that begin like it."
    )
    cookie_class = fields.Selection(
        CLASSES,
        "Class",
        required=True,
        help="Essential cookies are always set. All others only after the visitor has chosen their "
        "class.",
    )
    purpose = fields.Char("What for", required=True, translate=True)
    lifetime = fields.Char(required=True, translate=True)
    provider = fields.Char("Set by", translate=True, help="Empty: by these pages themselves.")
    active = fields.Boolean(default=True)

    _name_uniq = models.Constraint("UNIQUE(name)", "This cookie is in the inventory already.")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        cookies = super().create(vals_list)
        self.env.registry.clear_cache()
        return cookies

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    # === BUSINESS METHODS === #

    @api.model
    @tools.ormcache()
    def _get_inventory(self):
        """Return ``((name, class), ...)``, exact names before patterns."""
        # sudo: visitors' pages ask, and read no registers.
        cookies = self.sudo().search([("name", "!=", False)])
        return tuple(
            (cookie.name, cookie.cookie_class)
            for cookie in cookies.sorted(lambda cookie: cookie.name.endswith("*"))
        )

    @api.model
    def _get_class(self, name):
        """Return the class of a cookie, None for one that is not in the inventory."""
        for known, cookie_class in self._get_inventory():
            if name == known or (known.endswith("*") and name.startswith(known[:-1])):
                return cookie_class
        return None
