from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import age

KINDS = [
    ("adult", "Of age"),
    ("minor", "A minor"),
    ("guardian_given", "Guardian agreed"),
    ("guardian_withdrawn", "Guardian withdrew"),
]
METHODS = [
    ("declared", "Declared by the person"),
    ("document", "Document seen"),
    ("guardian", "Told by parent or guardian"),
    ("support", "Noticed by staff"),
    ("signature", "Signed form"),
    ("call", "Call back to the guardian"),
]


class PrivacyAge(models.Model):
    """The ledger of ages: who is of age or a minor, how we know, and what guardians agreed to.

    No date of birth is kept. Of a minor the day of coming of age is, to let the protection end.
    """

    _name = "privacy.age"
    _description = "Age declaration"
    _inherit = ["privacy.ledger"]
    _rec_name = "kind"
    _log_access = False
    _erasable = ("ip", "user_agent", "evidence", "adult_on", "guardian_id")

    _privacy_subject = ("partner_id", "guardian_id")
    _privacy_fields = {
        "evidence": "free_text",
        "adult_on": {"category": "identity", "erasure": "null"},
        "guardian_id": {"category": "account", "erasure": "detach", "export": False},
    }
    _privacy_facts = "kind method"

    kind = fields.Selection(KINDS, "What", required=True)
    method = fields.Selection(METHODS, "How we know", required=True)
    adult_on = fields.Date("Of age on")
    guardian_id = fields.Many2one("res.partner", "Parent or guardian", ondelete="restrict")
    evidence = fields.Text()

    # === BUSINESS METHODS === #

    @api.model
    def _note(self, kind, method, partner, birth_date=None, **vals):
        """Write down what was declared or found about the age of a person.

        :param birth_date: decides whether they are of age, and is not kept
        """
        if kind.startswith("guardian") and not vals.get("guardian_id"):
            raise UserError(self.env._("Say who the parent or guardian is."))
        adult_on = False
        if birth_date and not kind.startswith("guardian"):
            day = age.of_age_on(birth_date, partner._privacy_min_age())
            is_minor = self.env.company._get_privacy_today() < day
            kind, adult_on = ("minor", day) if is_minor else ("adult", False)
        values = {"kind": kind, "method": method, "partner_id": partner.id, "adult_on": adult_on}
        if method == "declared":
            values |= self._prepare_origin()
        # sudo: rows are added by this method only.
        row = self.sudo().create({**values, "company_id": self.env.company.id, **vals})
        if kind == "minor":
            row._protect()
        return row

    def _protect(self):
        """A minor was found: stop what rests on their consent, and ask the officers what follows.

        From now on :meth:`res.partner._privacy_get_excluded` leaves them out of everything that can
        be refused. Whether the data is restricted further or erased, an officer decides.
        """
        partner, company = self.partner_id, self.company_id
        choices = self.env["privacy.purpose"]._get_choices()
        self.env["privacy.consent"]._withdraw_all(
            choices, "staff", partner, company_id=company.id, evidence=self.env._("A minor")
        )
        # sudo: who declares it need not be an officer.
        self.env["privacy.request"].sudo()._open(
            company,
            "restriction_set",
            self.env._("A minor was found. Restrict or erase, unless a guardian agrees."),
            "staff",
            partner,
        )
