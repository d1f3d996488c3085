"""Encrypted fields: :func:`encrypted_char` and the field class behind it.

A model that inherits ``isp.encrypted.mixin`` declares a secret as four fields at once::

    secret, secret_enc, secret_bidx, secret_last4 = encrypted_char("secret", "Shared secret")

``secret`` is what code reads and writes, ``secret_enc`` holds the ciphertext, ``secret_bidx`` the
blind index for exact search (only stored with ``indexed=True``) and ``secret_last4`` a mask for
screens.  In the web client and in exports ``secret`` itself shows as that mask; a person sees the
clear text through ``action_reveal`` only, which leaves a trace.
"""

import configparser
import functools
import logging

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, config

from . import crypto

_logger = logging.getLogger(__name__)

SHOW_UNREADABLE = "isp_show_unreadable"

_BULLET = "•"
_LAST4_MIN_LENGTH = 12
_OWN_PARAMETERS = {
    *("company_dependent", "compute", "copy", "inverse", "related", "search", "size", "store"),
    *("tracking", "translate"),
}


@functools.cache
def _read_conf_key_file(path):
    parser = configparser.RawConfigParser()
    parser.read([path])
    return parser.get("isp", "key_file", fallback=None)


crypto.set_key_file_finder(lambda: config["config"] and _read_conf_key_file(config["config"]))


def get_keyring(env):
    """Return the keyring, or raise a UserError that says what to do."""
    try:
        return crypto.load_keyring()
    except crypto.KeyringMissing as error:
        raise UserError(
            env._(
                "%(problem)s Secrets can be neither stored nor read without the keys: run "
                "`make run`, or set ISP_KEY_FILE to the key file of this installation.",
                problem=error,
            )
        ) from None
    except crypto.KeyringError as error:
        raise UserError(
            env._("Secrets can be neither stored nor read. %(problem)s", problem=error)
        ) from None


def mask(value, last4_from=_LAST4_MIN_LENGTH):
    """Return bullets, followed by the last four characters of a value long enough to allow it."""
    if not value:
        return value
    return _BULLET * 8 + (value[-4:] if len(value) >= last4_from else "")


class Unreadable:
    """Stands in the cache for a secret that is stored but cannot be decrypted."""

    __slots__ = ("reason",)

    def __init__(self, reason):
        self.reason = reason


class EncryptedChar(fields.Char):
    """The clear side of an encrypted field; declare it with :func:`encrypted_char`."""

    enc_field = None
    bidx_field = None
    normalize = None
    last4_from = _LAST4_MIN_LENGTH

    def setup_nonrelated(self, model):
        """Refuse a model that would store the secret in a way this class does not control."""
        if self.enc_field and not hasattr(model, "_rotate_keys"):
            raise TypeError(f"{model._name} must inherit isp.encrypted.mixin to hold {self.name}")
        return super().setup_nonrelated(model)

    def convert_to_cache(self, value, record, validate=True):
        if isinstance(value, Unreadable):
            return value
        return super().convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        """Refuse to hand out an unreadable secret: code must not take it for an empty one."""
        if not isinstance(value, Unreadable):
            return super().convert_to_record(value, record)
        if record.env.context.get(SHOW_UNREADABLE):
            return self.unreadable_text(record.env)
        raise UserError(
            record.env._(
                "The field “%(field)s” of record %(id)s (%(model)s) cannot be read: %(reason)s.",
                field=self._description_string(record.env),
                id=record._origin.id,
                model=record.env["ir.model"]._get(record._name).name,
                reason=value.reason,
            )
        )

    def convert_to_read(self, value, record, use_display_name=True):
        # A record that is being edited keeps what was typed: the client has to send it back. What
        # is stored stays masked, also for a call of `onchange` that asks for it.
        if record.env.su or (not record.id and not self._is_stored_value(value, record)):
            return value
        return self.mask(value, record.env)

    def _is_stored_value(self, value, record):
        stored = record._origin.with_context(**{SHOW_UNREADABLE: True})
        return bool(stored) and stored[self.name] == value

    def convert_to_export(self, value, record):
        return self.mask(value, record.env) or ""

    def mask(self, value, env):
        """Mask a value, except the text that says it is unreadable."""
        return value if value == self.unreadable_text(env) else mask(value, self.last4_from)

    def unreadable_text(self, env):
        """Return what a screen shows in place of a secret that cannot be decrypted."""
        return env._("⚠ unreadable")

    # === CLEAR TEXT AND CIPHERTEXT === #

    def aad(self, records, res_id):
        """Return what binds a ciphertext to its place."""
        return crypto.record_aad(records._name, self.name, res_id)

    def open(self, records):
        """Decrypt: the compute method."""
        keyring = problem = None
        if any(record[self.enc_field] for record in records):
            try:
                keyring = crypto.load_keyring()
            except crypto.KeyringError as error:
                problem = str(error).rstrip(".")
                _logger.error("Secrets of %s cannot be read: %s", records._name, error)
        for record in records:
            token = record[self.enc_field]
            if not token:
                record[self.name] = False
            elif not keyring:
                record[self.name] = Unreadable(problem)
            else:
                record[self.name] = self._open_one(record, token, keyring)

    def _open_one(self, record, token, keyring):
        try:
            return keyring.decrypt(token, self.aad(record, record._origin.id))
        except crypto.DecryptError as error:
            _logger.error(
                "Unreadable secret %s of %s(%s): %s",
                *(self.name, record._name, record._origin.id, error),
            )
            return Unreadable(error)

    def seal(self, records, clear_by_id):
        """Encrypt and store the values of ``{id: clear text}`` in one UPDATE."""
        env = records.env
        keyring = get_keyring(env) if any(clear_by_id.values()) else None
        tokens, indexes = [], []
        for res_id, clear in clear_by_id.items():
            if clear and _BULLET in clear:
                raise UserError(
                    env._(
                        "“%(field)s” shows a mask, not the value: type the new value in full.",
                        field=self._description_string(env),
                    )
                )
            tokens.append(keyring.encrypt(clear, self.aad(records, res_id)) if clear else None)
            indexes.append(self.blind_index(records, clear, keyring) if clear else None)
        written = records.browse(clear_by_id)
        names = [self.enc_field, *([self.bidx_field] if self.bidx_field else [])]
        written.flush_recordset(names)
        columns = dict(zip(names, (tokens, indexes), strict=False))
        update_columns(written, columns)
        written.invalidate_recordset(names, flush=False)
        written.modified(names)

    def blind_index(self, records, clear, keyring):
        """Return the index of a value, normalised as the field says; None without an index."""
        if not self.bidx_field:
            return None
        if self.normalize == "phone":
            clear = records.browse()._phone_format(number=clear) or clear
        elif self.normalize:
            clear = self.normalize(clear)
        return keyring.blind_index(f"{records._name}.{self.name}", clear)

    def find(self, records, operator, value):
        """Search: the presence of a value, and exact values where there is a blind index."""
        records._check_field_access(self, "read")
        if operator.endswith("like"):
            raise UserError(self._search_refusal(records.env))
        if operator != "in":
            return NotImplemented
        wanted = [item for item in value if item]
        domain = Domain(self.enc_field, "=", False) if len(wanted) < len(value) else Domain.FALSE
        if wanted:
            if not self.bidx_field:
                raise UserError(self._search_refusal(records.env))
            keyring = get_keyring(records.env)
            indexes = [self.blind_index(records, str(item), keyring) for item in wanted]
            domain |= Domain(self.bidx_field, "in", indexes)
        # sudo: access to this field was checked, while its columns are closed to everybody.
        found = records.sudo().with_context(active_test=False)._search(domain)
        return Domain("id", "in", found)

    def _search_refusal(self, env):
        label = self._description_string(env)
        if self.bidx_field:
            return env._("“%(field)s” is encrypted: search for the whole value.", field=label)
        return env._("“%(field)s” is encrypted and cannot be searched.", field=label)


def update_columns(records, columns):
    """Write ``{column: [value of each record]}`` in one statement, whatever their number."""
    env = records.env
    env.execute_query(
        SQL(
            "UPDATE %(table)s SET %(assignments)s FROM unnest(%(ids)s::int[], %(arrays)s)"
            " AS new(id, %(names)s) WHERE %(table)s.id = new.id",
            table=SQL.identifier(records._table),
            assignments=SQL(", ").join(
                SQL("%s = %s", SQL.identifier(name), SQL.identifier("new", name))
                for name in columns
            ),
            ids=list(records._ids),
            arrays=SQL(", ").join(SQL("%s::text[]", values) for values in columns.values()),
            names=SQL(", ").join(SQL.identifier(name) for name in columns),
        )
    )


def encrypted_char(
    name,
    string,
    *,
    groups="base.group_system",
    normalize=None,
    indexed=False,
    last4_from=_LAST4_MIN_LENGTH,
    **kwargs,
):
    """Return the four fields of one secret: clear, ciphertext, blind index, mask.

    :param name: name of the clear field; the others must be ``<name>_enc``, ``_bidx``, ``_last4``
    :param groups: who may write the field and have it revealed
    :param normalize: None, ``"phone"`` or a function, applied before the blind index is computed
    :param indexed: store a blind index, so that ``=`` and ``in`` find the exact value
    :param last4_from: how long a value must be for its mask to show the last four characters
    :param kwargs: other parameters of a Char field, such as ``help``
    """
    if wrong := _OWN_PARAMETERS & kwargs.keys():
        raise TypeError(f"encrypted field {name}: {', '.join(sorted(wrong))} cannot be set")

    def compute(records):
        records._fields[name].open(records)

    def inverse(records):
        records._fields[name].seal(records, {record.id: record[name] for record in records})

    def search(records, operator, value):
        return records._fields[name].find(records, operator, value)

    def compute_mask(records):
        field = records._fields[name]
        for record in records.with_context(**{SHOW_UNREADABLE: True}):
            record[f"{name}_last4"] = field.mask(record[name], record.env)

    derived = {"depends": [f"{name}_enc"], "compute_sudo": True, "exportable": False}
    hidden = {
        "groups": "base.group_system",
        "copy": False,
        "readonly": True,
        "exportable": False,
        "prefetch": False,
    }
    clear = EncryptedChar(
        string,
        groups=groups,
        normalize=normalize,
        last4_from=last4_from,
        enc_field=f"{name}_enc",
        bidx_field=f"{name}_bidx" if indexed else None,
        compute=compute,
        inverse=inverse,
        search=search,
        **derived | kwargs,
    )
    ciphertext = fields.Char(f"{string} (encrypted)", **hidden)
    index = "btree_not_null" if indexed else None
    blind_index = fields.Char(f"{string} (index)", store=indexed, index=index, **hidden)
    masked = fields.Char(f"{string} (masked)", compute=compute_mask, copy=False, **derived)
    return clear, ciphertext, blind_index, masked
