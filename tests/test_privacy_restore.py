"""A customer with a word of their own in every column is erased: zero left, also after a restore.

The database is the whole suite, the restore is a copy of the database and its files from before the
erasure, the ledger is a file beside both. The erasure after the restore is killed again and again.
"""

import json
import os
import random
from pathlib import Path

import pytest

from harness import databases, server

TESTS = str(Path(__file__).parent)
PLANT = """
import json, sys
sys.path.insert(0, {tests!r})
from harness.privacy_plant import Plant
env["ir.config_parameter"].set_param("isp_privacy.ledger_dir", {folder!r})
plant = Plant(env)
env.cr.commit()
print("RESULT" + json.dumps(plant.report()))
"""

# Where a word is left: {"table.column": [words]}.
SEARCH = """
import json
from odoo.addons.isp_privacy import sweep
from odoo.addons.isp_privacy.engine.identifiers import Identifier, Patterns
words = json.loads({words!r})
patterns = Patterns([Identifier("login", word.lower()) for word in words])
found = {{}}
# What RADIUS said before is taken by a job of the network within minutes.
env.cr.execute("DELETE FROM radius.change")
for table in sweep.list_tables(env.cr):
    for _row, values in sweep.matching_rows(env.cr, patterns, table):
        for column, text in values.items():
            found.setdefault(f"{{table.schema}}.{{table.name}}.{{column}}", []).append(text[:80])
files = env["ir.attachment"].search([("store_fname", "!=", False), ("id", "!=", False)])
files = files.filtered(lambda f: not (f.url or "").startswith("/web/assets"))
left = sweep.search_files(files._filestore(), sorted(set(files.mapped("store_fname"))), patterns)
print("RESULT" + json.dumps({{"columns": found, "files": left}}))
"""

# The books, as an accountant sees them.
BOOKS = """
import json
accountant = env.ref("base.user_admin")
accountant.group_ids += env.ref("account.group_account_user")
report = env.company.with_user(accountant)._check_hash_integrity()
env.cr.execute(
    "SELECT account_id, partner_id, sum(balance)::text FROM account_move_line GROUP BY 1, 2 ORDER BY 1, 2"
)
balances = env.cr.fetchall()
env.cr.execute("SELECT id, name, partner_id, amount_total::text, inalterable_hash FROM account_move ORDER BY id")
print("RESULT" + json.dumps({
    "hash": [result.get("status") for result in report["results"]], "balances": balances,
    "moves": env.cr.fetchall(),
}))
"""

# What a law asks to keep for a while is another matter: here none does.
NO_LAW = """
rules = env["privacy.profile.rule"].search([("id", "!=", False)])
rules.write({"min_days": 0, "min_months": 0})
"""

ERASE = (
    NO_LAW
    + """
import json
from odoo.tests.common import new_test_user
group = "isp_privacy.group_privacy_officer"
first = new_test_user(env, "officer.one", groups=group, password="officer.one-1")
second = new_test_user(env, "officer.two", groups=group, password="officer.two-1")
request = env["privacy.request"].with_user(first).create(
    {"request_type": "erasure", "partner_id": %(customer)s}
)
request._verify_identity("letter")
request.action_review()
request.with_user(second).action_approve()
env.flush_all()
env.cr.execute("UPDATE privacy_request SET recover_until = now() - interval '1 day'")
env.invalidate_all()
env.cr.commit()
env["privacy.request"].sudo()._cron_end_recovery()
for _attempt in range(8):  # there is no mail server: after some attempts it goes on without
    env["privacy.erasure"].sudo()._cron_work()
run = request.sudo().erasure_ids
env.cr.commit()
print("RESULT" + json.dumps({
    "state": run.state, "step": run.step, "problem": run.problem, "request": request.state,
    "findings": [[f.table_name, f.column_name, f.row_count, f.is_explained] for f in run.finding_ids],
}))
"""
)

REPLAY = (
    NO_LAW
    + """
import json
begun = env["privacy.erasure.ledger"]._replay()
env.cr.commit()
env["privacy.erasure"]._cron_work()
env.cr.commit()
runs = env["privacy.erasure"].search([("is_replay", "=", True)])
print("RESULT" + json.dumps({
    "begun": len(begun),
    "runs": [[r.state, r.problem, r.is_replay] for r in runs],
    "findings": [[f.table_name, f.column_name, f.is_explained] for f in runs.finding_ids],
}))
"""
)

# The process ends itself, as by kill -9, instead of sending this statement to the database.
CRASH = """
import os, signal
from odoo.sql_db import Cursor
left, execute = {statements}, Cursor.execute
def execute_or_die(self, *args, **kwargs):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(self, *args, **kwargs)
Cursor.execute = execute_or_die
"""
KILLS = 3


def search(database, made):
    return server.read_shell(database, SEARCH.format(words=json.dumps(list(made["planted"]))))


def _contact(database, number):
    statement = "SELECT name, email, phone FROM res_partner WHERE id = %s"
    return databases.query(database, statement, [number])


def kill_replays(database):
    """Kill the erasure at random statements; each one goes on where the one before ended.

    :return: how often, and what ISP_SEED has to be to kill it there again
    """
    seed = int(os.environ.get("ISP_SEED") or random.randrange(10**6))
    dice = random.Random(seed)
    for kills in range(KILLS):
        statements = dice.randint(100, 600 if not kills else 2500)
        try:
            server.run_shell(database, CRASH.format(statements=statements) + REPLAY)
        except databases.HarnessError as error:
            assert "Traceback" not in str(error), f"ISP_SEED={seed}: {error}"
            continue
        return kills, seed  # it had less left to do
    return KILLS, seed


@pytest.fixture(scope="module")
def course(new_database, tmp_path_factory):
    """The database before, after, and after a restore, with what was found in each."""
    folder = str(tmp_path_factory.mktemp("ledger"))
    live = new_database()
    made = server.read_shell(live, PLANT.format(folder=folder, tests=TESTS))
    backup = f"{live}_b"
    databases.copy_database(live, backup)
    try:
        found = {"made": made, "folder": folder}
        found["before"] = search(live, made)
        found["books_before"] = server.read_shell(live, BOOKS)
        found["run"] = server.read_shell(live, ERASE % made)
        found["after"] = search(live, made)
        found["books_after"] = server.read_shell(live, BOOKS)
        found["restored"] = _contact(backup, made["customer"])
        found["kills"], found["seed"] = kill_replays(backup)
        found["replay"] = server.read_shell(backup, REPLAY)
        found["replayed"] = search(backup, made)
        found["second_replay"] = server.read_shell(backup, REPLAY)
        found["other"] = _contact(live, made["other"])
        yield found
    finally:
        databases.drop_database(backup)


def test_the_words_stand_everywhere_before(course):
    made = course["made"]
    print(
        f"{made['models']} models, {made['columns']} columns planted, {made['skipped']} skipped, "
        f"no record of {made['missing']}"
    )
    assert made["models"] > 55
    assert made["columns"] > 120
    assert len(course["before"]["columns"]) > made["columns"] * 0.9
    assert course["before"]["files"]


@pytest.mark.proves("P-37")
def test_nothing_is_left_after_the_erasure(course):
    assert course["run"]["findings"] == []
    assert (course["run"]["state"], course["run"]["request"]) == ("done", "done"), course["run"]
    assert course["after"] == {"columns": {}, "files": []}


def test_the_books_are_as_they_were(course):
    assert course["books_before"] == course["books_after"]
    assert "verified" in course["books_after"]["hash"]
    assert "corrupted" not in course["books_after"]["hash"]


def test_the_other_customer_is_as_before(course):
    assert course["other"] == [("Rahim Aliquist", "rahim@canary.example", "+8801799887702")]


@pytest.mark.proves("P-37")
def test_a_restore_brings_the_person_back_and_the_ledger_erases_again(course):
    assert course["restored"][0][0] == "Zwillich Ranvikson", "it is older than the erasure"
    assert course["kills"], f"ISP_SEED={course['seed']}"
    assert course["replay"]["runs"] == [["done", False, True]], f"ISP_SEED={course['seed']}"
    assert course["replay"]["findings"] == []
    assert course["replayed"] == {"columns": {}, "files": []}


def test_replaying_again_changes_nothing(course):
    assert course["second_replay"]["begun"] == 0
    assert course["second_replay"]["runs"] == course["replay"]["runs"]
