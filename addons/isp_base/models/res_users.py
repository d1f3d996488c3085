from odoo import api, models
from odoo.exceptions import AccessDenied

RPC_PARAMETER = "isp_base.allow_rpc"


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model
    def _check_uid_passwd(self, uid, passwd):
        """Refuse calls of methods by XML-RPC and JSON-RPC; nothing else asks here.

        They name the database in the call, past the filter on host names: who knows a password of
        another operator's database would reach it by any name. ``/json/2`` keeps to the filter.
        """
        # sudo: nobody is signed in yet.
        if self.env["ir.config_parameter"].sudo().get_param(RPC_PARAMETER) != "True":
            raise AccessDenied(
                self.env._(
                    "XML-RPC and JSON-RPC are switched off in this database. Call /json/2 with an "
                    "API key, or let an administrator allow them under Settings > ISP security."
                )
            )
        return super()._check_uid_passwd(uid, passwd)
