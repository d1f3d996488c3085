import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Datetime
from odoo.http import request
from odoo.tools import SQL

from odoo.addons.isp_base.encryption import get_keyring

from .. import audit_guard
from ..engine import chain

# What is hashed, in the order it is read.
_SEALED_COLUMNS = (
    *("id", "at", "actor_id", "ip", "action", "model", "res_id", "subject", "changes"),
    "company_id",
)


class PrivacyAudit(models.Model):
    """Who did what to whose data, when and from where. Written by :meth:`_log` alone.

    Rows hold no personal data in clear: the subject is a pseudonym, values are keyed digests. They
    refer to users and records by number only, so that they outlive both.
    """

    _name = "privacy.audit"
    _description = "Audit row"
    _order = "id desc"
    _rec_name = "action"
    # Who and when are `actor_id` and `at`: the usual columns would change when a user is deleted.
    _log_access = False

    # Nothing leads from a person to the rows about them but the key of the pseudonyms.
    _privacy_subject = None
    _privacy_defaults = {
        "category": "trace",
        "purpose": "security",
        "retention": "audit",
        "erasure": "keep",
        "export": False,
    }
    _privacy_fields = {
        "actor_id": {
            "purpose": "staff",
            "reason": "The number of a user, whose partner is anonymised in place.",
        },
        "ip": {
            "category": "device",
            "reason": "The row is sealed: emptied, it would break the chain that proves it.",
        },
        "subject": {
            "category": "proof",
            "reason": "A keyed digest of the number of a partner who is anonymised in place.",
        },
        "changes": {"reason": "Names of fields and keyed digests: no value can be read."},
    }
    _privacy_free = {
        "What was done to which kind of record, and the hash of the row.": "action model hash",
    }

    at = fields.Datetime("When", required=True, readonly=True, index=True)
    actor_id = fields.Integer("User number", required=True, readonly=True, aggregator=None)
    actor = fields.Char("By", compute="_compute_actor", help="The name which the user has today.")
    ip = fields.Char("From computer", readonly=True)
    action = fields.Char(required=True, readonly=True)
    model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="model", readonly=True)
    subject = fields.Char(
        readonly=True,
        index="btree_not_null",
        help="Pseudonym of the person: the same for each row about them, and no name.",
    )
    changes = fields.Json(readonly=True)
    field_names = fields.Char("Changed fields", compute="_compute_field_names")
    company_id = fields.Many2one(
        "res.company", readonly=True, required=True, index=True, ondelete="restrict"
    )
    seal_seq = fields.Integer("Number in the chain", readonly=True, aggregator=None)
    hash = fields.Char(readonly=True)

    _seal_seq_uniq = models.UniqueIndex("(seal_seq) WHERE seal_seq IS NOT NULL")
    _unsealed_idx = models.Index("(id) WHERE seal_seq IS NULL")
    _record_idx = models.Index("(model, res_id)")

    def init(self):
        """Let the database itself refuse changes."""
        audit_guard.protect_rows(self.env.cr)

    # === COMPUTE METHODS === #

    @api.depends("actor_id")
    def _compute_actor(self):
        # sudo: an auditor reads who it was, also of users of other companies or archived ones.
        users = self.env["res.users"].sudo().browse(set(self.mapped("actor_id"))).exists()
        names = {user.id: user.name for user in users}
        for row in self:
            row.actor = names.get(row.actor_id) or self.env._("User %s (deleted)", row.actor_id)

    @api.depends("changes")
    def _compute_field_names(self):
        for row in self:
            row.field_names = ", ".join(row.changes or ())

    # === CRUD METHODS === #

    def write(self, vals):
        """Refuse: rows are evidence."""
        if self:
            raise UserError(self._refusal())
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self._refusal())

    def _refusal(self):
        return self.env._("The audit chain is evidence: it is never changed or deleted.")

    # === BUSINESS METHODS === #

    @api.model
    def _log(self, action, records, fields=None, subject=None):
        """Write one unsealed row for each of ``records``, within the current transaction.

        :param str action: a short word such as ``export``
        :param records: what it was done to; of an empty recordset only the model is written down
        :param fields: names of the changed fields, or ``{name: value}``; of a value only a keyed
            digest is kept, which shows that two values are equal and nothing else
        :param subject: whose data it is: a partner, or a pseudonym
        """
        if isinstance(subject, models.BaseModel):
            subject = self._pseudonym(subject)
        common = {
            "at": Datetime.now(),
            "actor_id": self.env.uid,
            "ip": request.httprequest.remote_addr if request else False,
            "action": action,
            "model": records._name,
            "subject": subject,
            "changes": self._prepare_changes(records._name, fields),
        }
        companies = {record.id: self._company_of(record) for record in records}
        # sudo: rows are added by this method only, or the record could be forged.
        return self.sudo().create(
            [
                {**common, "res_id": res_id, "company_id": company.id}
                for res_id, company in (companies or {False: self.env.company}).items()
            ]
        )

    def _company_of(self, record):
        company = record["company_id"] if "company_id" in record._fields else None
        return company or self.env.company

    @api.model
    def _prepare_changes(self, model, values):
        """Return ``{name: digest or None}``, sorted by name; None without any field."""
        if not values:
            return None
        if not isinstance(values, dict):
            return dict.fromkeys(sorted(values))
        return {name: self._digest(model, name, values[name]) for name in sorted(values)}

    @api.model
    def _digest(self, model, field_name, value):
        """Return the keyed digest of a value, None of an empty one."""
        if value is None or value is False or value == "":
            return None
        # Hashed before it is indexed: the blind index takes "A-1" and "a1" for the same.
        exact = hashlib.sha256(str(value).encode()).hexdigest()
        return get_keyring(self.env).blind_index(f"privacy.audit|{model}.{field_name}", exact)

    @api.model
    def _pseudonym(self, partner):
        """Return what stands for a person in the chain; without the key nobody can tell whom."""
        partner.ensure_one()
        return get_keyring(self.env).blind_index("privacy.subject", str(partner.id))[:16]

    # === CHAIN === #

    @api.model
    def _fetch_unsealed(self, limit):
        """Return the oldest rows without a number, as dictionaries."""
        self.flush_model()
        query = SQL("seal_seq IS NULL ORDER BY id LIMIT %s", limit)
        return [row for _link, row in self._fetch(query)]

    @api.model
    def _fetch_sealed(self, after, limit):
        """Return links and rows behind the number ``after``, in the order of the chain."""
        return self._fetch(SQL("seal_seq > %s ORDER BY seal_seq LIMIT %s", after, limit))

    def _fetch(self, query):
        """Read rows past the ORM's cache: what is checked is what the database holds."""
        columns = SQL(", ").join(SQL.identifier(name) for name in _SEALED_COLUMNS)
        rows = self.env.execute_query(
            SQL("SELECT seal_seq, hash, %s FROM privacy_audit WHERE %s", columns, query)
        )
        return [(chain.Link(seq, sealed), _as_sealed(values)) for seq, sealed, *values in rows]

    @api.model
    def _write_links(self, links):
        """Give rows their place in the chain: ``{row id: link}``, in one UPDATE."""
        self.env.execute_query(
            SQL(
                "UPDATE privacy_audit SET seal_seq = new.seq, hash = new.hash"
                " FROM unnest(%s::int[], %s::int[], %s::text[]) AS new(id, seq, hash)"
                " WHERE privacy_audit.id = new.id",
                list(links),
                [link.seq for link in links.values()],
                [link.hash for link in links.values()],
            )
        )
        self.browse(links).invalidate_recordset(["seal_seq", "hash"], flush=False)


def _as_sealed(values):
    """Return what is hashed of one row; `at` is UTC."""
    row = dict(zip(_SEALED_COLUMNS, values, strict=True))
    row["at"] = row["at"].isoformat()
    return row
