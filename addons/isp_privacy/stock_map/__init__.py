"""The data map of Odoo's and OCA's models, by the module that defines the fields.

What a declaration says is explained in ``datamap``; here ``"subject"`` stands for
``_privacy_subject``, and so on. A module that is not installed is skipped, one that is must match.
"""

from . import accounting, catalogue_of_goods, messages, payments, people, technical

MODULES = {}
for _area in (people, messages, accounting, payments, catalogue_of_goods, technical):
    for _module, _models in _area.MODULES.items():
        for _model, _values in _models.items():
            MODULES.setdefault(_module, {}).setdefault(_model, []).append(_values)
