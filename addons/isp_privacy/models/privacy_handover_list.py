import hashlib
import io

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from odoo.addons.isp_base import safe_csv

BATCH_SIZE = 1000
_COLUMNS = ("id", "name", "email", "phone", "street", "street2", "city", "zip", "country_id")


class PrivacyHandover(models.Model):
    """What the new owner gets: the list of the people, each time a disclosure of its own."""

    _inherit = "privacy.handover"

    # === ACTIONS === #

    def action_download_list(self):
        """Download the list, if it may be handed over."""
        self.ensure_one()
        self._check_handed_over()
        return {
            "type": "ir.actions.act_url",
            "url": f"/privacy/handovers/{self.id}/list",
            "target": "download",
        }

    # === BUSINESS METHODS === #

    def _check_handed_over(self):
        """Refuse before it is in effect; what made it so is looked at again.

        :raises UserError: says what is missing
        """
        self.check_access("write")
        if self.state in ("announced", "effective"):
            self._check_notice()
        if self.state != "effective":
            raise UserError(self.env._("Nothing is handed over before the hand-over is in effect."))

    def _hand_over_list(self):
        """Return the list as CSV, and write down that it was handed over, and what it was."""
        self.ensure_one()
        self._check_handed_over()
        people = self._get_subjects()
        listed = people - self._get_apart(people)
        content = self._build_list(listed)
        self._disclose(hashlib.sha256(content).hexdigest(), len(listed))
        self.env["privacy.audit"]._log("hand_over", self, fields=_COLUMNS)
        return content

    def _build_list(self, people):
        """Return the contact data of ``people``, formula-safe."""
        text = io.StringIO()
        write = safe_csv.writer(text)
        write([people._fields[name]._description_string(self.env) for name in _COLUMNS])
        for ids in split_every(BATCH_SIZE, people.sorted("id").ids):
            batch = people.browse(ids)
            for partner in batch:
                write([_text(partner, name) for name in _COLUMNS])
            batch.invalidate_recordset(flush=False)
        return text.getvalue().encode()

    def _disclose(self, digest, count):
        """Add what was handed over to the register of disclosures."""
        # sudo: its states are guarded. Two people decided: who entered the hand-over, and who put
        # it into effect.
        disclosure = (
            self.env["privacy.disclosure"]
            .sudo()
            .create(
                {
                    "authority": self.name,
                    "legal_reference": self.legal_basis,
                    "scope": self.env._(
                        "%(scope)s\nList of %(count)s people.", scope=self.scope, count=count
                    ),
                    "company_id": self.company_id.id,
                    "date_received": self._local_date(self.announced_at),
                    "state": "done",
                    "entered_by_id": self.entered_by_id.id,
                    "approved_by_id": self.approved_by_id.id,
                    "approved_at": self.effective_at,
                    "handed_over_by_id": self.env.uid,
                    "handed_over_at": fields.Datetime.now(),
                    "file_name": self._get_list_name(),
                    "sha256": digest,
                }
            )
        )
        self.sudo().disclosure_ids = [fields.Command.link(disclosure.id)]

    def _get_list_name(self):
        return f"handover-{self.id}.csv"


def _text(partner, name):
    value = partner[name]
    if isinstance(value, models.BaseModel):
        value = value.code
    return value or ""
