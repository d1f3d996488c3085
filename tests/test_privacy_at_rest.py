"""A dump of the database and the files beside it hold no identity number, picture or secret in clear."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from harness import databases
from harness.server import read_shell
from harness.settings import environment

NID = "19874471234509876"
PASSPORT = "QX7430921"
TOTP = "KRUGS4ZANFZSAYJAONSWG4TFORUW42LT"
PASSWORD = "Zq-pppoe-8842-canary"
CAMERA = b"CANARY-CAMERA-4711"
SCAN = b"CANARY-SCAN-4712"
# Stands in clear, in the database and in a file: the search would find the others as well.
CONTROL = "CANARY-CONTROL-4713"

SEED = f"""
import base64, io, json
from PIL import Image
from odoo.tests.common import new_test_user

def upload(content):
    return base64.b64encode(content).decode()

def photo():
    exif = Image.Exif()
    exif[0x010E] = {CAMERA.decode()!r}
    content = io.BytesIO()
    Image.new("RGB", (300, 200), "navy").save(content, "JPEG", exif=exif, comment={CAMERA!r})
    assert {CAMERA!r} in content.getvalue()
    return content.getvalue()

group = "isp_privacy.group_kyc_officer"
first = new_test_user(env, "kyc.first", groups=group, password="kyc.first-1")
second = new_test_user(env, "kyc.second", groups=group, password="kyc.second-1")
karim, rahim = env["res.partner"].create(
    [{{"name": "Karim", "ref": {CONTROL!r}}}, {{"name": "Rahim"}}]
)
kycs = env["privacy.kyc"].with_user(first).create(
    [
        {{
            "partner_id": karim.id,
            "number": {NID!r},
            "document_ids": [
                (0, 0, {{"side": "front", "upload": upload(photo())}}),
                (0, 0, {{"side": "back", "upload": upload(photo())}}),
                (0, 0, {{"side": "document",
                        "upload": upload(b"%PDF-1.4 " + {SCAN!r} * 40000)}}),
            ],
        }},
        {{
            "partner_id": rahim.id,
            "kind": "passport",
            "number": {PASSPORT!r},
            "document_ids": [(0, 0, {{"side": "front", "upload": upload(photo())}})],
        }},
    ]
)
kycs.action_submit()
kycs.action_check()
kycs.with_user(second).action_approve()
kycs[0].with_user(second).action_reveal("number")
kycs[0].document_ids[0].with_user(second)._open_logged().close()
assert env["privacy.kyc"].search([("number", "=", {NID!r})]) == kycs[0]
second.sudo().totp_secret = {TOTP!r}
plan = env["isp.plan"].create({{"name": "Home", "price": 500.0, "tax_ids": [(5,)]}})
subscription = env["isp.subscription"].create(
    {{"partner_id": karim.id, "plan_id": plan.id, "password": {PASSWORD!r}}}
)
subscription._activate()
env["ir.attachment"].create({{"name": "control.txt", "raw": {CONTROL.encode()!r}}})
env.cr.commit()
print("RESULT" + json.dumps({{"karim": karim.id, "kyc": kycs[0].id}}))
"""

ERASE = """
from odoo.addons.isp_privacy.eraser import Eraser
import json
eraser = Eraser(env, env["res.partner"].browse({karim}), "pseudonym")
for name in ("privacy.kyc.document", "privacy.kyc"):
    eraser.erase(eraser.search(name, 0, 100))
env.cr.commit()
print("RESULT" + json.dumps(env["privacy.kyc"].search([("id", "!=", False)]).ids))
"""


@pytest.fixture(scope="module")
def seeded(module_db):
    return read_shell(module_db, SEED)


@pytest.fixture(scope="module")
def dump(module_db, seeded):
    """Return the whole database as SQL, as a backup would have it."""
    result = subprocess.run(
        ["pg_dump", "--no-owner", module_db], env=environment(), capture_output=True, timeout=120
    )
    assert result.returncode == 0, result.stderr.decode()[-2000:]
    return result.stdout


def filestore(database):
    return Path(environment()["ODOO_DATA_DIR"]) / "filestore" / database


def content_of_files(database):
    """Return the bytes of all files beside the database."""
    return b"\0".join(
        path.read_bytes() for path in filestore(database).rglob("*") if path.is_file()
    )


def forms(secret):
    """How a secret might stand in a dump or a file."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    # Of base64 the middle is the same wherever the text begins, but for its place among three bytes.
    middles = [base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3)]
    return [
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        raw.decode().encode("utf-16-le"),
    ] + middles


def found_in(content, *secrets):
    return [secret for secret in secrets for form in forms(secret) if form in content]


def test_the_search_finds_what_is_there(module_db, dump):
    assert found_in(dump, CONTROL)
    assert found_in(content_of_files(module_db), CONTROL)


@pytest.mark.proves("P-03", "P-13")
def test_a_dump_holds_no_identity_number_and_no_picture(dump):
    assert len(dump) > 1_000_000
    # Neither whole nor without the year of birth; fewer digits may be in a hash by chance.
    assert found_in(dump, NID, NID[4:], PASSPORT, CAMERA, SCAN) == []


@pytest.mark.proves("P-13")
def test_a_dump_holds_no_password_and_no_second_factor(dump):
    assert found_in(dump, PASSWORD, TOTP, "kyc.first-1", "kyc.second-1") == []


@pytest.mark.proves("P-01")
def test_a_dump_holds_no_password_of_a_user(dump):
    assert b"kyc.first" in dump
    assert found_in(dump, "kyc.first-1", "kyc.second-1") == []


@pytest.mark.proves("P-03", "P-13")
def test_the_files_hold_no_identity_document(module_db, seeded):
    folder = filestore(module_db) / "privacy_kyc"
    assert len(list(folder.iterdir())) == 4
    content = content_of_files(module_db)
    assert found_in(content, NID, NID[4:], PASSPORT, CAMERA, SCAN, TOTP, PASSWORD) == []
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0, "only the server reads it"
        assert file.read_bytes().startswith(b"ISPSEAL1")


@pytest.mark.proves("P-37")
def test_an_erasure_removes_rows_and_files(module_db, seeded, dump):
    folder = filestore(module_db) / "privacy_kyc"
    before = set(os.listdir(folder))
    names = databases.query(module_db, "SELECT store_name FROM privacy_kyc_document ORDER BY id")
    left = read_shell(module_db, ERASE.format(**seeded))
    assert seeded["kyc"] not in left
    assert len(left) == 1
    after = set(os.listdir(folder))
    assert before - after == {name for (name,) in names[:3]}
    assert len(after) == 1
