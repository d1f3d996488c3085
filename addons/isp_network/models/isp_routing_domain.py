from odoo import api, fields, models


class IspRoutingDomain(models.Model):
    """A network in which an address means one place: the same address may exist once in each."""

    _name = "isp.routing.domain"
    _description = "Routing domain"
    _order = "id"

    _privacy_free = "Networks of the operator."

    name = fields.Char(required=True, translate=False)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    note = fields.Text(
        "Notes", help="Where it begins and ends, such as the routers or the VRF it consists of."
    )

    _name_uniq = models.UniqueIndex(
        "(company_id, lower(name))", "The company has a routing domain of this name."
    )

    @api.model
    def _get_default(self, company):
        """The company's first routing domain; made when there is none."""
        # sudo: whoever enters the first address needs a domain to put it into.
        domains_sudo = self.sudo()
        return domains_sudo.search(
            [("company_id", "=", company.id)], limit=1
        ) or domains_sudo.create({"name": self.env._("Main network"), "company_id": company.id})
