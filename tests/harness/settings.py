"""Paths and the environment of the project's programs, as scripts/lib.sh defines them."""

import os
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
ADDONS = REPO / "addons"


@cache
def environment():
    """Return the environment of scripts/odoo: database, key file, configuration, folders."""
    script = "set -a; . scripts/lib.sh; odoo_environment; env -0"
    output = subprocess.run(
        ["bash", "-c", script], cwd=REPO, check=True, capture_output=True, timeout=30
    ).stdout.decode()
    return dict(entry.split("=", 1) for entry in output.split("\0") if "=" in entry)


@contextmanager
def pretend_environment(values):
    """Let ``environment()``, and this process, have other values within the block."""
    places = environment(), os.environ
    before = [place.copy() for place in places]
    for place in places:
        place.update(values)
    try:
        yield
    finally:
        for place, values_before in zip(places, before, strict=True):
            place.clear()
            place.update(values_before)


def shared_state():
    """Return the folder that PostgreSQL and FreeRADIUS may enter, as scripts/lib.sh has it."""
    state = Path(environment()["STATE"])
    link = state / "shared-state"
    return link.resolve() if link.is_symlink() else state


def odoo_command(*args):
    """Return the command line of Odoo. Run it with ``environment()``."""
    env = environment()
    venv = Path(env["VENV"])
    return [venv / "bin/python", venv / "bin/odoo", f"--addons-path={env['ADDONS_PATH']}", *args]


def log_folder():
    """Return the folder for logs and screenshots."""
    folder = Path(environment()["LOGS"])
    (folder / "screenshots").mkdir(parents=True, exist_ok=True)
    return folder


def pid_of_database(name):
    """Return the process number in the name of a test database, isp_test_<pid>_..."""
    parts = name.split("_")
    return int(parts[2]) if len(parts) > 2 and parts[2].isdigit() else None


def is_running(pid):
    """Tell whether a process of that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
