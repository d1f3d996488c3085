"""Fixtures for tests that cross processes: databases, Odoo servers, shell, browser.

Run them with ``make test`` or, after ``scripts/bootstrap`` and ``scripts/pg start``, directly with
``.isp/venv/bin/pytest tests``.
"""

import itertools
import os
import random
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite(
    "harness.kills", "harness.ledger", "harness.payment_chaos", "harness.router_chaos"
)

from harness import cluster, databases, radius, server, settings, sharing, warm  # noqa: E402

_numbers = itertools.count(1)

# Nothing but the tests' own pages: no update, no synchronisation, no call home.
CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config):
    """Share the run with other processes when scripts/test has started several."""
    config.addinivalue_line("markers", "alone: measures time, so nothing may run beside it")
    config.addinivalue_line(
        "markers", "proves(number): a promise that it proves, see harness/promises.py"
    )
    warm.enable()
    if worker := sharing.worker_from_environment():
        config.pluginmanager.register(worker)


@pytest.fixture(scope="session")
def pg():
    """Connect to the cluster: ``pg(database)`` returns an autocommit psycopg2 connection."""
    opened = []

    def connect(database="postgres"):
        opened.append(databases.connect(database))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def suite_template():
    """Name of the template database with every addon of the suite."""
    if folder := sharing.from_environment():
        return folder.wait_for_template()
    return databases.suite_template(print)


@pytest.fixture(scope="session")
def new_database(suite_template):
    """Make a copy of the suite's database: ``new_database()`` returns its name."""
    made = []

    def make():
        made.append(f"isp_test_{os.getpid()}_{next(_numbers)}")
        databases.copy_database(suite_template, made[-1])
        return made[-1]

    yield make
    for name in made:
        databases.drop_database(name)


@pytest.fixture
def suite_db(new_database):
    """Name of a fresh database with the whole suite, dropped after the test."""
    name = new_database()
    yield name
    databases.drop_database(name)


@pytest.fixture(scope="module")
def module_db(new_database):
    """Like suite_db, shared by the tests of one file."""
    name = new_database()
    yield name
    databases.drop_database(name)


@pytest.fixture(scope="module")
def query(module_db, pg):
    """Run SQL on ``module_db`` as its owner: ``query(statement, *params)`` returns the rows."""
    connection = pg(module_db)

    def run(statement, *params):
        with connection.cursor() as cr:
            cr.execute(statement, params)
            return cr.fetchall() if cr.description else None

    return run


@pytest.fixture(scope="module")
def made(request, module_db):
    """What ``SETUP`` of the test file has made in ``module_db``: the value it prints."""
    return server.read_shell(module_db, request.module.SETUP)


@pytest.fixture(scope="module", name="server")
def _freeradius(module_db, made):
    """FreeRADIUS answering from ``module_db`` (:class:`harness.radius.RadiusServer`)."""
    with radius.RadiusServer(module_db) as running:
        yield running


@pytest.fixture
def seed():
    """Of random moments: printed, and taken from ``ISP_SEED`` to repeat what failed."""
    number = int(os.environ.get("ISP_SEED") or random.randrange(10**6))
    print(f"seed {number}")
    return number


@pytest.fixture(scope="session")
def _throwaway(suite_template):
    with cluster.throwaway(suite_template) as made:
        yield made


@pytest.fixture(scope="module")
def killable(_throwaway):
    """A PostgreSQL that the tests of one file may kill (:class:`harness.cluster.Cluster`).

    All of the harness works on it meanwhile, so their databases come from ``new_killable_database``.
    """
    with _throwaway.in_use():
        yield _throwaway


@pytest.fixture(scope="module")
def new_killable_database(killable, suite_template):
    """Make a copy of the suite's database there, gone with the cluster; see ``new_database``."""

    def make():
        name = f"isp_test_{os.getpid()}_{next(_numbers)}"
        databases.copy_database(suite_template, name)
        return name

    return make


@pytest.fixture
def odoo_server():
    """Start Odoo: ``odoo_server(db, workers=2, crons=1)`` returns a running OdooServer.

    It has ``url``, ``db``, ``log`` (a path) and ``process``, and ends with the test.
    """
    started = []

    def start(db, **options):
        started.append(server.OdooServer(db, **options))
        return started[-1].start()

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def odoo_shell():
    """Run code in ``odoo shell``: ``odoo_shell(db, code)`` returns what it printed."""
    return server.run_shell


@pytest.fixture(scope="session")
def screenshots():
    """Folder for pictures that a person looks at."""
    return settings.log_folder() / "screenshots"


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium under Playwright; ``browser.new_page()`` opens a page."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: run scripts/bootstrap"
    args = CHROMIUM_FLAGS.copy()
    if os.getuid() == 0:
        args.append("--no-sandbox")  # root has no user namespaces to build the sandbox from
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium, args=args)
        with closing(instance):
            yield instance


@pytest.fixture
def new_router():
    """Start simulated MikroTik routers: ``new_router(version="6.49.10")`` returns a RouterOS."""
    from simulators.routeros import RouterOS

    started = []

    def start(**options):
        started.append(RouterOS(**options))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def router(new_router):
    """A simulated MikroTik router; user ``isp``, password ``secret``, port ``router.port``."""
    return new_router()
