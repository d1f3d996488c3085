from markupsafe import Markup

from odoo import fields, models

from .. import crypto
from ..encryption import get_keyring
from .res_users import RPC_PARAMETER


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_key_id = fields.Char("Active key", compute="_compute_isp_key_status")
    isp_key_problem = fields.Char("Problem with the keys", compute="_compute_isp_key_status")
    isp_key_usage = fields.Html("Stored secrets", compute="_compute_isp_key_status", sanitize=False)
    isp_old_secrets = fields.Integer(
        "Secrets under older keys",
        compute="_compute_isp_key_status",
        help="Rotating encrypts them again with the active key. Records stay usable meanwhile.",
    )
    isp_rotation_progress = fields.Integer(
        "Under the active key (%)",
        compute="_compute_isp_key_status",
        help="Of the secrets that can be read. A rotation that was interrupted goes on from here.",
    )
    isp_rotation_last = fields.Datetime("Last rotation", compute="_compute_isp_key_status")
    isp_allow_rpc = fields.Boolean("XML-RPC and JSON-RPC", config_parameter=RPC_PARAMETER)

    def _compute_isp_key_status(self):
        problem, keyring = False, None
        try:
            keyring = crypto.load_keyring()
        except crypto.KeyringError as error:
            problem = str(error)
        mixin = self.env["isp.encrypted.mixin"]
        counted = mixin._count_secrets()
        self.isp_key_id = keyring.active if keyring else False
        self.isp_key_problem = problem
        self.isp_old_secrets = mixin._count_rotatable(counted, keyring) if keyring else 0
        self.isp_key_usage = self._render_isp_key_usage(counted, keyring)
        self.isp_rotation_progress = self._get_isp_rotation_progress(counted, keyring)
        # sudo: it is the suite's own job; the settings are for administrators.
        self.isp_rotation_last = self.env.ref("isp_base.ir_cron_rotate_keys").sudo().lastcall

    def _get_isp_rotation_progress(self, counted, keyring):
        """Return how many of a hundred readable secrets have the active key."""
        if not keyring:
            return 0
        readable = sum(
            number
            for _model, _field, counts in counted
            for key_id, number in counts.items()
            if key_id in keyring.key_ids
        )
        waiting = self.env["isp.encrypted.mixin"]._count_rotatable(counted, keyring)
        # Rounded down: a hundred means that nothing waits.
        return 100 * (readable - waiting) // readable if readable else 100

    def _render_isp_key_usage(self, counted, keyring):
        rows = [
            Markup(
                "<tr><td>%s</td><td>%s</td><td>%s</td><td class='text-end'>%s</td>"
                "<td class='text-end'>%s</td></tr>"
            )
            % (
                model.env["ir.model"]._get(model._name).name,
                field._description_string(self.env),
                self._describe_isp_key(key_id, keyring),
                number,
                number if keyring and key_id in set(keyring.key_ids) - {keyring.active} else "",
            )
            for model, field, counts in counted
            for key_id, number in counts.items()
        ]
        if not rows:
            return False
        head = Markup(
            "<tr><th>%s</th><th>%s</th><th>%s</th><th class='text-end'>%s</th>"
            "<th class='text-end'>%s</th></tr>"
        ) % (
            self.env._("Document"),
            self.env._("Field"),
            self.env._("Key"),
            self.env._("Secrets"),
            self.env._("Waiting"),
        )
        return Markup("<table class='table table-sm mb-0'>%s%s</table>") % (
            head,
            Markup("").join(rows),
        )

    def _describe_isp_key(self, key_id, keyring):
        if keyring and key_id == keyring.active:
            return self.env._("%s (active)", key_id)
        if keyring and key_id in keyring.key_ids:
            return self.env._("%s (older)", key_id)
        return self.env._("%s (missing: unreadable)", key_id)

    def action_isp_rotate_keys(self):
        """Start the rotation in the background."""
        get_keyring(self.env)
        self.env.ref("isp_base.ir_cron_rotate_keys")._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._(
                    "The rotation runs in the background. Open this page again to see what is left."
                ),
                "type": "success",
            },
        }
