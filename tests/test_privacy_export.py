"""A data package whose maker is killed: it goes on, and the result is as if nothing had happened."""

import signal
import subprocess

import pytest

from harness import databases
from harness.server import read_shell
from harness.settings import environment, odoo_command

SEED = """
import json
officer = env["res.users"].create({"name": "Farid", "login": "kill_farid",
    "group_ids": [(6, 0, env.ref("isp_privacy.group_privacy_officer").ids)]})
partner = env["res.partner"].create({"name": "Karim Uddin", "email": "karim@customer.example",
    "street": "Canary Road"})
env["mail.message"].create([
    {"model": "res.partner", "res_id": partner.id, "author_id": partner.id, "body": f"Word {n}",
     "message_type": "comment", "subtype_id": env.ref("mail.mt_comment").id,
     "date": f"2026-{n % 12 + 1:02}-15 06:00:00"} for n in range(6000)])
request = env["privacy.request"].create({"request_type": "access", "partner_id": partner.id})
request._verify_identity("letter")
request.action_review()
request.with_user(officer).action_approve()
env.cr.commit()
print("RESULT", json.dumps(request.id))
"""

# Says before each part which one it is, and waits a moment in the middle of its file.
BUILD = """
import time
from odoo.addons.isp_privacy.engine.sealed_file import SealedWriter
from odoo.addons.isp_privacy.models.privacy_export_plan import PrivacyExport
finish = SealedWriter.finish
def slow_finish(writer):
    print("writing", flush=True)
    time.sleep(0.3)
    finish(writer)
SealedWriter.finish = slow_finish
env["privacy.export"]._cron_build()
"""

FINISH = """
import json, os, zipfile
from contextlib import closing
from odoo.addons.isp_privacy.engine.package import open_package
import odoo.addons.isp_privacy.models.privacy_sealed as module
export = env["privacy.export"].search([])
done = export.part_ids.filtered(lambda p: p.state == "done").mapped("store_name")
def stamps():
    return {name: os.stat(export._get_path(name)).st_mtime_ns for name in done}
before = stamps()
delete_later = type(export)._delete_later
type(export)._delete_later = lambda self, names: None
env["privacy.export"]._cron_build()
type(export)._delete_later = delete_later
kept = stamps() == before
module.ORPHAN_HOURS = -1
export._delete_orphans()
with closing(export._open_file(export.store_name)) as stream:
    package = open_package(stream, export._verify)
    bodies = [line for path in package.files if "usage/mail.message" in path
              for line in package.archive.read(path).decode().split("\\r\\n") if ">Word " in line]
    files = sorted(package.files)
print("RESULT", json.dumps({
    "state": export.state, "request": export.request_id.state, "kept": kept, "done": len(done),
    "bodies": len(bodies), "different": len(set(bodies)), "files": files,
    "left": sorted(os.listdir(export._get_folder())), "store": export.store_name,
}))
"""


@pytest.mark.parametrize("part", [1, 6])
def test_a_kill_in_the_middle_costs_one_part(new_database, part):
    database = new_database()
    read_shell(database, SEED)
    worker = subprocess.Popen(
        odoo_command("shell", "-d", database, "--no-http", "--log-level", "error"),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    worker.stdin.write(BUILD)
    worker.stdin.close()
    for _number in range(part):
        assert worker.stdout.readline() == "writing\n"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    state = databases.query(
        database, "SELECT count(*) FILTER (WHERE state = 'done') FROM privacy_export_part"
    )
    assert state == [(part - 1,)]
    found = read_shell(database, FINISH)
    assert (found["state"], found["request"], found["done"]) == ("ready", "done", part - 1)
    assert found["kept"], "what was made before the kill was not made again"
    assert (found["bodies"], found["different"]) == (6000, 6000)
    assert "information.json" in found["files"]
    assert found["left"] == [found["store"]]
