from odoo import fields, models
from odoo.tools import SQL

# Codes of deploy/freeradius/policy, in words.
REJECT_REASONS = [
    ("wrong-password", "Wrong password"),
    ("unknown-login", "No such username"),
    ("not-active", "Service not active"),
    ("mac-mismatch", "Another device than the locked one"),
    ("session-limit", "Too many sessions at a time"),
    ("chap-unsupported", "The router asks by CHAP, which the plan does not allow"),
    ("mac-not-proved", "A device's address as a username, where it proves nothing"),
    ("voucher-unsold", "Voucher not sold yet"),
    ("voucher-expired", "Voucher used up"),
    ("voucher-cancelled", "Voucher cancelled"),
    ("claim-failed", "The first use could not be stored: try again"),
    ("password-unreadable", "No readable password: check the keys of FreeRADIUS"),
    ("other", "Other, see the message"),
]


class IspRadiusAttempt(models.Model):
    """An answer RADIUS gave to a login, with the reason of a refusal and never a password."""

    _name = "isp.radius.attempt"
    _description = "Login attempt"
    _auto = False
    _order = "id desc"
    _rec_name = "username"
    _depends = {"isp.subscription": ["company_id", "partner_id"], "isp.nas": ["company_id"]}

    _privacy_subject = "partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "network",
        "retention": "network",
        "erasure": "delete",
    }
    _privacy_fields = {
        "username mac_address": {},
        "message other_mac": {"export": False},
        "partner_id": "subject",
    }
    _privacy_facts = "date result reason"
    _privacy_retention = {"anchor": "date"}
    _privacy_tables = {
        "radius.radpostauth": "The attempts themselves, deleted by their subscription."
    }

    date = fields.Datetime(readonly=True)
    username = fields.Char(readonly=True)
    result = fields.Selection([("accepted", "Accepted"), ("rejected", "Rejected")], readonly=True)
    reason = fields.Selection(REJECT_REASONS, readonly=True)
    message = fields.Char(readonly=True, help="What RADIUS said, where no reason fits.")
    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    nas_id = fields.Many2one("isp.nas", "Router", readonly=True)
    nas_address = fields.Char("Router address", readonly=True)
    mac_address = fields.Char("Device", readonly=True, help="MAC address or calling station.")

    @property
    def _table_query(self):
        known = [code for code, _label in REJECT_REASONS]
        return SQL(
            """
            SELECT p.id, p.authdate AT TIME ZONE 'UTC' AS date, p.username,
                CASE WHEN p.reply = 'Access-Accept' THEN 'accepted' ELSE 'rejected' END AS result,
                CASE WHEN p.reply = 'Access-Accept' THEN NULL
                    WHEN p.reason = ANY(%(known)s) THEN p.reason ELSE 'other' END AS reason,
                CASE WHEN p.reason = ANY(%(known)s) THEN NULL ELSE p.reason END AS message,
                s.id AS subscription_id, s.partner_id,
                COALESCE(s.company_id, n.company_id) AS company_id, n.id AS nas_id,
                host(p.nasipaddress) AS nas_address, p.callingstationid AS mac_address
            FROM radius.radpostauth p
            LEFT JOIN isp_subscription s ON s.id = p.subscription_id
            LEFT JOIN isp_nas n ON n.id = p.nas_id
            """,
            known=known,
        )

    # === BUSINESS METHODS - RETENTION === #

    def _privacy_delete(self):
        """Delete the rows themselves."""
        self.env.execute_query(
            SQL(
                "DELETE FROM radius.radpostauth WHERE id = ANY(%s) RETURNING 1",
                self.ids,
            )
        )
        self.invalidate_model()

    def _privacy_drop(self, free, due):
        """Drop whole months; see :meth:`isp.radius.month._drop_between`."""
        return self.env["isp.radius.month"]._drop_between("radpostauth", free, due)
