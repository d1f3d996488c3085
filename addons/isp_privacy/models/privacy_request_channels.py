import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import html2plaintext, mute_logger

from ..engine.request_states import DIRECT_TYPES, TYPES

MAX_WORDS = 5000


class PrivacyRequest(models.Model):
    """How requests come in: portal, mail and staff make the same record."""

    _inherit = "privacy.request"

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, company, request_type, words, channel, partner, email=None):
        """Open a request, or return the one of the same person and kind that is open already.

        :param request_type: key of ``request_type``; nothing when staff has to find out
        :param partner: who asks; an empty record when that is not known
        :param email: address of the sender, needed when ``partner`` is not known
        """
        existing = self._find_open(company, request_type, partner, email)
        if existing:
            existing._log_event(
                "again", dict(self._fields["channel"]._description_selection(self.env))[channel]
            )
            return existing
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                return self._create_step(
                    {
                        "company_id": company.id,
                        "request_type": request_type,
                        "partner_id": partner.id,
                        "email_from": email,
                        "words": _clean(words),
                        "channel": channel,
                    }
                )
        except psycopg2.errors.UniqueViolation as error:
            # Sent twice at the same moment. A second try sees what the first one made.
            raise ConcurrencyError("The same request is being opened right now") from error

    @api.model
    def _open_from_portal(self, request_type, words):
        """Open a request of the user who is logged in.

        :raises UserError: for an unknown kind, and when too many were sent within an hour
        """
        if request_type not in dict(TYPES):
            raise UserError(self.env._("Choose what you ask for."))
        company, partner = self.env.company, self.env.user.partner_id
        self._check_portal_limit(company)
        # sudo: customers have no right to create; what they may choose is the kind and the words.
        requests = self.sudo()
        known = requests._find_open(company, request_type, partner)
        request = requests._open(company, request_type, words, "portal", partner)
        if known and _clean(words):
            request.message_post(
                body=_clean(words), author_id=partner.id, subtype_xmlid="mail.mt_comment"
            )
        if request.state == "received" and request.request_type not in DIRECT_TYPES:
            request._ask_identity(letter=False)  # the page asks at once
        return request

    @api.model
    def _check_portal_limit(self, company):
        profile = company._get_privacy_profile()
        # sudo: the history is internal; only the number of the user's own requests is needed.
        sent = (
            self.env["privacy.request.event"]
            .sudo()
            .search_count(
                [
                    ("user_id", "=", self.env.uid),
                    ("event_type", "in", ("open", "again")),
                    ("date", ">", fields.Datetime.subtract(fields.Datetime.now(), hours=1)),
                ]
            )
        )
        if sent >= profile.requests_per_hour:
            raise UserError(
                self.env._(
                    "You have sent many requests within an hour. We work on them. Please wait an "
                    "hour before you send another one."
                )
            )

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Open a request from a mail to the privacy address.

        The time of receipt is ours: the date in a mail is the sender's. What is asked is read and
        chosen by staff, unless the alias says it.
        """
        values = custom_values or {}
        company = self.env["res.company"].browse(values.get("company_id")) or self.env.company
        partner = self.env["res.partner"].browse(msg_dict.get("author_id") or [])
        if partner.company_id and partner.company_id != company:
            partner = partner.browse()
        body = html2plaintext(msg_dict.get("body") or "")
        words = "\n\n".join(part for part in (msg_dict.get("subject"), body) if part)
        request_type = values.get("request_type") or False
        email = msg_dict.get("email_from")
        return self._open(company, request_type, words, "mail", partner, email)


def _clean(words):
    """Return what a person wrote, without what the database does not take, in bearable length."""
    return (words or "").replace("\x00", "").strip()[:MAX_WORDS]
