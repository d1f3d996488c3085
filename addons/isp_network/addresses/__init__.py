"""Arithmetic of addresses: plain Python, no database, no Odoo."""
