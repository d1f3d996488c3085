"""Seconds of processor time of processes, beside which a wall clock of a busy machine says little."""

import os
from pathlib import Path

from .databases import query

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(pids):
    """User and system time of some processes so far; those that have ended count nothing."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def backends(database):
    """Process numbers of PostgreSQL's sessions in a database."""
    rows = query("postgres", "SELECT pid FROM pg_stat_activity WHERE datname = %s", [database])
    return [pid for (pid,) in rows]
