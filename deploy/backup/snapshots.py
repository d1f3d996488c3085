"""Names the backups of files around an instant, from ``restic snapshots --json`` on standard input."""

import json
import sys
from datetime import datetime, timezone


def around(snapshots, instant):
    """Return the ids of the last snapshot up to an instant and of the first one behind it."""
    moments = sorted((_read(one["time"]), one["id"]) for one in snapshots)
    before = [name for moment, name in moments if moment <= instant][-1:]
    return before + [name for moment, name in moments if moment > instant][:1]


def _read(text):
    """Return a moment in UTC; restic writes nanoseconds, PostgreSQL a zone without minutes."""
    moment, _dot, rest = text.replace("T", " ").partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    if rest:
        fraction, zone = rest[:digits], rest[digits:]
    else:
        moment, fraction, zone = moment[:19], "", moment[19:]
    zone = "+00:00" if zone in ("", "Z") else zone if ":" in zone else f"{zone}:00"
    return datetime.fromisoformat(f"{moment}.{fraction:0<6.6}{zone}").astimezone(timezone.utc)


if __name__ == "__main__":
    sys.stdout.write("\n".join(around(json.load(sys.stdin), _read(sys.argv[1]))) + "\n")
