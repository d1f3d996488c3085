"""Odoo processes forked from one that has read Odoo's code already.

Reading the code of Odoo and of sixty addons is two thirds of the processor time that a start costs,
and the tests start Odoo some two hundred times. A fork goes through Odoo's own command line from its
beginning, has its own environment, files, session and process group, and is killed like any other.
``conftest.py`` switches it on; benchmarks start Odoo as a user does.
"""

import atexit
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from .settings import environment, log_folder

SCRIPT = Path(__file__).with_name("warm_odoo.py")
READ_TIMEOUT_S = 120


class Forked:
    """A forked process, with what the tests use of :class:`subprocess.Popen`."""

    def __init__(self, pid, status):
        self.pid = pid
        self.returncode = None
        self._status = status
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._pidfd = None  # it has ended already
            self._end()

    def poll(self):
        """Return the exit code, None while it runs."""
        if self.returncode is None and select.select([self._pidfd], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout=None):
        """Return the exit code when it has ended; raises :class:`subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._pidfd], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("odoo", timeout)
            self._end()
        return self.returncode

    def send_signal(self, number):
        """Send a signal; harmless when it has ended."""
        if self.poll() is None:
            try:
                signal.pidfd_send_signal(self._pidfd, number)
            except ProcessLookupError:
                self._end()

    def _end(self):
        # Its last act is to write the exit code; who was killed could not.
        os.set_blocking(self._status, False)
        try:
            code = os.read(self._status, 1)
        except BlockingIOError:  # a worker of it lives on
            code = b""
        self.returncode = code[0] if code else -signal.SIGKILL
        for descriptor in (self._status, self._pidfd):
            if descriptor is not None:
                os.close(descriptor)


class Warm:
    """The process that has read the code.

    :param modules: names of the addons, whose dependencies are read before them
    """

    def __init__(self, modules):
        self._socket, theirs = socket.socketpair()
        env = environment()
        with theirs, (log_folder() / f"warm-{os.getpid()}.log").open("w") as log:
            self._process = subprocess.Popen(
                [
                    Path(env["VENV"]) / "bin/python",
                    SCRIPT,
                    str(theirs.fileno()),
                    f"--addons-path={env['ADDONS_PATH']}",
                    *modules,
                ],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket.settimeout(READ_TIMEOUT_S)
        self._receive()
        atexit.register(self.stop)

    def fork(self, command, env, stdin, stdout, stderr):
        """Run a command line of Odoo in a fork, in a session of its own.

        :param command: as for :class:`subprocess.Popen`, the interpreter first
        :param stdin: and the others: open files or descriptors
        :rtype: Forked
        """
        read, write = os.pipe()
        try:
            descriptors = [
                getattr(file, "fileno", lambda file=file: file)()
                for file in (stdin, stdout, stderr)
            ]
            request = json.dumps({"args": [str(arg) for arg in command[1:]], "env": env}).encode()
            socket.send_fds(self._socket, [struct.pack("!I", len(request))], [*descriptors, write])
            self._socket.sendall(request)
            return Forked(self._receive(), read)
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)

    def stop(self):
        """End the process; its forks go on."""
        self._socket.close()
        self._process.wait(10)

    def _receive(self):
        answer = self._socket.recv(4, socket.MSG_WAITALL)
        if len(answer) < 4:
            raise RuntimeError("The process that has read Odoo's code died: see warm-*.log")
        return struct.unpack("!I", answer)[0]


# === THE ONE OF THIS PROCESS === #

_state = {"enabled": False, "warm": None}


def enable():
    """Let Odoo processes be forked from now on."""
    _state["enabled"] = True


def start(command, env, modules, stdin, stdout, stderr):
    """Start a command line of Odoo, forked if that is switched on, and return the process.

    :param modules: called for the names of the addons to read, when that has not happened yet
    """
    if not _state["enabled"]:
        return subprocess.Popen(
            command, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
    if _state["warm"] is None:
        _state["warm"] = Warm(modules())
    sys.stdout.flush()
    return _state["warm"].fork(command, env, stdin, stdout, stderr)
