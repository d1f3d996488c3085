"""The billing run across processes: killed at random moments, and raced by other workers.

The same with ten kills of a run of 10,000 subscriptions is ``make prove-faults``.
"""

import os
import random
import re

import pytest

from harness import kills, ledger, processes
from harness.databases import query
from harness.kills import Provider

SUBSCRIPTIONS = 800
BATCH = 100


@pytest.fixture(scope="module")
def provider(suite_template):
    """Subscriptions that are due."""
    provider = Provider(suite_template, f"isp_test_{os.getpid()}_faults", SUBSCRIPTIONS, BATCH)
    yield provider
    provider.drop()


@pytest.fixture(scope="module")
def undisturbed(provider):
    """The books of a run that nobody disturbed, with and without numbers, and its seconds."""
    (numbered, unnumbered), seconds = provider.run_undisturbed()
    assert numbered.items > 2 * SUBSCRIPTIONS and numbered.charges > SUBSCRIPTIONS
    return numbered, unnumbered, seconds


@pytest.fixture
def rng(seed):
    """Random moments, repeatable."""
    return random.Random(seed)


@pytest.mark.parametrize("times", [1, 2])
def test_killed_at_random_moments_and_resumed(provider, undisturbed, rng, times):
    numbered, _unnumbered, seconds = undisturbed
    done = provider.kill_and_resume(f"killed {times} times", rng, seconds, times)
    print(kills.show(done, [numbered]))
    assert len(done) == times
    assert done[-1].books == numbered


def test_a_server_is_killed_and_its_jobs_end_in_another(provider, undisturbed, rng):
    _numbered, unnumbered, seconds = undisturbed
    kill = provider.kill_server(rng, seconds)
    print(kills.show([kill], [unnumbered]))
    assert kill.books == unnumbered


def test_a_finished_run_bills_nothing_when_given_again(provider):
    database = provider.copy()
    books = provider.finish(database)
    code, output, errors = processes.finish(provider.start(database))
    assert (code, re.findall(r": (\d+) invoices", output)) == (0, ["0"]), errors
    assert ledger.read_books(database) == books
    provider.drop_copy(database)


def test_two_workers_share_one_run(provider, undisturbed):
    database = provider.copy()
    first = provider.start(database)  # the run is there
    results = [processes.finish(one) for one in (provider.start(database), first)]
    assert [code for code, _output, _errors in results] == [0, 0], results
    assert all("billed" in output for _code, output, _errors in results), "one had nothing to do"
    assert provider.check(database, numbered=False) == undisturbed[1]
    provider.drop_copy(database)


def test_one_of_two_workers_dies_and_the_other_bills_the_rest(provider, undisturbed, rng):
    database = provider.copy()
    dying, staying = provider.start(database), provider.start(database)
    for _batch in range(rng.randrange(3)):
        dying.stdout.readline()
    still_ran, _lines = processes.kill(dying)
    code, _output, errors = processes.finish(staying)
    assert still_ran
    assert code == 0, errors
    assert provider.check(database, numbered=False) == undisturbed[1]
    provider.drop_copy(database)


def test_two_runs_at_once_share_the_work(provider, undisturbed):
    database = provider.copy()
    # Begun in the same moment, so that none finds the run of the other to go on with.
    command = ("isp_bill", "-d", database, "--date", kills.DAY, "--batch", BATCH)
    racing = [processes.start(*command), processes.start(*command)]
    results = [processes.finish(process) for process in racing]
    assert [code for code, _output, _errors in results] == [0, 0], results
    assert set(query(database, "SELECT state FROM isp_billing_run")) == {("done",)}
    ledger.assert_books_are_whole(database, SUBSCRIPTIONS)
    assert ledger.read_books(database, numbered=False) == undisturbed[1]
    provider.drop_copy(database)
