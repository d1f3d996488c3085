from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .. import audit_guard
from ..engine import chain

# Sealers wait for nobody: whoever does not get this lock leaves the work to the one who has it.
_LOCK = 1_097_621_106


class PrivacyAuditSeal(models.Model):
    """One run of sealing: which numbers were given, and the hash of the last one.

    Rows are written without a number inside the transaction of the business, so that nobody waits
    for anybody.  They get their number here, in the order of their ids as far as they are there: a
    row of a slow transaction simply comes later in the chain than its id says.
    """

    _name = "privacy.audit.seal"
    _description = "Seal of audit rows"
    _order = "last_seq desc"
    _rec_name = "last_seq"
    _log_access = False

    _privacy_free = "Numbers and hashes of the chain."

    at = fields.Datetime("Sealed", required=True, readonly=True)
    first_seq = fields.Integer("From number", required=True, readonly=True, aggregator=None)
    last_seq = fields.Integer("To number", required=True, readonly=True, aggregator=None)
    hash = fields.Char("Hash of the last row", required=True, readonly=True)

    _first_seq_uniq = models.UniqueIndex("(first_seq)")
    _last_seq_uniq = models.UniqueIndex("(last_seq)")

    def init(self):
        """Let the database itself refuse changes."""
        audit_guard.protect_seals(self.env.cr)

    # === CRUD METHODS === #

    def write(self, vals):
        """Refuse: seals are evidence."""
        if self:
            raise UserError(self.env["privacy.audit"]._refusal())
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env["privacy.audit"]._refusal())

    # === BUSINESS METHODS === #

    @api.model
    def _head(self):
        """Return the newest link of the chain, as noted by the last seal."""
        last = self.search([], order="last_seq desc", limit=1)
        return chain.Link(last.last_seq, last.hash) if last else chain.START

    @api.model
    def _noted_hashes(self, after, to):
        """Return ``{number: hash}`` of the seals between two numbers."""
        seals = self.search([("last_seq", ">", after), ("last_seq", "<=", to)])
        return {seal.last_seq: seal.hash for seal in seals}

    @api.model
    def _seal(self, limit=2000):
        """Seal up to ``limit`` rows that wait, the oldest first.

        :return: how many were sealed; 0 when none waits or when another sealer is at work
        """
        if not self._try_lock():
            return 0
        rows = self.env["privacy.audit"]._fetch_unsealed(limit)
        if not rows:
            return 0
        before = last = self._head()
        links = {}
        for row in rows:
            last = links[row["id"]] = chain.seal(last, row)
        self.env["privacy.audit"]._write_links(links)
        self.create(
            {
                "at": fields.Datetime.now(),
                "first_seq": before.seq + 1,
                "last_seq": last.seq,
                "hash": last.hash,
            }
        )
        return len(rows)

    @api.model
    def _try_lock(self):
        """Take the lock of sealers until the end of the transaction; tell whether it was free.

        A sealer that gets it with an old view of the database gives no number twice: PostgreSQL
        refuses to update rows that changed meanwhile, and the numbers are unique.
        """
        [(taken,)] = self.env.execute_query(SQL("SELECT pg_try_advisory_xact_lock(%s)", _LOCK))
        return taken

    # === CRON === #

    @api.model
    def _cron_seal(self, batch_size=2000):
        """Seal what waits, in batches that are committed one by one."""
        cron = self.env["ir.cron"]
        waiting = self.env["privacy.audit"].search_count([("seal_seq", "=", False)])
        cron._commit_progress(remaining=waiting)
        while done := self._seal(batch_size):
            if not cron._commit_progress(done):
                return
        # What another sealer holds is no reason to be called again at once.
        cron._commit_progress(remaining=0)
