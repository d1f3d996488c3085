"""Where the logins at bKash are kept, for all workers: bKash allows two an hour."""

import json
from contextlib import contextmanager
from dataclasses import asdict

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from odoo.addons.isp_base.encryption import encrypted_char

from ..gateways.bkash_tokens import TokenState
from ..gateways.common import GatewayError, Unknown

# Whoever holds the lock waits for bKash, at most twice for the time-out of one call.
_LOCK_TIMEOUT = "70s"
_TRIES = 3
_NUMBERS = ("issued_at", "expires_at", "refresh_until", "locked_until")


class IspBkashLogin(models.Model):
    _name = "isp.bkash.login"
    _description = "Login at bKash"
    _inherit = ["isp.encrypted.mixin"]
    _log_access = False

    _privacy_subject = None
    _privacy_defaults = {"category": "credential", "purpose": "security", "retention": "account"}
    _privacy_fields = {"id_token refresh_token": "secret"}
    _privacy_free = {"Of the operator's own account at the gateway.": "app logins"}

    provider_id = fields.Many2one("payment.provider", required=True, ondelete="cascade")
    id_token, id_token_enc, id_token_bidx, id_token_last4 = encrypted_char("id_token", "Token")
    (refresh_token, refresh_token_enc, refresh_token_bidx, refresh_token_last4) = encrypted_char(
        "refresh_token", "Token for a new login"
    )
    # Seconds since 1970, as the client counts.
    issued_at = fields.Float(digits=(16, 3))
    expires_at = fields.Float(digits=(16, 3))
    refresh_until = fields.Float(digits=(16, 3))
    locked_until = fields.Float(digits=(16, 3))
    logins = fields.Char(help="When bKash was asked for a token in the last hour.")
    app = fields.Char(help="Whose logins these are.")

    _provider_uniq = models.UniqueIndex("(provider_id)", "One login for each provider.")

    @api.model
    def _lock(self, provider_id, wait=True):
        """Return the row of a provider, made if need be, locked until the end of this cursor.

        :raise LockNotAvailable: another worker has it, at once unless ``wait``
        """
        self.env.execute_query(SQL("SELECT set_config('lock_timeout', %s, TRUE)", _LOCK_TIMEOUT))
        self.env.cr.execute(
            SQL(
                "INSERT INTO isp_bkash_login (provider_id) VALUES (%s) ON CONFLICT DO NOTHING",
                provider_id,
            )
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM isp_bkash_login WHERE provider_id = %s FOR UPDATE %s",
                provider_id,
                SQL() if wait else SQL("NOWAIT"),
            )
        )
        return self.browse(rows[0])

    def _to_state(self):
        """Return what the client works with."""
        numbers = {name: self[name] for name in _NUMBERS}
        return TokenState(
            id_token=self.id_token or "",
            refresh_token=self.refresh_token or "",
            logins=json.loads(self.logins or "[]"),
            app=self.app or "",
            **numbers,
        )

    def _keep(self, state):
        values = asdict(state)
        values["logins"] = json.dumps(values["logins"])
        self.write(values)


class LoginStore:
    """The client's token store on ``isp.bkash.login``.

    It has cursors of its own: a login that was made counts, whatever becomes of the payment.
    """

    def __init__(self, provider):
        self._registry, self._provider_id = provider.env.registry, provider.id

    def peek(self):
        """Return the state as it is, without waiting for anybody."""
        with self._registry.cursor() as cr:
            logins = self._logins(cr)
            return logins.search([("provider_id", "=", self._provider_id)], limit=1)._to_state()

    @contextmanager
    def locked(self, wait=True):
        """Give the state to one worker at a time, and keep what it changed, errors or not.

        :param wait: False gives ``None`` when another worker has it
        """
        failure = None
        with self._registry.cursor() as cr:
            row = self._lock(cr, wait)
            state = row and row._to_state()
            before = row and asdict(state)
            try:
                yield state or None
            except GatewayError as error:
                failure = error
            if row and asdict(state) != before:
                row._keep(state)
        if failure:
            raise failure

    def _lock(self, cr, wait):
        logins = self._logins(cr)
        for _attempt in range(_TRIES):
            try:
                return logins._lock(self._provider_id, wait)
            except psycopg2.errors.SerializationFailure:
                # Another worker has just changed the row: look again with new eyes.
                cr.rollback()
            except psycopg2.errors.LockNotAvailable:
                cr.rollback()
                break
        if wait:
            raise Unknown("Another worker is logging in at bKash. Try again in a minute.")
        return None

    def _logins(self, cr):
        # Superuser: nobody else may see a token.
        return api.Environment(cr, SUPERUSER_ID, {})["isp.bkash.login"]
