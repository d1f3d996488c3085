from odoo import api, models

BENGALI = "bn_IN"
# Lakh and crore: 12,34,567.50
BENGALI_FORMAT = {"decimal_point": ".", "thousands_sep": ",", "grouping": "[3,2,0]"}
CORE_DECIMAL_POINT = ","


class ResLang(models.Model):
    _inherit = "res.lang"

    @api.model_create_multi
    def create(self, vals_list):
        """Give Bengali its number format when the language is made anew."""
        langs = super().create(vals_list)
        langs._isp_apply_bengali_format()
        return langs

    def write(self, vals):
        """Give Bengali its number format when the language is switched on."""
        result = super().write(vals)
        if vals.get("active"):
            self._isp_apply_bengali_format()
        return result

    def _isp_apply_bengali_format(self):
        """Replace core's decimal comma, and nothing that an administrator chose."""
        for lang in self:
            if lang.code == BENGALI and lang.decimal_point == CORE_DECIMAL_POINT:
                lang.write(BENGALI_FORMAT)

    @api.model
    def _isp_update_bengali_format(self):
        """Apply the format to an existing language; called at install and update."""
        self.with_context(active_test=False).search(
            [("code", "=", BENGALI)]
        )._isp_apply_bengali_format()
