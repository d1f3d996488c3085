"""The suite in Bangla as Odoo sees it: no term missing in a .pot, no screen that stays English.

tests/unit/test_translations.py compares each bn.po with its .pot. Here the .pot is compared with what
Odoo itself finds in the code and the database, and the translated screens are opened.
"""

import json

import polib
import pytest

from harness.settings import ADDONS

MODULES = sorted(
    path.parent.name
    for path in ADDONS.glob("*/__manifest__.py")
    if not path.parent.name.startswith("test_")
)

READ_TERMS = f"""
import json
from odoo.tools.translate import TranslationModuleReader
# One addon at a time, as in an export: a model that two extend would be counted for one only.
terms = {{
    module: [row[4] for row in TranslationModuleReader(env.cr, modules=[module])]
    for module in {MODULES!r}
}}
print(json.dumps(terms))
"""

# Labels of our fields, menus, and each view as a user with Bangla gets it.
OPEN_SCREENS = f"""
import json, re
from lxml import etree
modules = set({MODULES!r})
env["res.lang"]._activate_lang("bn_IN")
env["ir.module.module"].search([("name", "in", list(modules))])._update_translations(["bn_IN"])
bangla = env(context={{"lang": "bn_IN"}})
english, opened, problems = [], [], []

def check(place, text):
    if text and re.search("[a-z]{{4}}", text) and not re.search("[\\u0980-\\u09ff]", text):
        english.append([place, text.strip()])

def own(model):
    return env["ir.model.data"].search([("model", "=", model), ("module", "in", list(modules))])

for data in own("ir.model.fields"):
    field = bangla["ir.model.fields"].browse(data.res_id)
    if bangla[field.model]._fields[field.name].export_string_translation:
        check(data.complete_name, field.field_description)
        check(data.complete_name, field.help)
for data in own("ir.model.fields.selection"):
    check(data.complete_name, bangla["ir.model.fields.selection"].browse(data.res_id).name)
for data in own("ir.ui.menu"):
    check(data.complete_name, bangla["ir.ui.menu"].browse(data.res_id).name)
for data in own("ir.ui.view"):
    view = bangla["ir.ui.view"].browse(data.res_id)
    if not view.model or view.inherit_id:
        continue
    try:
        arch = etree.fromstring(bangla[view.model].get_view(view.id, view.type)["arch"])
    except Exception as error:
        problems.append(data.complete_name + ": " + str(error))
        continue
    opened.append(data.complete_name)
    for node in etree.fromstring(view.arch_db).iter(etree.Element):
        for name in ("string", "help", "placeholder", "confirm"):
            check(data.complete_name, node.get(name))
print(json.dumps({{"english": english, "opened": len(opened), "problems": problems}}))
"""


@pytest.fixture(scope="module")
def terms(module_db, odoo_shell):
    return json.loads(odoo_shell(module_db, READ_TERMS).splitlines()[-1])


@pytest.mark.parametrize("addon", MODULES)
def test_the_template_holds_every_term(addon, terms):
    """Export it anew with: scripts/odoo i18n export -d DATABASE ADDON."""
    template = polib.pofile(str(ADDONS / addon / "i18n" / f"{addon}.pot"))
    kept = {entry.msgid.strip() for entry in template}
    found = {term.strip() for term in terms[addon]}
    assert found, f"Odoo finds no term in {addon}"
    assert sorted(found - kept) == [], "terms that are not in the .pot"
    assert sorted(kept - found) == [], "terms that are gone, but still in the .pot"


def test_no_screen_stays_english(module_db, odoo_shell):
    result = json.loads(odoo_shell(module_db, OPEN_SCREENS).splitlines()[-1])
    assert result["problems"] == []
    assert result["opened"] > 50
    # What bn.po keeps on purpose is a name, such as MikroTik RouterOS.
    names = {
        entry.msgid
        for addon in MODULES
        for entry in polib.pofile(str(ADDONS / addon / "i18n" / "bn.po"))
        if entry.msgstr == entry.msgid
    }
    assert [[place, text] for place, text in result["english"] if text not in names] == []
