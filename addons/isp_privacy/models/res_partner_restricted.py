from odoo import fields, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    """Contacts whose data is restricted: stored, and used for nothing until that ends."""

    _inherit = "res.partner"

    _privacy_fields = {"privacy_restricted_by_id": "staff"}
    _privacy_facts = "privacy_restricted privacy_restricted_on"

    privacy_restricted = fields.Boolean(
        "Restricted",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The data is kept, and used for nothing, such as before an erasure.",
    )
    privacy_restricted_on = fields.Datetime("Restricted since", readonly=True, copy=False)
    privacy_restricted_by_id = fields.Many2one(
        "res.users", "Restricted by", readonly=True, copy=False
    )

    # === BUSINESS METHODS === #

    def _privacy_family(self):
        """Return the partners with the addresses below them.

        Contacts below a company are other people, with rights of their own.
        """
        # sudo: whose data it is does not depend on what the officer at work may see otherwise.
        found = self.sudo().with_context(active_test=False)
        level = found
        while level:
            level = level.child_ids.filtered(lambda child: child.type != "contact") - found
            found |= level
        return found

    def _privacy_check_erasable(self):
        """Refuse to erase who works for the operator, and the operator itself.

        :raises UserError: says what to do first
        """
        for partner in self.sudo().with_context(active_test=False):
            if partner.ref_company_ids:
                raise UserError(
                    self.env._("%s is a company of this system, not a customer.", partner.name)
                )
            if any(user._is_internal() and user.active for user in partner.user_ids):
                raise UserError(
                    self.env._(
                        "%s has an account of the staff. Archive the account first, or have "
                        "somebody decide what of it is kept.",
                        partner.name,
                    )
                )

    def _privacy_set_restricted(self, restricted):
        """Restrict the data of these people and their addresses, or end that."""
        family = self._privacy_family()
        family.filtered(lambda partner: partner.privacy_restricted != restricted).write(
            {
                "privacy_restricted": restricted,
                "privacy_restricted_on": restricted and fields.Datetime.now(),
                "privacy_restricted_by_id": restricted and self.env.uid,
            }
        )
        return family

    def _privacy_restrict(self):
        """Restrict the data, and switch the logins of the customer off.

        :return: the users that were switched off; API keys work for active users only
        """
        users = self._privacy_set_restricted(True).user_ids
        users = users.filtered(lambda user: user.active and not user._is_internal())
        users.write({"active": False})
        users._privacy_end_sessions()
        return users
