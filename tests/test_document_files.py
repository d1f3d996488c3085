"""Workers that make PDF files at once, one of them killed: every bill gets one file, its own."""

import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from harness import databases
from harness.server import run_shell
from harness.settings import environment, odoo_command

BILLS = 90

SEED = """
company = env.company
company.write({"isp_print_after_run": False})
company.partner_id.tz = "Asia/Dhaka"
env = env(context=dict(env.context, tracking_disable=True))
plan = env["isp.plan"].create({"name": "Home 20", "price": 1000, "tax_ids": [(5,)]})
partners = env["res.partner"].create([{"name": f"Customer {n}"} for n in range(%d)])
env["isp.subscription"].create(
    [{"partner_id": p.id, "plan_id": plan.id, "date_start": "2027-01-01"} for p in partners]
)._activate()
run = env["isp.billing.run"].create({"target_date": "2027-01-01", "invoice_date": "2027-01-01"})
run._run_to_end()
env.cr.commit()
print(run.id)
"""

WORK = """
import psycopg2
run = env["isp.billing.run"].browse(%s)
while run._get_document_bills(missing_limit=1):
    try:
        run._get_document_bills(missing_limit=5)._store_documents()
        env.cr.commit()
        print("batch", flush=True)
    except psycopg2.OperationalError:
        # What the job queue does: begin anew, with a new look at the database.
        env.cr.rollback()
    env.invalidate_all()
"""

READ = """
import json
files = env["ir.attachment"].sudo().search([("res_field", "=", "invoice_pdf_report_file")])
print("RESULT", json.dumps([
    [file.res_id, env["account.move"].browse(file.res_id).name, env["ir.attachment"]._full_path(file.store_fname)]
    for file in files
]))
"""


def start(database, code):
    worker = subprocess.Popen(
        odoo_command("shell", "-d", database, "--no-http", "--log-level", "error"),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    worker.stdin.write(code)
    worker.stdin.close()
    return worker


def test_workers_at_once_and_a_kill_make_one_file_for_each_bill(new_database):
    database = new_database()
    code = WORK % run_shell(database, SEED % BILLS).strip()
    victim = start(database, code)
    assert victim.stdout.readline() == "batch\n"
    time.sleep(0.05)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    done = databases.query(
        database, "SELECT count(*) FROM ir_attachment WHERE res_field = 'invoice_pdf_report_file'"
    )
    assert 0 < done[0][0] < BILLS
    workers = [start(database, code) for _worker in range(2)]
    assert [worker.wait(300) for worker in workers] == [0, 0]

    files = json.loads(run_shell(database, READ).split("RESULT ")[-1])
    counts = Counter(move_id for move_id, _name, _path in files)
    assert len(counts) == BILLS
    assert set(counts.values()) == {1}
    for _move_id, name, path in files:
        text = subprocess.run(
            ["pdftotext", "-", "-"], input=Path(path).read_bytes(), capture_output=True, check=True
        )
        assert name in text.stdout.decode()
