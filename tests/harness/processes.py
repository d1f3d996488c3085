"""Odoo's commands as processes of their own, to be watched, raced and killed."""

import signal
import subprocess

from .databases import query
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


def start_shell(database, code):
    """Run Python code in an ``odoo shell`` of its own; see :func:`finish`."""
    process = subprocess.Popen(
        odoo_command("shell", "-d", database, "--no-http", "--log-level", "critical"),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(code)
    process.stdin.close()
    process.stdin = None  # communicate() would flush it
    return process


def finish(process, timeout=TIMEOUT_S):
    """Wait for the end of a process; return its exit code, output and errors."""
    output, errors = process.communicate(timeout=timeout)
    return process.returncode, output, errors


def let_dead_jobs_be_found(database):
    """Have jobs that died with their server started again at once.

    The job runner gives a job 10 s to start, and looks for dead ones once a minute.
    """
    query(
        database,
        "UPDATE queue_job SET date_enqueued = date_enqueued - interval '1 minute'"
        " WHERE state IN ('enqueued', 'started')",
    )


def kill(process):
    """Kill a process at once; return whether it still ran, and the lines it had printed."""
    process.kill()
    code, output, _errors = finish(process)
    return code == -signal.SIGKILL, output.splitlines()
