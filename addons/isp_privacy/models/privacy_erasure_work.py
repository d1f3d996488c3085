import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from .privacy_erasure import STEPS

_logger = logging.getLogger(__name__)

BATCH = 500
# So often it is tried to reach the person before their address is erased.
LETTER_ATTEMPTS = 5
_NEXT = dict(zip([code for code, _ in STEPS], [code for code, _ in STEPS][1:], strict=False))


class PrivacyErasure(models.Model):
    """The work of an erasure, step by step."""

    _inherit = "privacy.erasure"

    # === CRON === #

    @api.model
    def _cron_work(self):
        """Go on with the erasures: one batch after the other, each of them committed."""
        cron = self.env["ir.cron"]
        self._wake_held()
        runs = self.search([("state", "=", "running")], order="id")
        cron._commit_progress(remaining=len(runs))
        for run in runs:
            while run._work_or_explain():
                if not cron._commit_progress():
                    return
            if not cron._commit_progress(1):
                return

    @api.model
    def _wake_held(self):
        """Let erasures go on for which no hold is in force any more."""
        for run in self.search([("state", "=", "held")]):
            # What an officer put on hold, without a hold in the register, an officer releases.
            if run.problem and not run._find_holds():
                if run.request_id.state == "on_hold":
                    run.request_id.action_release()
                elif not run.request_id:
                    run._continue()

    def _work_or_explain(self):
        """Do one batch; what goes wrong is shown on the run and on its request.

        :return: whether there is more to do at once
        """
        self.ensure_one()
        # Only one process works on a run at a time.
        if not self.try_lock_for_update(allow_referencing=True):
            return False
        self.invalidate_recordset()
        if self.state != "running":
            return False
        try:
            with self.env.cr.savepoint():
                return self._work()
        except psycopg2.OperationalError:
            raise  # somebody else changed a record meanwhile: the batch is tried again
        except Exception as error:  # border of a batch: logged, and shown on the run
            is_explained = isinstance(error, UserError)
            if not is_explained:
                _logger.exception("Erasure %s failed in step %s", self.id, self.step)
            self._fail(str(error) if is_explained else type(error).__name__)
            return False

    def _work(self):
        """Do one batch of the present step, and pass to the next one when it is through."""
        if holds := self._find_holds():
            self._hold(holds)
            return False
        if self.request_id and self.request_id.state != "executing":
            self.write({"state": "held", "problem": False})  # an officer put it on hold
            return False
        done = getattr(self, f"_step_{self.step}")()
        if done is None:  # it has to wait for the next run of the job
            self.attempts += 1
            return False
        if done and self.step in _NEXT:
            self.write({"step": _NEXT[self.step], "attempts": 0})
        return self.state == "running"

    # === HOLDS AND FAILURES === #

    def _find_holds(self):
        """Return the legal holds on the person, of whichever company."""
        holds = self.env["privacy.hold"]
        for partner in self._get_partners():  # without a partner every hold would be found
            for company in self.env["res.company"].sudo().search([("id", "!=", False)]):
                holds |= holds._find_for_subject(company, partner)
        return holds

    def _hold(self, holds):
        self.write({"state": "held", "problem": ", ".join(holds.mapped("reference"))})
        if self.request_id.state == "executing":
            self.request_id._hold(self.problem)

    def _fail(self, message):
        self.write({"state": "failed", "problem": message})
        if self.request_id.state == "executing":
            self.request_id._fail(message)

    # === STEPS === #

    def _step_stop(self):
        """Logins, sessions and keys end, then what other addons provide: network, saved wallets."""
        partners = self._get_partners()
        partners._privacy_restrict()
        keys = self.env["privacy.map.entry"]._get_records(partners, "res.users.apikeys")
        keys.unlink()
        if "payment.token" in self.env:
            tokens = self.env["payment.token"].sudo().search([("partner_id", "in", partners.ids)])
            tokens.write({"active": False})
        for name in sorted(self.env.registry):
            if hasattr(self.env[name], "_privacy_stop"):
                # sudo: an officer ends the service without being its clerk.
                self.env[name].sudo()._privacy_stop(partners)
        return True

    def _step_tell(self):
        self.notice_ids._create_for(self)
        self.notice_ids._tell()
        return True

    def _step_letter(self):
        """Write to the person as long as their address is known; it goes out before it is erased."""
        if not self.request_id or self.is_replay:
            return True
        if self.attempts and self.attempts >= LETTER_ATTEMPTS:
            self.request_id._log_event("letter", self.env._("The answer could not be sent"))
            return True
        return self.request_id._send_last_letter() or None

    def _step_models(self):
        """Erase one batch of the first model that is not done."""
        if not self.line_ids:
            names = self._get_eraser().list_models() if self.partner_id else []
            self.line_ids.create(
                [
                    {"erasure_id": self.id, "sequence": number, "model_name": name}
                    for number, name in enumerate(names)
                ]
            )
        for line in self.line_ids.filtered(lambda line: not line.done):
            if line._erase_batch(BATCH):
                break  # of models without a record of the person there are many
        return not self.line_ids.filtered(lambda line: not line.done)

    def _step_files(self):
        """Remove the files of deleted attachments, unless another attachment has the same bytes."""
        if self.env["ir.attachment"]._storage() != "file":
            return True
        try:
            # A transaction of its own, and the lock before anything is read in it: whoever stores
            # the same bytes right now is waited for, see ir.attachment._gc_file_store.
            with self.env.registry.cursor() as cr:
                cr.execute("SET LOCAL lock_timeout TO '10s'")
                cr.execute("LOCK ir_attachment IN SHARE MODE")
                self.env(cr=cr)["ir.attachment"].sudo()._gc_file_store_unsafe()
        except psycopg2.errors.LockNotAvailable:
            return None
        return True

    def _step_redact(self):
        kept = set(self.kept_ids.filtered("model_name").mapped("model_name"))
        self.redacted_count += self._get_eraser().redact(self._get_patterns(), kept)
        if self.request_id:
            self.request_id._reduce(self.pseudonym)
        self.env.registry.clear_cache()
        return True

    def _step_ledger(self):
        self.executed_at = self.executed_at or fields.Datetime.now()
        self.ledger_ids._write_down(self)
        return True

    def _step_sweep(self):
        """Search what is left; go on only if all of it is explained."""
        self.finding_ids._search_for(self)
        if self.open_finding_count:
            self.step = "redact"  # from where it goes on, whoever cleans up meanwhile
            self._fail(
                self.env._(
                    "Traces of the person are left in %(count)s places. Look at “What is left”, "
                    "remove them, and try again.",
                    count=self.open_finding_count,
                )
            )
            return False
        return True

    def _step_close(self):
        self.write(
            {
                "state": "done",
                "closed_at": fields.Datetime.now(),
                "identifiers": False,
                "problem": False,
            }
        )
        self.env["privacy.audit"]._log("erase", self, subject=self.pseudonym)
        if self.request_id:
            self.request_id._close_erasure()
        return True
