"""Passwords of mail servers are encrypted; until this version Odoo stored them in clear."""

from odoo import SUPERUSER_ID, api

from odoo.addons.isp_base.hooks import post_init_hook


def migrate(cr, _version):
    post_init_hook(api.Environment(cr, SUPERUSER_ID, {}))
