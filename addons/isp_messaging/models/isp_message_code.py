import hashlib
import hmac
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.isp_base.encryption import get_keyring

from ..engine import codes, numbers

# After a day a request counts for no limit any more.
_KEPT = timedelta(days=2)


class IspMessageCode(models.Model):
    """Requests for one-time codes: neither the code nor the number is in the table, only digests.

    What is limited is the sending. Who knows the number of somebody can have codes sent to it, and
    must not lock that person out by it.
    """

    _name = "isp.message.code"
    _description = "Request for a one-time code"
    _order = "id desc"
    _log_access = False

    _privacy_subject = "partner_id"
    _privacy_defaults = {
        "category": "credential",
        "purpose": "security",
        "retention": "transient",
        "erasure": "delete",
    }
    _privacy_fields = {
        "number_digest address_digest session_digest code_digest": {"export": False},
        "partner_id": "subject",
    }
    _privacy_free = {"What the code is for, and two letters of a country.": "purpose country"}

    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", index="btree_not_null", ondelete="cascade")
    purpose = fields.Char(required=True)
    number_digest = fields.Char(required=True, index=True)
    address_digest = fields.Char(index=True)
    session_digest = fields.Char(required=True)
    code_digest = fields.Char(required=True)
    country = fields.Char(required=True)
    asked_at = fields.Datetime(required=True, index=True)
    checks = fields.Integer()
    is_dead = fields.Boolean(help="Used, replaced by a newer one, or tried too often.")

    # Whatever asks at the same moment: one code a minute for a number.
    _minute_uniq = models.UniqueIndex("(number_digest, date_trunc('minute', asked_at))")

    # === BUSINESS METHODS === #

    @api.model
    def _request(self, company, purpose, number, session, address, partner=None, now=None):
        """Send a code to a number; without a partner, who is not known, only count the request.

        Whoever asks is answered alike, known or not.

        :param session: what ties the code to the browser that asked for it
        :param address: the network address of that browser
        :raises UserError: says that too many codes were asked for, or that it is no number
        """
        now = now or fields.Datetime.now()
        e164 = numbers.to_e164(number, company.country_id.code)
        country = numbers.country_of(e164)
        # Elsewhere messages are dear and fraud is common: a country is opened by a rule for it.
        if not self.env["isp.message.rule"]._find(country, company):
            raise UserError(self.env._("This is no mobile number to which we send codes."))
        # sudo: requests are written here only; nobody may read them.
        requests = self.sudo()
        vals = {
            "purpose": purpose,
            "number_digest": requests._digest("number", e164),
            "session_digest": requests._digest("session", session),
            "address_digest": address and requests._digest("address", address),
        }
        requests._check_limits(company, country, vals, now)
        code = codes.draw()
        vals |= {
            "company_id": company.id,
            "partner_id": partner.id if partner else False,
            "code_digest": requests._digest_code(purpose, e164, session, code),
            "country": country,
            "asked_at": now,
        }
        # Of this browser only: whoever asks for a number does not spoil the code of its owner.
        requests._search_alive(purpose, e164, session, now).is_dead = True
        try:
            with self.env.cr.savepoint():
                request = requests.create(vals)
                request.flush_recordset()
        except psycopg2.errors.UniqueViolation:
            raise UserError(self._get_refusal("wait")) from None
        if partner:
            request._send_code(company, partner, e164, code)

    def _send_code(self, company, partner, e164, code):
        self.env["isp.message"]._queue(
            company,
            f"code:{self.id}",
            address=e164,
            partner_id=partner.id,
            template=self.env["isp.message.template"]._get("otp", company),
            values={
                "code": code,
                "company": company.name,
                "minutes": codes.LIMITS.valid.seconds // 60,
            },
        )

    @api.model
    def _check(self, purpose, number, session, code, company, now=None):
        """Tell if a code is right; each may be tried a few times and used once.

        It returns instead of raising, so that the count of tries is kept.
        """
        now = now or fields.Datetime.now()
        e164 = numbers.to_e164(number, company.country_id.code) or ""
        # sudo: see _request
        requests = self.sudo()
        alive = requests._search_alive(purpose, e164, session, now)
        request = alive.try_lock_for_update(limit=1)
        expected = requests._digest_code(purpose, e164, session, (code or "").strip())
        if not request or request.company_id != company:
            return False
        request.checks += 1
        is_right = hmac.compare_digest(request.code_digest, expected)
        request.is_dead = is_right or request.checks >= codes.LIMITS.checks
        return is_right

    @api.model
    def _search_alive(self, purpose, number, session, now):
        return self.search(
            [
                ("number_digest", "=", self._digest("number", number)),
                ("session_digest", "=", self._digest("session", session)),
                ("purpose", "=", purpose),
                ("is_dead", "=", False),
                ("asked_at", ">", now - codes.LIMITS.valid),
            ]
        )

    # === LIMITS === #

    @api.model
    def _check_limits(self, company, country, vals, now):
        day, hour = now - timedelta(days=1), now - timedelta(hours=1)
        of_number = self.search(
            [("number_digest", "=", vals["number_digest"]), ("asked_at", ">", day)]
        )
        of_address = self.search(
            [("address_digest", "=", vals["address_digest"] or ""), ("asked_at", ">", hour)]
        )
        refusal = codes.refusal(
            now,
            of_number.mapped("asked_at"),
            [(request.asked_at, request.country) for request in of_address],
            country,
        )
        if refusal:
            raise UserError(self._get_refusal(refusal))
        of_company = [("company_id", "=", company.id), ("asked_at", ">", day)]
        if self.search_count(of_company) >= codes.LIMITS.company_day:
            company._get_sms_gateway()._tell(
                self.env._("Too many one-time codes"),
                self.env._(
                    "More codes were asked for in a day than ever should be. None is sent until the "
                    "number falls. Somebody may be having messages sent at your cost."
                ),
            )
            raise UserError(self._get_refusal("address"))

    def _get_refusal(self, refusal):
        if refusal == "wait":
            return self.env._("A code is on its way. Ask for another one in a minute.")
        return self.env._("Too many codes were asked for. Try again later.")

    # === DIGESTS === #

    @api.model
    def _digest(self, kind, value):
        # Hashed before it is indexed: the index takes "a-b" and "AB" for the same.
        exact = hashlib.sha256(value.encode()).hexdigest()
        return get_keyring(self.env).blind_index(f"isp.message.code|{kind}", exact)

    @api.model
    def _digest_code(self, purpose, number, session, code):
        context = f"isp.message.code|{purpose}|{self._digest('session', session)}|{number}"
        return get_keyring(self.env).blind_index(context, code)

    @api.autovacuum
    def _gc_codes(self):
        self.search([("asked_at", "<", fields.Datetime.now() - _KEPT)], limit=10000).unlink()
