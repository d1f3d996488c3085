"""PostgreSQL clusters of a test's own, which may be killed: every process at once, as by a crash.

They are made and started by the project's scripts, with ``fsync`` and ``full_page_writes`` as
PostgreSQL has them and every commit waiting for the disk unless the suite itself says otherwise. So
each start after a kill is a real crash recovery.
"""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from . import databases
from .settings import (
    REPO,
    environment,
    is_running,
    pid_of_database,
    pretend_environment,
    shared_state,
)
from .waiting import wait_for

TIMEOUT_S = 300
PREFIX = "pg-test-"
_numbers = itertools.count(1)

# What waits for no disk is written 10 s later instead of 0.2 s (:meth:`Cluster.hold_log_writer`: not at
# all), and nobody's vacuum writes it along: a kill then loses what it may lose. Before a recovery
# all files are synchronised at once, instead of one after the other; there are thousands.
HARSH = "wal_writer_delay = '10s'\nautovacuum = off\nrecovery_init_sync_method = syncfs\n"


class Cluster:
    """A private cluster in a state folder of its own."""

    def __init__(self, state):
        self.state = Path(state)
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("PG", "ISP_PG"))
        }
        self.env = inherited | {"ISP_STATE": str(state), "LC_ALL": "C.UTF-8"}

    def create(self, settings=""):
        """Make the cluster, with more lines for its postgresql.conf; return self."""
        self.bash(". scripts/bootstrap; make_folders; make_cluster")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(settings)
        return self

    def bash(self, code):
        """Run shell code in the repository and return what it printed."""
        result = subprocess.run(
            ["bash", "-c", code],
            cwd=REPO,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert not result.returncode, result.stdout + result.stderr
        return result.stdout

    @property
    def folder(self):
        """The part of the state that PostgreSQL's user may enter."""
        link = self.state / "shared-state"
        return link.resolve() if link.is_symlink() else self.state

    @property
    def data(self):
        """The data folder."""
        return self.folder.resolve() / "pg"

    @property
    def pid_file(self):
        """The file with the number of the postmaster."""
        return self.data / "postmaster.pid"

    def start(self):
        """Start it, after a kill with recovery; return self."""
        self.bash("scripts/pg start")
        return self

    def kill_postmaster(self):
        """Kill -9 the first process; its children end by themselves, sooner or later."""
        pid = int(self.pid_file.read_text().split()[0])
        if pid in self._processes():
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: pid not in self._processes(), what="it survived kill -9", pause_s=0.01)

    def kill(self):
        """Kill -9 the postmaster and every child of it, and wait until they are gone."""
        # The postmaster first: it would start what it misses.
        self.kill_postmaster()

        def nobody_is_left():
            left = self._processes()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left

        wait_for(nobody_is_left, what="PostgreSQL survived kill -9", pause_s=0.01)

    def hold_log_writer(self):
        """Stop the process that writes to disk what nobody waits for, until the next kill."""
        [writer] = [pid for pid in self._processes() if "walwriter" in _title(pid)]
        os.kill(writer, signal.SIGSTOP)

    def _processes(self):
        """Numbers of the processes that work in the data folder: those and no others are ours."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(FileNotFoundError, PermissionError, ProcessLookupError):
                if path.readlink() == self.data:
                    found.append(int(path.parent.name))
        return found

    def recoveries(self):
        """How often it was started after a crash."""
        log = (self.data / "server.log").read_text(errors="replace")
        return log.count("automatic recovery in progress")

    def remove(self):
        """End it and delete all its files."""
        if self._processes():
            self.kill()
        if self.folder != self.state:
            shutil.rmtree(self.folder)
        shutil.rmtree(self.state)

    # === THE HARNESS ON IT === #

    @contextmanager
    def in_use(self):
        """Within this block Odoo, FreeRADIUS and the tests' queries work on this cluster."""
        socket = self.bash(". scripts/lib.sh; socket_dir").strip()
        values = {
            "PGHOST": socket,
            "PGUSER": "isp",
            "PGOPTIONS": "",
            "RADIUS_DB_HOST": socket,
            "RADIUS_DB_PASSWORD_FILE": str(self.state / "keys/radius_ro.password"),
        }
        with pretend_environment(values):
            yield self

    def load(self, template):
        """Copy a template of the tests' usual cluster into this one, under the same name."""
        # Nobody may connect to the template itself.
        source = f"isp_test_{os.getpid()}_dumped"
        with tempfile.TemporaryDirectory(prefix="isp-dump-") as folder:
            dump = Path(folder) / "dump"
            databases.copy_database(template, source)
            try:
                _run("pg_dump", "-Fd", "-j2", "-Z0", "-f", str(dump), source)
            finally:
                databases.drop_database(source)
            # Thousands of statements, of which none need wait for the disk.
            with self.in_use(), pretend_environment({"PGOPTIONS": "-c synchronous_commit=off"}):
                _run("createdb", template)
                _run("pg_restore", "-j2", "--exit-on-error", "-d", template, str(dump))


def _title(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""  # it has ended


def _run(*command):
    result = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_S
    )
    if result.returncode:
        raise databases.HarnessError(f"{command[0]}: {result.stderr[-2000:]}")


@contextmanager
def throwaway(template, settings=HARSH):
    """A running cluster that holds a copy of a template and is gone after the block."""
    _clear_leftovers()
    made = Cluster(shared_state() / f"{PREFIX}{os.getpid()}-{next(_numbers)}")
    try:
        made.create(settings).start()
        made.load(template)
        yield made
    finally:
        made.remove()


def _clear_leftovers():
    """Remove the clusters of test runs that were killed, and the files of their databases."""
    for folder in shared_state().glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            Cluster(folder).remove()
    for folder in (Path(environment()["ODOO_DATA_DIR"]) / "filestore").glob("isp_test_*"):
        if not is_running(pid_of_database(folder.name) or 0):
            shutil.rmtree(folder)
