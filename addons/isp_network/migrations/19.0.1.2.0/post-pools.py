"""Plans name their pools by choice; until this version they carried the name as a text."""

from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    """Choose the pools that exist; a name that no pool has stays, and is still sent."""
    env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
    for company in env["res.company"].search([]):
        env["isp.plan"]._link_pools(company)
