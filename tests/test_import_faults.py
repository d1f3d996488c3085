"""The import across processes: command line, killed in the middle, and background jobs."""

import csv
import time

import pytest

from harness import databases, processes
from harness.databases import query
from harness.processes import finish
from harness.waiting import wait_for

ROWS = 900
BATCH = 100
BAD = {17: "12", 523: "no phone"}
TIMEOUT_S = 240

SEED = """
env["isp.plan"].create({"name": "Home", "price": 500.0, "tax_ids": [(5,)]})
env.cr.commit()
"""


@pytest.fixture(scope="module")
def seeded(new_database, odoo_shell):
    """A database with a plan."""
    name = new_database()
    odoo_shell(name, SEED)
    return name


@pytest.fixture
def database(seeded):
    """A fresh copy of it."""
    name = f"{seeded}_copy"
    databases.copy_database(seeded, name)
    yield name
    databases.drop_database(name)


def write_subscribers(path, rows):
    """Write a file of subscribers, two of them without a usable phone."""
    with path.open("w", newline="") as file:
        write = csv.writer(file).writerow
        write(["Name", "Connection ID", "Mobile", "Package", "Password"])
        for number in range(rows):
            phone = BAD.get(number, f"0171{number:07}")
            write([f"Customer {number}", f"C{number}", phone, "home", f"geheim-{number:04}"])
    return path


@pytest.fixture
def subscribers(tmp_path):
    """A file of subscribers."""
    return write_subscribers(tmp_path / "subscribers.csv", ROWS)


def start(database, *args):
    return processes.start("isp_import", "-d", database, *args)


def assert_all_is_in(database, rows=ROWS):
    """Each good row made one customer and one running subscription, whatever happened."""
    good = rows - len(BAD)
    assert query(
        database,
        "SELECT count(*), count(DISTINCT external_ref), count(DISTINCT partner_id),"
        " count(DISTINCT username), count(password_enc), min(state), max(state)"
        " FROM isp_subscription",
    ) == [(good, good, good, good, good, "active", "active")]
    assert query(database, "SELECT count(*) FROM res_partner WHERE name LIKE 'Customer %'") == [
        (good,)
    ]
    assert query(
        database, "SELECT event_type, count(*) FROM isp_subscription_event GROUP BY 1 ORDER BY 1"
    ) == [("create", good), ("import", good), ("state", good)]
    assert query(
        database, "SELECT count(*), count(DISTINCT username), min(access) FROM isp_entitlement"
    ) == [(good, good, "full")]


def test_the_command_line_tells_what_it_does(database, subscribers, tmp_path):
    rejected = tmp_path / "rejected.csv"
    code, output, errors = finish(start(database, subscribers, "--dry-run"))
    assert (code, errors) == (0, "")
    assert f"{ROWS - 2} would be new" in output
    assert query(database, "SELECT count(*) FROM isp_subscription") == [(0,)]

    code, output, errors = finish(start(database, subscribers, "--rejected", rejected))
    assert (code, errors) == (0, "")
    assert f"{ROWS - 2} new, 0 changed, 0 unchanged, 2 rejected." in output
    with rejected.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Line"] for row in rows] == ["19", "525"]
    assert [row["Connection ID"] for row in rows] == ["C17", "C523"]
    assert all(row["Reason"] and not row["Password"] for row in rows)
    assert_all_is_in(database)

    code, output, errors = finish(start(database, subscribers))
    assert f"0 new, 0 changed, {ROWS - 2} unchanged, 2 rejected." in output
    assert_all_is_in(database)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["{missing}"], "No such file"),
        (["{binary}"], "This is no table of text."),
        (["{file}", "--mapping", "Nobody"], "no import mapping named “Nobody”"),
    ],
)
def test_what_cannot_be_read_ends_with_one_sentence(seeded, subscribers, tmp_path, args, words):
    paths = {
        "file": subscribers,
        "missing": tmp_path / "missing.csv",
        "binary": tmp_path / "photo.csv",
    }
    paths["binary"].write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    code, output, errors = finish(start(seeded, *(arg.format(**paths) for arg in args)))
    assert (code, output) == (2, "")
    assert words in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(("batches", "delay_s"), [(1, 0.05), (4, 0.1)])
def test_killed_in_the_middle_and_given_again(database, subscribers, batches, delay_s):
    process = start(database, subscribers, "--batch", BATCH)
    for _batch in range(batches):
        process.stdout.readline()
    time.sleep(delay_s)
    processes.kill(process)
    [(done,)] = query(database, "SELECT count(*) FROM isp_subscription")
    assert 0 < done < ROWS - len(BAD)
    code, output, errors = finish(start(database, subscribers, "--batch", BATCH))
    assert (code, errors) == (0, "")
    assert f"{ROWS - len(BAD) - done} new, 0 changed, {done} unchanged, 2 rejected." in output
    assert_all_is_in(database)


UPLOAD = """
import base64
content = open({path!r}, "rb").read()
record = env["isp.import"].create(
    {{"file": base64.b64encode(content), "file_name": "subscribers.csv"}}
)
record.action_check()
record.action_import()
env.cr.commit()
"""


def test_background_jobs_survive_the_death_of_the_server(
    database, tmp_path, odoo_server, odoo_shell
):
    rows = 2600
    path = write_subscribers(tmp_path / "subscribers.csv", rows)
    odoo_shell(database, UPLOAD.format(path=str(path)))

    def progress():
        [row] = query(
            database,
            "SELECT state, new_count + changed_count + unchanged_count + rejected_count,"
            " total_count FROM isp_import",
        )
        return row

    server = odoo_server(database)
    wait_for(lambda: progress()[1] >= 500, TIMEOUT_S, pause_s=0.05)
    server.kill()
    [(state, done)] = query(database, "SELECT state, new_count + rejected_count FROM isp_import")
    assert state == "running" and 500 <= done < rows
    processes.let_dead_jobs_be_found(database)
    odoo_server(database)
    wait_for(lambda: progress()[0] == "done", TIMEOUT_S)
    _state, done, total = progress()
    assert done == total == rows
    assert_all_is_in(database, rows)
    assert query(
        database, "SELECT new_count, changed_count, unchanged_count, rejected_count FROM isp_import"
    ) == [(rows - 2, 0, 0, 2)]
    assert query(
        database,
        "SELECT res_field FROM ir_attachment WHERE res_model = 'isp.import'",
    ) == [("rejected_file",)]
