"""The billing run across processes: killed in the middle, and raced by a second run."""

import subprocess
import time
from contextlib import closing

import pytest

from harness import databases
from harness.settings import environment, odoo_command

SUBSCRIPTIONS = 240
BATCH = 30
TIMEOUT_S = 240

SEED = f"""
company = env.company
company.partner_id.tz = "Asia/Dhaka"
term = env.ref("account.account_payment_term_immediate")
plans = [
    env["isp.plan"].create({{"name": f"Plan {{price}}", "price": price, "tax_ids": [(5,)]}})
    for price in (500.0, 749.5, 1200.25)
]
partners = env["res.partner"].create(
    [{{"name": f"Customer {{number}}"}} for number in range({SUBSCRIPTIONS})]
)
subscriptions = env["isp.subscription"].create(
    [
        {{
            "partner_id": partner.id,
            "plan_id": plans[number % 3].id,
            "date_start": "2027-01-18" if number % 5 == 0 else "2027-01-01",
            "payment_term_id": term.id,
        }}
        for number, partner in enumerate(partners)
    ]
)
subscriptions._activate()
env.cr.commit()
"""

# What the books say, without ids, numbers and times, which may differ between two databases.
BOOKS = """
    SELECT p.name, m.state, m.invoice_date, m.amount_total, replace(l.name, m.name, '#') AS label,
           l.debit, l.credit, c.date_from, c.date_to, c.fraction, c.amount
      FROM account_move_line l
      JOIN account_move m ON m.id = l.move_id
      JOIN res_partner p ON p.id = m.partner_id
 LEFT JOIN isp_charge c ON c.invoice_line_id = l.id
  ORDER BY p.name, label, l.debit, l.credit
"""


@pytest.fixture(scope="module")
def seeded(new_database, odoo_shell):
    """A database with subscriptions that are due, to copy from."""
    name = new_database()
    odoo_shell(name, SEED)
    return name


@pytest.fixture
def copies(seeded):
    """Copy the seeded database: ``copies()`` returns the name of a fresh copy."""
    made = []

    def copy():
        made.append(f"{seeded}_copy{len(made)}")
        databases.copy_database(seeded, made[-1])
        return made[-1]

    yield copy
    for name in made:
        databases.drop_database(name)


def start_billing(database):
    return subprocess.Popen(
        odoo_command("isp_bill", "-d", database, "--date", "2027-02-01", "--batch", str(BATCH)),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, output, errors


def query(database, statement):
    with closing(databases.connect(database)) as connection, connection.cursor() as cr:
        cr.execute(statement)
        return cr.fetchall()


def assert_books_are_whole(database):
    """One posted invoice per subscription, numbers without gap, no day charged twice."""
    assert query(database, "SELECT count(*), count(DISTINCT partner_id) FROM account_move") == [
        (SUBSCRIPTIONS, SUBSCRIPTIONS)
    ]
    assert query(database, "SELECT DISTINCT state FROM account_move") == [("posted",)]
    ((first, last, count),) = query(
        database, "SELECT min(sequence_number), max(sequence_number), count(*) FROM account_move"
    )
    assert last - first + 1 == count
    assert not query(database, "SELECT id FROM isp_charge WHERE move_id IS NULL")
    assert not query(
        database,
        "SELECT line_id, date_from FROM isp_charge GROUP BY line_id, date_from HAVING count(*) > 1",
    )
    assert not query(
        database, "SELECT move_id FROM account_move_line GROUP BY 1 HAVING sum(balance) <> 0"
    )


@pytest.fixture(scope="module")
def undisturbed_books(seeded):
    """The books of a run that nobody disturbed."""
    name = f"{seeded}_calm"
    databases.copy_database(seeded, name)
    try:
        code, output, errors = finish(start_billing(name))
        assert code == 0, errors
        assert f"{SUBSCRIPTIONS} invoices" in output
        assert_books_are_whole(name)
        yield query(name, BOOKS)
    finally:
        databases.drop_database(name)


@pytest.mark.parametrize(("batches", "delay_s"), [(0, 0.05), (2, 0.0), (4, 0.45)])
def test_killed_in_the_middle_and_run_again(copies, undisturbed_books, batches, delay_s):
    database = copies()
    process = start_billing(database)
    process.stdout.readline()  # the run has begun
    for _batch in range(batches):
        process.stdout.readline()
    time.sleep(delay_s)
    process.kill()
    process.wait(30)
    ((posted,),) = query(database, "SELECT count(*) FROM account_move WHERE state = 'posted'")
    assert batches * BATCH <= posted < SUBSCRIPTIONS, "killed before or after the middle"
    assert posted % BATCH == 0, "a batch is written whole or not at all"

    code, _output, errors = finish(start_billing(database))

    assert code == 0, errors
    assert_books_are_whole(database)
    assert query(database, BOOKS) == undisturbed_books
    assert query(database, "SELECT state FROM isp_billing_run") == [("done",)]
    code, output, _errors = finish(start_billing(database))
    assert "0 invoices" in output, "a third run bills nothing"


def test_two_runs_at_once_share_the_work(copies, undisturbed_books):
    database = copies()
    processes = [start_billing(database), start_billing(database)]
    results = [finish(process) for process in processes]
    # Each has a run of its own, or continues the other's: both end well, nothing is billed twice.
    assert [code for code, _output, _errors in results] == [0, 0], results
    assert_books_are_whole(database)
    assert query(database, BOOKS) == undisturbed_books
