import base64
import io

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.isp_base import safe_csv

from ..routeros import desired, errors, logins, menus

# Headings that the import understands by itself, see isp_billing's subscriber_columns.
_HEADINGS = (
    "Username", "Password", "Customer name", "Plan", "Status", "Static IP", "MAC address", "Note",
)  # fmt: skip


class IspNas(models.Model):
    """A provider moves in: the logins a router has become an import, passwords included."""

    _inherit = "isp.nas"

    def action_routeros_import(self):
        """Read the logins of the router into an import, and open it."""
        self.ensure_one()
        self.check_access("write")
        self.env["isp.import"].check_access("create")
        try:
            with self._open_router() as session:
                found = logins.read_logins(session)
        except errors.RouterError as error:
            raise UserError(self._explain_router_error(error)) from None
        if not found:
            raise UserError(self.env._("Every login of this router belongs to a subscription."))
        record = self.env["isp.import"].create(
            {
                "company_id": self.company_id.id,
                "nas_id": self.id,
                "file_name": f"{self.name}.csv",
                "file": base64.b64encode(self._write_logins(found)),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "isp.import",
            "res_id": record.id,
            "views": [(False, "form")],
        }

    @api.model
    def _write_logins(self, found):
        """The logins as a file for the import."""
        file = io.StringIO(newline="")
        write = safe_csv.writer(file)
        write(_HEADINGS)
        for one in found:
            write(
                [
                    one.name,
                    one.password,
                    one.comment or one.name,
                    one.profile,
                    "suspended" if one.disabled else "active",
                    one.address if one.address[:1].isdigit() else "",
                    one.mac,
                    self.env._("From %(menu)s of the router", menu=one.path),
                ]
            )
        return file.getvalue().encode()

    def _is_adopted_login(self, difference):
        """Whether a row of others is the login that a subscription was imported from.

        Only with the very password: then it is the customer's, whatever happened since.
        """
        service_id = desired.service_id_of(difference.marker)
        if not service_id or difference.path not in (menus.PPP_SECRET, menus.HOTSPOT_USER):
            return False
        if any(name == "password" for name, _found, _wanted in difference.changes):
            return False
        return self.env["isp.subscription"].browse(service_id).import_id.nas_id == self
