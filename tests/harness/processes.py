"""Odoo's commands as processes of their own, to be watched, raced and killed."""

import signal
import subprocess

from .settings import environment, odoo_command

TIMEOUT_S = 240


def start(*args):
    """Start an Odoo command; its output can be read line by line."""
    return subprocess.Popen(
        odoo_command(*map(str, args)),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, timeout=TIMEOUT_S):
    """Wait for the end of a process; return its exit code, output and errors."""
    output, errors = process.communicate(timeout=timeout)
    return process.returncode, output, errors


def kill(process):
    """Kill a process at once; return whether it still ran, and the lines it had printed."""
    process.kill()
    code, output, _errors = finish(process)
    return code == -signal.SIGKILL, output.splitlines()
