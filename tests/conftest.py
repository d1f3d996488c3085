"""Fixtures for tests that cross processes: databases, Odoo servers, shell, browser.

Run them with ``make test`` or, after ``scripts/bootstrap`` and ``scripts/pg start``, directly with
``.isp/venv/bin/pytest tests``.
"""

import itertools
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("harness.kills", "harness.ledger")

from harness import databases, server, settings, sharing  # noqa: E402

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
