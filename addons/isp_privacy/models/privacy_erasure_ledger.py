import configparser
import functools
import hmac
import json
import logging
import os
import secrets
import tempfile
from pathlib import Path

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import config

from odoo.addons.isp_base.encryption import get_keyring

from ..engine import identifiers

_logger = logging.getLogger(__name__)

PARAMETER = "isp_privacy.ledger_dir"
BATCH = 1000
# Names and addresses may be many people's; these are one's.
_STRONG = {"email", "phone", "number", "login"}


@functools.cache
def _read_conf_folder(path):
    parser = configparser.RawConfigParser()
    parser.read([path])
    return parser.get("isp", "ledger_dir", fallback=None)


class PrivacyErasureLedger(models.Model):
    """Who was erased, without saying who: kept outside the database, to be repeated after a restore.

    A backup that is older than an erasure brings the person back. So each row is also written to a
    file in a folder that is not part of the backups, and :meth:`_replay` reads it there.
    """

    _name = "privacy.erasure.ledger"
    _description = "Erasure ledger"
    _order = "executed_at desc, id desc"
    _rec_name = "pseudonym"

    _privacy_subject = None
    _privacy_defaults = {
        "category": "proof",
        "purpose": "rights",
        "retention": "audit",
        "erasure": "keep",
        "reason": "Keyed digests, by which the person is found if a backup brings them back.",
        "export": False,
    }
    _privacy_fields = {"pseudonym digests": {}}
    _privacy_free = {
        "Numbers of the request and of the map, and why the file could not be written.": "request "
        "salt map_version problem note",
    }

    erasure_id = fields.Many2one(
        "privacy.erasure", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    request = fields.Char(readonly=True)
    pseudonym = fields.Char(required=True, readonly=True, index=True)
    partner_number = fields.Integer("Contact number", readonly=True, aggregator=None)
    salt = fields.Char(required=True, readonly=True)
    digests = fields.Json("Digests of the identifiers", readonly=True)
    executed_at = fields.Datetime("Erased", required=True, readonly=True)
    map_version = fields.Char(readonly=True, help="Which data map it was done by.")
    exported_at = fields.Datetime("Written to the file", readonly=True)
    problem = fields.Char(readonly=True)
    note = fields.Char("Result of the last replay", readonly=True)

    _uniq = models.UniqueIndex("(pseudonym, executed_at)")

    # === CRUD METHODS === #

    def write(self, vals):
        """The ledger is written by its own methods, or it could name somebody to be erased."""
        if not self.env.su:
            raise AccessError(self.env._("The ledger cannot be changed by hand."))
        return super().write(vals)

    # === ACTIONS === #

    def action_export(self):
        """Write the file anew."""
        self.check_access("write")
        self.sudo()._export()

    def action_replay(self):
        """Repeat, after a restore, the erasures that the database does not know of."""
        self.check_access("write")
        runs = self.sudo()._replay()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._("%s erasures are carried out again.", len(runs)),
                "sticky": True,
            },
        }

    # === BUSINESS METHODS - WRITING === #

    @api.model
    def _write_down(self, run):
        """Add the row of an erasure, once, and write the file."""
        if run.ledger_ids:
            return
        salt = secrets.token_hex(16)
        self.create(
            {
                "erasure_id": run.id,
                "company_id": run.company_id.id,
                "request": run.request_id.name,
                "pseudonym": run.pseudonym,
                "partner_number": run.partner_id.id,
                "salt": salt,
                "digests": sorted(
                    self._digest(salt, *identifier) for identifier in run._get_identifiers()
                ),
                "executed_at": run.executed_at.replace(microsecond=0),
                "map_version": self._get_map_version(),
            }
        )
        self._export()

    @api.model
    def _digest(self, salt, kind, value):
        """Return the keyed digest of an identifier; the key is outside the database."""
        strength = "strong" if kind in _STRONG else "weak"
        index = get_keyring(self.env).blind_index(f"privacy.ledger|{salt}|{kind}", value)
        return f"{strength}:{index}"

    @api.model
    def _get_map_version(self):
        module = self.env["ir.module.module"].sudo().search([("name", "=", "isp_privacy")])
        return module.installed_version

    @api.model
    def _get_folder(self):
        # sudo: where the ledger is kept is a setting.
        folder = self.env["ir.config_parameter"].sudo().get_param(PARAMETER)
        return folder or (config["config"] and _read_conf_folder(config["config"])) or None

    @api.model
    def _get_path(self):
        folder = self._get_folder()
        if not folder:
            raise UserError(
                self.env._(
                    "The ledger is kept in the database only, which a restore takes back. Set the "
                    "system parameter %s, or ledger_dir in section [isp] of odoo.conf, to a folder "
                    "that is not part of the backups.",
                    PARAMETER,
                )
            )
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return Path(folder) / f"erasures-{uuid}.jsonl"

    @api.model
    def _export(self):
        """Write all rows to the file; what goes wrong is noted and tried again by a job.

        What is in the file and not in the database stays: the database may be an older one.
        """
        todo = self.search([("id", "!=", False)])
        try:
            path = self._get_path()
            lines = self._read_file(path)
            known = {(line["pseudonym"], line["executed_at"]) for line in lines}
            for row in todo.sorted("executed_at"):
                line = row._prepare_line()
                if (line["pseudonym"], line["executed_at"]) not in known:
                    lines.append(line)
            _write_atomically(path, "".join(f"{json.dumps(line)}\n" for line in lines))
        except (OSError, UserError) as error:
            problem = error.strerror if isinstance(error, OSError) else str(error)
            _logger.warning("The erasure ledger was not written: %s", problem)
            todo.filtered(lambda row: not row.exported_at).write({"problem": problem})
            return False
        todo.filtered(lambda row: not row.exported_at or row.problem).write(
            {"exported_at": fields.Datetime.now(), "problem": False}
        )
        return True

    def _prepare_line(self):
        self.ensure_one()
        line = {
            "request": self.request or None,
            "pseudonym": self.pseudonym,
            "partner": self.partner_number,
            "salt": self.salt,
            "digests": self.digests or [],
            "executed_at": fields.Datetime.to_string(self.executed_at),
            "map_version": self.map_version or None,
        }
        return line | {"seal": self._seal(line)}

    @api.model
    def _seal(self, line):
        """Return what shows that a line was written by us: a foreign one would erase customers."""
        text = json.dumps({**line, "seal": None}, sort_keys=True)
        return get_keyring(self.env).blind_index("privacy.ledger|seal", text)

    @api.model
    def _read_file(self, path):
        """Return the lines of the file.

        :raises UserError: when one is not ours
        """
        try:
            text = path.read_text()
        except FileNotFoundError:
            return []
        lines = []
        for number, row in enumerate(text.splitlines(), 1):
            try:
                line = json.loads(row)
                is_ours = hmac.compare_digest(line["seal"], self._seal(line))
            except (ValueError, KeyError, TypeError):
                is_ours = False
            if not is_ours:
                raise UserError(
                    self.env._(
                        "Line %(number)s of %(path)s was changed, or written with other keys. "
                        "Nothing is done with the file until it is put right.",
                        number=number,
                        path=path,
                    )
                )
            lines.append(line)
        return lines

    @api.model
    def _cron_export(self):
        """Write the rows to the file that could not be written before."""
        if self.search_count([("exported_at", "=", False)], limit=1):
            self._export()

    # === BUSINESS METHODS - AFTER A RESTORE === #

    @api.model
    def _replay(self):
        """Erase again whom the file names and the database still, or again, knows.

        Repeating it changes nothing. For a shell: ``env["privacy.erasure.ledger"]._replay()``.

        :return: the runs that were started
        :raises UserError: when the file cannot be read
        """
        runs = self.env["privacy.erasure"]
        for line in self._read_file(self._get_path()):
            row = self._find_or_add(line)
            runs |= row._replay_row()
        return runs

    @api.model
    def _find_or_add(self, line):
        row = self.search(
            [("pseudonym", "=", line["pseudonym"]), ("executed_at", "=", line["executed_at"])]
        )
        return row or self.create(
            {
                "company_id": self.env.company.id,
                "request": line["request"],
                "pseudonym": line["pseudonym"],
                "partner_number": line["partner"],
                "salt": line["salt"],
                "digests": line["digests"],
                "executed_at": line["executed_at"],
                "map_version": line["map_version"],
                "exported_at": fields.Datetime.now(),
            }
        )

    def _replay_row(self):
        """Erase the person of one row again if they are back.

        Only the contact of that number is erased, and only if something of the person is on it:
        after a restore the number may have been given to somebody else. Others who are known by the
        same address or number are for an officer to look at.
        """
        self.ensure_one()
        runs = self.env["privacy.erasure"]
        partner = self.env["res.partner"].with_context(active_test=False)
        partner = partner.browse(self.partner_number or []).exists()
        if partner and self._knows(partner, strong_only=False):
            self.note = self.env._("Erased again")
            company = partner.company_id or self.company_id
            return runs._start(company, partner, is_replay=True)
        others = self._find_others()
        self.note = (
            self.env._("Look at contacts %s: known by the same address or number", others)
            if others
            else self.env._("Nothing is left")
        )
        return runs

    def _knows(self, partner, strong_only):
        found = {
            self._digest(self.salt, *identifier)
            for identifier in _identifiers_of(partner, self.company_id.country_id.code)
            if not strong_only or identifier.kind in _STRONG
        }
        return bool(found & set(self.digests or []))

    def _find_others(self):
        """Return the numbers of the first contacts that were there before and share an identifier."""
        partners = self.env["res.partner"].with_context(active_test=False)
        after, found = 0, []
        while batch := partners.search(
            [("id", ">", after), ("create_date", "<=", self.executed_at)], limit=BATCH, order="id"
        ):
            after = batch[-1].id
            found += [partner.id for partner in batch if self._knows(partner, strong_only=True)]
            batch.invalidate_recordset()
        return ", ".join(map(str, found[:5]))


def _identifiers_of(partner, region):
    """Return what a contact itself is recognised by."""
    found = [*identifiers.read("name", partner.name), *identifiers.read("address", partner.street)]
    for value in (partner.email, partner.phone):
        found += identifiers.read("contact", value, region)
    for user in partner.user_ids:
        found += identifiers.read("login", user.login)
    return found + identifiers.read("number", partner.vat)


def _write_atomically(path, text):
    """Replace a file as a whole: a crash leaves the old one or the new one."""
    handle, temporary = tempfile.mkstemp(prefix=".erasures-", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name as well
    finally:
        os.close(folder)
