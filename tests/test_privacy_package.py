"""A data package of one database makes the same person in another one, of another operator."""

import pytest

from harness.server import read_shell

DESCRIBE = """
def describe(partner):
    return [
        {name: partner[name] or "" for name in %(names)r} | {"country": partner.country_id.code or ""},
        [(child.name, child.type, child.city) for child in partner.child_ids],
    ]
"""
MAKE = (
    DESCRIBE
    + """
import json
from contextlib import closing
from odoo.tests.common import new_test_user

group = "isp_privacy.group_privacy_officer"
first = new_test_user(env, "package.one", groups=group, password="package.one-1")
second = new_test_user(env, "package.two", groups=group, password="package.two-1")
karim = env["res.partner"].create({
    "name": "Karim “K” Uddin, জনাব", "email": "karim@customer.example", "phone": "+8801711000001",
    "street": "House 7, Road 3", "city": "Dhaka", "zip": "1207", "function": "Baker",
    "country_id": env.ref("base.bd").id, "comment": "<p>Pays late</p>",
})
env["res.partner"].create({
    "name": "Shop of Karim", "type": "delivery", "parent_id": karim.id, "city": "Sylhet",
})
request = env["privacy.request"].with_user(first).create(
    {"request_type": "portability", "partner_id": karim.id}
)
request._verify_identity("letter")
request.action_review()
request.with_user(second).action_approve()
env.cr.commit()
env["privacy.export"].sudo()._cron_build()
export = request.sudo()._get_export()
assert export.state == "ready", (export.state, export.problem)
with closing(export._open_file(export.store_name)) as stream, open(%(path)r, "wb") as file:
    file.write(stream.readall())
print("RESULT" + json.dumps(describe(karim)))
"""
)
TAKE = (
    DESCRIBE
    + """
import base64, json
with open(%(path)r, "rb") as file:
    data = base64.b64encode(file.read())
wizard = env["privacy.export.import"].create({"file": data, "file_name": "export.zip"})
wizard.action_check()
wizard.action_import()
partner = wizard.partner_id
env.cr.commit()
print("RESULT" + json.dumps({
    "person": describe(partner), "comment": partner.comment or "",
    "differences": wizard.differences, "equal": wizard.equal_count,
}))
"""
)
NAMES = ("name", "email", "phone", "street", "city", "zip", "function")


@pytest.mark.proves("P-38")
def test_another_database_takes_the_person_over(new_database, tmp_path):
    values = {"path": str(tmp_path / "export.zip"), "names": NAMES}
    there = read_shell(new_database(), MAKE % values)
    here = read_shell(new_database(), TAKE % values)
    assert here["person"] == there
    assert there[0]["name"] == "Karim “K” Uddin, জনাব" and there[1] == [
        ["Shop of Karim", "delivery", "Sylhet"]
    ]
    assert not here["differences"] and here["equal"] > 10
    assert here["comment"] == "", "what staff noted was not provided by the person"
