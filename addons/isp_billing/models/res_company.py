import re
import string
from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    _privacy_free = {"How new login names are made.": "isp_username_pattern"}

    isp_username_pattern = fields.Char(
        "Username pattern",
        required=True,
        default="c{number}",
        help="How logins are made. {number}: running number of the subscription; {name}: the "
        "customer's name in Latin letters; {phone}: the last ten digits of the phone number; "
        "{ref}: the external reference.",
    )
    isp_password_length = fields.Integer("Password length", required=True, default=10)
    isp_journal_id = fields.Many2one(
        "account.journal",
        "Journal of bills",
        domain="[('type', '=', 'sale'), ('company_id', '=', id)]",
        help="Left empty, the first sales journal is used.",
    )
    isp_billing_journal_id = fields.Many2one(
        "account.journal", compute="_compute_isp_billing_journal_id"
    )
    isp_bulk_invoicing = fields.Boolean(
        "Post bills a set at a time",
        default=True,
        help="Bills that are alike are copied from one that Odoo has posted, with the same result. "
        "Without it, or where copying is not safe, each is made the ordinary way.",
    )

    _isp_password_length_valid = models.Constraint(
        "CHECK (isp_password_length BETWEEN 8 AND 64)",
        "Connection passwords have 8 to 64 characters.",
    )

    @api.depends("isp_journal_id")
    def _compute_isp_billing_journal_id(self):
        journal_model = self.env["account.journal"]
        for company in self:
            domain = journal_model._check_company_domain(company)
            company.isp_billing_journal_id = company.isp_journal_id or journal_model.search(
                [*domain, ("type", "=", "sale")], limit=1
            )

    @api.constrains("isp_username_pattern")
    def _check_isp_username_pattern(self):
        for company in self:
            sample = dict(number="1", name="karim", phone="1711000000", ref="a1")
            try:
                names = {field for _text, field, _spec, _conv in self._parse_isp_pattern(company)}
            except ValueError:
                names = {"?"}
            if names - {*sample, None}:
                raise ValidationError(
                    self.env._(
                        "The username pattern “%(pattern)s” is not understood. Use letters, "
                        "digits and {number}, {name}, {phone} or {ref}.",
                        pattern=company.isp_username_pattern,
                    )
                )

    @api.model
    def _parse_isp_pattern(self, company):
        return list(string.Formatter().parse(company.isp_username_pattern))

    def _format_isp_username(self, subscription):
        """The username that the company's pattern gives ``subscription``, perhaps taken already.

        :raises UserError: when what remains has fewer than three usable characters
        """
        self.ensure_one()
        partner = subscription.partner_id
        values = {
            "number": re.sub(r"\D", "", subscription.name).lstrip("0").zfill(4),
            "name": partner.name or "",
            "phone": re.sub(r"\D", "", partner.phone or "")[-10:],
            "ref": subscription.external_ref or "",
        }
        username = self.isp_username_pattern.format(**values).lower()
        username = re.sub(r"[^a-z0-9._@/-]", "", username).strip("._@/-")
        if len(username) < 3:
            # A name in Bengali letters, or a customer without phone, leaves little of the pattern.
            username = f"c{values['number']}"
        if len(username) > 62:
            raise UserError(
                self.env._(
                    "The username pattern of %(company)s gives more than 62 characters for "
                    "%(subscription)s. Shorten it, or enter a username by hand.",
                    company=self.name,
                    subscription=subscription.name,
                )
            )
        return username

    # === BUSINESS METHODS - DAYS === #

    def _get_isp_timezone(self):
        """Time zone of the company's days: its partner's, else the one of its country."""
        self.ensure_one()
        if zone := self.partner_id.tz:
            return pytz.timezone(zone)
        names = pytz.country_timezones.get(self.country_id.code or "", ["UTC"])
        return pytz.timezone(names[0])

    def _get_isp_now(self):
        """The present moment in the company's time zone."""
        return pytz.utc.localize(fields.Datetime.now()).astimezone(self._get_isp_timezone())

    def _get_isp_today(self):
        """Today's date in the company's time zone."""
        return self._get_isp_now().date()

    def _get_isp_day_start(self, day):
        """First moment of ``day`` in the company's time zone, as naive UTC."""
        local = self._get_isp_timezone().localize(datetime.combine(day, time.min))
        return local.astimezone(pytz.utc).replace(tzinfo=None)
