"""Template databases, cached by content, and the copies that tests work on.

Level 1 holds Odoo, the Bangladeshi chart and every stock addon the suite depends on. Level 2 is a
copy of it with the suite installed. A test gets a copy of level 2 in about a second.
"""

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import sql

from . import odoo_log
from .settings import (
    ADDONS,
    REPO,
    environment,
    is_running,
    log_folder,
    odoo_command,
    pid_of_database,
)

# Installed in the tests beside what the suite asks for: a provider that takes no real money.
EXTRA_MODULES = ["payment_demo"]
NOT_IN_THE_DATABASE = {"tests", "static", "readme", "__pycache__"}
BUILD_TIMEOUT_S = 900
# The bundles of scripts and styles that pages and reports of the tests load, made once instead of in
# every test: what Odoo makes before its tests (see ir.qweb of test_isp_base) and what is loaded
# later, charts, spreadsheets, styles of printed reports.
PREPARE_BUNDLES = """
Qweb = env["ir.qweb"]
Qweb._pregenerate_assets_bundles()
for name in ("web.chartjs_lib", "spreadsheet.o_spreadsheet"):
    Qweb._get_asset_bundle(name, css=False, js=True).js()
    Qweb._get_asset_bundle(name, css=True, js=False).css()
for name in ("web.report_assets_common", "web.report_assets_pdf"):
    Qweb._get_asset_bundle(name, css=True, js=False, autoprefix=True).css()
env.cr.commit()
"""
DROP_ATTEMPTS = 60


class HarnessError(Exception):
    """The tests cannot run; the message says why, in words for a developer."""


# === CONNECTIONS === #


def connect(database="postgres"):
    """Return an autocommit connection as role isp."""
    env = environment()
    connection = psycopg2.connect(
        dbname=database,
        host=env["PGHOST"],
        port=env.get("PGPORT"),
        user=env.get("PGUSER"),
        password=env.get("PGPASSWORD"),
        connect_timeout=10,
    )
    connection.autocommit = True
    return connection


def _execute(statement, *names):
    with closing(connect()) as connection, connection.cursor() as cr:
        cr.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def query(database, statement, params=None):
    """Run one statement on a connection of its own; return the rows, if it has any."""
    with closing(connect(database)) as connection, connection.cursor() as cr:
        cr.execute(statement, params)
        return cr.fetchall() if cr.description else None


def database_names():
    """Return the names of all databases."""
    return {name for (name,) in query("postgres", "SELECT datname FROM pg_database")}


def filestore(name):
    """Return the folder of a database's files."""
    return Path(environment()["ODOO_DATA_DIR"]) / "filestore" / name


def copy_database(source, target):
    """Copy a database with its filestore.

    The files are hard links: Odoo names them by content and never changes one in place.
    """
    _execute("CREATE DATABASE {} TEMPLATE {}", target, source)
    if filestore(source).exists():
        shutil.copytree(filestore(source), filestore(target), copy_function=os.link)


def stop_autovacuum(name):
    """Leave the tables of a database alone, in which nothing will be committed.

    In the middle of a test of thousands of rows it would note that the tables are empty, and the
    next query would be planned for that: minutes instead of milliseconds.
    """
    with closing(connect(name)) as connection, connection.cursor() as cr:
        cr.execute(
            "SELECT format('ALTER TABLE %s SET (autovacuum_enabled = off)', oid::regclass)"
            " FROM pg_class WHERE relkind = 'r' AND relowner = current_user::regrole"
        )
        cr.execute(";".join(statement for (statement,) in cr.fetchall()))


def drop_database(name):
    """Drop a database, whoever is connected, and its files."""
    for attempt in range(DROP_ATTEMPTS):
        try:
            _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
            break
        except psycopg2.errors.InsufficientPrivilege:
            # An autovacuum worker, which only a superuser may end, is in there for a moment.
            if attempt == DROP_ATTEMPTS - 1:
                raise
            time.sleep(0.5)
    shutil.rmtree(filestore(name), ignore_errors=True)


def _rename_database(name, target):
    shutil.rmtree(filestore(target), ignore_errors=True)
    if filestore(name).exists():
        filestore(name).rename(filestore(target))
    _execute("ALTER DATABASE {} RENAME TO {}", name, target)
    # A connection to a template would block the next copy of it.
    _execute("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", target)


def drop_leftovers():
    """Drop the databases of test runs that were killed."""
    for name in database_names():
        if name.startswith("isp_test_") and not is_running(pid_of_database(name) or 0):
            drop_database(name)


# === WHAT IS IN A TEMPLATE === #


def suite_addons():
    """Return the addons of this repository by name, each with its dependencies."""
    manifests = {path.parent.name: path for path in sorted(ADDONS.glob("*/__manifest__.py"))}
    return {name: ast.literal_eval(path.read_text())["depends"] for name, path in manifests.items()}


def stock_modules():
    """Return the modules from outside that the suite depends on, sorted."""
    ours = suite_addons()
    needed = {name for depends in ours.values() for name in depends}
    return sorted((needed - set(ours)) | set(EXTRA_MODULES))


def _digest(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:12]


def _base_name():
    env = environment()
    release = Path(env["ODOO_PACKAGES"]) / "odoo/release.py"
    version = Path(env["STATE"]) / "odoo/version"
    return "isp_tpl_base_" + _digest(
        Path(__file__).read_bytes(),
        (REPO / "requirements.txt").read_bytes(),
        release.read_bytes(),
        version.read_bytes() if version.exists() else "",
        stock_modules(),
    )


def _suite_name():
    parts = [_base_name()]
    for path in sorted(ADDONS.rglob("*")):
        inside = path.relative_to(ADDONS)
        if path.is_file() and not NOT_IN_THE_DATABASE.intersection(inside.parts[:-1]):
            parts += [inside, path.read_bytes()]
    return "isp_tpl_suite_" + _digest(*parts)


# === BUILDING === #


@contextmanager
def _lock(name, mode):
    folder = Path(environment()["STATE"]) / "cache/locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        fcntl.flock(file, mode)
        yield file


_in_use = []


def _keep(name):
    """Mark a template as used by this process until it ends."""
    folder = Path(environment()["STATE"]) / "cache/locks"
    file = (folder / name).open("w")
    fcntl.flock(file, fcntl.LOCK_SH)
    _in_use.append(file)


def suite_template(say=lambda text: None):
    """Return the name of the template with the whole suite, built now if it is missing.

    :param say: called with a sentence before and after each slow step
    """
    with _lock("build", fcntl.LOCK_EX):
        base, suite = _base_name(), _suite_name()
        present = database_names()
        if suite not in present:
            if base not in present:
                _build(base, say, _install_stock)
            _build(suite, say, lambda name: _install_suite(base, name))
        _keep(suite)
        _drop_outdated({base, suite})
    return suite


def _build(name, say, fill):
    """Fill a database under a temporary name; it takes its own name once complete."""
    unfinished = f"{name}_new"
    drop_database(unfinished)
    start = time.monotonic()
    say(f"Preparing template database {name} ...")
    fill(unfinished)
    _rename_database(unfinished, name)
    say(f"... {time.monotonic() - start:.1f} s")


def _install_stock(name):
    run_odoo("db", "init", "--country", "bd", name)
    _install(name, stock_modules())


def _install_suite(base, name):
    copy_database(base, name)
    _install(name, list(suite_addons()))
    run_odoo("shell", "-d", name, "--no-http", code=PREPARE_BUNDLES)


def _install(name, modules):
    if not modules:
        return
    log = run_odoo("module", "install", "-d", name, *modules)
    installed = query(
        name,
        "SELECT name FROM ir_module_module WHERE name = ANY(%s) AND state = 'installed'",
        [modules],
    )
    missing = set(modules) - {row[0] for row in installed}
    errors = odoo_log.errors(log.read_text(errors="replace"))
    if missing:
        details = "\n".join(errors) or f"see {log}"
        raise HarnessError(f"Not installed: {', '.join(sorted(missing))}\n{details}")
    if errors:
        raise HarnessError("Errors while installing the suite:\n" + "\n".join(errors))


def run_odoo(*args, code=""):
    """Run an Odoo command to its end, with ``code`` as its input; return the path of its log."""
    log = log_folder() / f"odoo-{'-'.join(args[:2])}-{os.getpid()}.log"
    with log.open("w") as output:
        try:
            status = subprocess.run(
                odoo_command(*args),
                env=environment(),
                input=code.encode(),
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=BUILD_TIMEOUT_S,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise HarnessError(
                f"odoo {' '.join(args)} took over {error.timeout} s: {log}"
            ) from error
    if status:
        text = log.read_text(errors="replace")
        details = "\n".join(odoo_log.errors(text)) or text[-3000:]
        raise HarnessError(f"odoo {' '.join(args)} failed:\n{details}")
    return log


def _drop_outdated(current):
    for name in database_names():
        template = name.removesuffix("_new")
        if name.startswith("isp_tpl_") and template not in current:
            try:
                with _lock(template, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    drop_database(name)
            except BlockingIOError:
                continue  # another test run still copies it
