from odoo import models

UNUSED = (
    *("web.assets_unit_tests", "web.tests_assets", "web.qunit", "web.assets_web_dark"),
    *("api_doc.", "mail.assets_", "spreadsheet.public_"),
)


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _get_bundles_to_pregenarate(self):
        """Leave out Odoo's unit tests, dark mode and public meetings.

        They cost each run of the tests half a minute, and no test of ours loads them.
        """
        return tuple(
            {name for name in bundles if not name.startswith(UNUSED)}
            for bundles in super()._get_bundles_to_pregenarate()
        )
