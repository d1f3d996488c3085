import logging

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .. import crypto
from ..encryption import SHOW_UNREADABLE, EncryptedChar, get_keyring, update_columns

_logger = logging.getLogger(__name__)


class IspEncryptedMixin(models.AbstractModel):
    """Base of models with fields made by ``encrypted_char``."""

    _name = "isp.encrypted.mixin"
    _description = "Encrypted fields"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse before anything is stored when there are secrets to encrypt and no keys."""
        if any(
            vals.get(f.name) or f.default for f in self._encrypted_fields() for vals in vals_list
        ):
            get_keyring(self.env)
        return super().create(vals_list)

    def write(self, vals):
        """Refuse before anything is stored when there are secrets to encrypt and no keys."""
        if any(vals.get(field.name) for field in self._encrypted_fields()):
            get_keyring(self.env)
        return super().write(vals)

    def onchange(self, values, field_names, fields_spec):
        """Let a form with an unreadable secret be edited."""
        self = self.with_context(**{SHOW_UNREADABLE: True})
        return super().onchange(values, field_names, fields_spec)

    def _read_format(self, fnames, load="_classic_read"):
        """Show an unreadable secret as such; one bad row must not break a list."""
        self = self.with_context(**{SHOW_UNREADABLE: True})
        return super()._read_format(fnames, load=load)

    def _export_rows(self, fields, **kwargs):
        """Export masks, see :meth:`EncryptedChar.convert_to_export`."""
        self = self.with_context(**{SHOW_UNREADABLE: True})
        return super()._export_rows(fields, **kwargs)

    # === ACTIONS === #

    def action_reveal(self, field_name):
        """Show one secret to a user who may see it, and write down that it was shown."""
        self.ensure_one()
        field = self._fields.get(field_name)
        if not isinstance(field, EncryptedChar):
            raise UserError(self.env._("There is no encrypted field “%s”.", field_name))
        self.check_access("read")
        value = self[field_name]
        label = field._description_string(self.env)
        self._log_reveal(field_name, label)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": label,
                "message": value or self.env._("No value is stored."),
                "sticky": True,
            },
        }

    def _log_reveal(self, field_name, label):
        _logger.info("User %s looked at %s of %s", self.env.uid, field_name, self)
        if hasattr(self, "_message_log"):
            # sudo: reading a record is enough to have its secret revealed, the note is ours.
            self.sudo()._message_log(
                body=self.env._("Looked at “%s”.", label), author_id=self.env.user.partner_id.id
            )

    # === BUSINESS METHODS === #

    @api.model
    def _encrypted_fields(self):
        """Return the encrypted fields of this model."""
        return [
            field
            for field in self._fields.values()
            if isinstance(field, EncryptedChar) and field.enc_field
        ]

    @api.model
    def _encrypted_models(self):
        """Return the models that store secrets."""
        mixin = self.env.registry[IspEncryptedMixin._name]
        return [
            self.env[name]
            for name, model in sorted(self.env.registry.items())
            if issubclass(model, mixin) and model._auto and not model._abstract
        ]

    def _write_secrets(self, field_name, clear_by_record):
        """Set a different secret on each record of ``{record: clear text}``, in one UPDATE."""
        self.check_access("write")
        field = self._fields[field_name]
        self._check_field_access(field, "write")
        if clear_by_record:
            field.seal(self, {record.id: clear for record, clear in clear_by_record.items()})

    # === COLUMNS OF ODOO === #

    @api.model
    def _encrypt_column(self, field_name):
        """Encrypt what Odoo has stored in clear in the column of an encrypted field, and empty it.

        :return: how many secrets there were
        """
        table, column = SQL.identifier(self._table), SQL.identifier(field_name)
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %(column)s FROM %(table)s WHERE %(column)s IS NOT NULL FOR UPDATE",
                column=column,
                table=table,
            )
        )
        secrets = {res_id: secret for res_id, secret in rows if secret}
        if secrets:
            self._fields[field_name].seal(self, secrets)
        self.env.execute_query(
            SQL(
                "UPDATE %(table)s SET %(column)s = NULL WHERE %(column)s IS NOT NULL",
                column=column,
                table=table,
            )
        )
        return len(secrets)

    @api.model
    def _decrypt_column(self, field_name):
        """Write secrets back into the column of Odoo, before the addon that encrypts them goes.

        :raises UserError: when one cannot be read: it would be lost
        """
        # sudo: nobody reads these fields but the code that needs them.
        records = self.sudo().with_context(active_test=False)
        for record in records.search([(self._fields[field_name].enc_field, "!=", False)]):
            self.env.execute_query(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = %s",
                    SQL.identifier(self._table),
                    SQL.identifier(field_name),
                    record[field_name],
                    record.id,
                )
            )

    # === KEY ROTATION === #

    @api.model
    def _rotate_keys(self, limit=1000):
        """Re-encrypt up to ``limit`` secrets of this model with the active key.

        The key id in each ciphertext is the only state, so an interrupted rotation is continued
        by calling again.  Secrets that cannot be decrypted are logged and left as they are.

        :return: how many secrets were re-encrypted; 0 means that nothing is left to do
        """
        keyring = get_keyring(self.env)
        done = 0
        for field in self._encrypted_fields():
            self.flush_model([field.enc_field])
            last_id = 0
            while done < limit:
                rows = self._lock_old_secrets(field, keyring, last_id, limit - done)
                if not rows:
                    break
                last_id = rows[-1][0]
                done += self._reencrypt(field, keyring, rows)
        return done

    @api.model
    def _lock_old_secrets(self, field, keyring, after_id, limit):
        old_ids = [key_id for key_id in keyring.key_ids if key_id != keyring.active]
        column = SQL.identifier(field.enc_field)
        return self.env.execute_query(
            SQL(
                "SELECT id, %(column)s FROM %(table)s WHERE id > %(after_id)s"
                " AND split_part(%(column)s, ':', 2) = ANY(%(old_ids)s)"
                " ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED",
                column=column,
                table=SQL.identifier(self._table),
                after_id=after_id,
                old_ids=old_ids,
                limit=limit,
            )
        )

    @api.model
    def _reencrypt(self, field, keyring, rows):
        tokens = {}
        for res_id, token in rows:
            aad = field.aad(self, res_id)
            try:
                tokens[res_id] = keyring.encrypt(keyring.decrypt(token, aad), aad)
            except crypto.DecryptError as error:
                _logger.error(
                    "Secret %s of %s(%s) was not rotated: %s", field.name, self._name, res_id, error
                )
        records = self.browse(tokens)
        if records:
            update_columns(records, {field.enc_field: list(tokens.values())})
            records.invalidate_recordset([field.enc_field], flush=False)
        return len(records)

    @api.model
    def _count_secrets(self):
        """Return ``[(model, field, {key id: number of secrets})]`` of the whole database."""
        result = []
        for model in self._encrypted_models():
            for field in model._encrypted_fields():
                model.flush_model([field.enc_field])
                counts = self.env.execute_query(
                    SQL(
                        "SELECT split_part(%(column)s, ':', 2), count(*) FROM %(table)s"
                        " WHERE %(column)s IS NOT NULL GROUP BY 1 ORDER BY 1",
                        column=SQL.identifier(field.enc_field),
                        table=SQL.identifier(model._table),
                    )
                )
                result.append((model, field, dict(counts)))
        return result

    @api.model
    def _count_rotatable(self, counted, keyring):
        """Return how many of the counted secrets wait for the active key."""
        old_ids = set(keyring.key_ids) - {keyring.active}
        return sum(
            number
            for _model, _field, counts in counted
            for key_id, number in counts.items()
            if key_id in old_ids
        )

    @api.model
    def _cron_rotate_keys(self, batch_size=1000):
        """Re-encrypt what still uses an older key, in batches that are committed one by one."""
        cron = self.env["ir.cron"]
        remaining = self._count_rotatable(self._count_secrets(), get_keyring(self.env))
        if not remaining:
            return
        cron._commit_progress(remaining=remaining)
        for model in self._encrypted_models():
            while done := model._rotate_keys(batch_size):
                if not cron._commit_progress(done):
                    return
        # What is left cannot be decrypted: it is in the log, and trying again would not help.
        cron._commit_progress(remaining=0)
