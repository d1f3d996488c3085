"""A real Odoo server on a database of its own, started and stopped by process number."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from . import warm
from .databases import HarnessError, query
from .settings import environment, log_folder, odoo_command

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
RESTART_S = 1


def free_ports(count):
    """Return ports on loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


class OdooServer:
    """Odoo serving one database; use it in a ``with`` block or call start() and stop().

    :param db: name of the database
    :param workers: HTTP worker processes; 0 is one threaded process
    :param crons: cron threads or workers
    :param args: more arguments for Odoo
    :param env: more environment variables
    """

    def __init__(self, db, workers=0, crons=0, args=(), env=None):
        self.db = db
        self.port, self.gevent_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log_folder() / f"server-{db}-{self.port}.log"
        self.process = None
        self._env = environment() | (env or {})
        self._command = odoo_command(
            *("-d", db, "--workers", str(workers), "--max-cron-threads", str(crons)),
            *("--http-port", str(self.port), "--gevent-port", str(self.gevent_port)),
            *args,
        )

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exception):
        self.stop()

    def start(self):
        """Start the server and wait until it answers; return self."""
        self._spawn()
        try:
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def _spawn(self):
        with self.log.open("a") as log, open(os.devnull) as null:
            self.process = _start(self.db, self._command, self._env, null, log, log)

    def _wait_until_healthy(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/web/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.2)
        tail = self.log.read_text(errors="replace")[-3000:]
        raise HarnessError(f"Odoo did not start on {self.db}:\n{tail}")

    def stop(self):
        """Stop the server and its workers; harmless when it already ended."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self):
        """Kill the server and every worker at once, as a crash would."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(STOP_TIMEOUT_S)


class SupervisedServer(OdooServer):
    """Started again whenever it ends, as systemd does with ``Restart=always``.

    Odoo ends when its database is away: the master process as soon as it has to replace a worker.
    """

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.restarts = 0
        self._stopping = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def start(self):
        """Start the server and its supervisor; return self."""
        super().start()
        self._supervisor.start()
        return self

    def stop(self):
        """Stop the supervisor and the server."""
        self._stopping.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        super().stop()

    def _supervise(self):
        while not self._stopping.wait(RESTART_S):
            if self.process.poll() is not None:
                self.kill()  # workers that outlived their master hold its ports
                self._spawn()
                self.restarts += 1


def run_shell(db, code, timeout=300, env=None):
    """Run Python code in ``odoo shell`` and return what it printed.

    The code must commit what it wants to keep. An exception in it raises :class:`HarnessError`
    with its traceback.
    """
    command = odoo_command("shell", "-d", db, "--no-http", "--log-level", "error")
    with tempfile.TemporaryFile("w+") as given, _outputs() as (output, errors):
        given.write(code)
        given.seek(0)
        process = _start(db, command, environment() | (env or {}), given, output, errors)
        try:
            process.wait(timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_TIMEOUT_S)
            raise
        for file in (output, errors):
            file.seek(0)
        if process.returncode:
            raise HarnessError(f"odoo shell failed:\n{errors.read()[-4000:]}")
        return output.read()


@contextmanager
def _outputs():
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        yield output, errors


def _start(db, command, env, stdin, stdout, stderr):
    def modules():
        statement = "SELECT name FROM ir_module_module WHERE state = 'installed' ORDER BY name"
        return [name for (name,) in query(db, statement)]

    return warm.start(command, env, modules, stdin, stdout, stderr)


def read_shell(db, code, **options):
    """Like :func:`run_shell`, and return the value that the code prints as JSON behind RESULT."""
    return json.loads(run_shell(db, code, **options).split("RESULT")[1].splitlines()[0])
