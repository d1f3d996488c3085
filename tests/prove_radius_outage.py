"""Ten minutes without a database under load: is every accounting packet there afterwards?

The database server itself is killed with -9 (every process of it) and started again ten minutes
later; FreeRADIUS is killed with -9 once while it spools and once while it replays. Only with the
project's private cluster; with another server, or --gate, connections are cut instead.

    --minutes N    how long the database is away (10)
    --rate N       packets a second (300: 90,000 subscribers who report every five minutes)
    --gate         cut the connections, leave the server alone
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from harness import databases, radius_outage, server
from harness.radius_load import INTERIMS
from harness.settings import REPO, environment

SECRET = "secret-of-the-outage"


class KilledCluster:
    """The private cluster, every process of it killed at once and started again."""

    gate = None

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.end()

    def begin(self):
        """Kill the server and its children, as a crash of the machine's memory would."""
        for pid in self._processes():
            os.kill(pid, signal.SIGKILL)

    def end(self):
        """Start it; harmless when it runs."""
        subprocess.run([REPO / "scripts/pg", "start"], check=True)

    def _processes(self):
        state = Path(environment()["STATE"])
        link = state / "shared-state"
        data = (link.resolve() if link.is_symlink() else state) / "pg"
        # The postmaster first: it would start what it misses.
        first = int((data / "postmaster.pid").read_text().split()[0])
        found = [first]
        for path in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if path.readlink() == data and int(path.parent.name) != first:
                    found.append(int(path.parent.name))
            except (FileNotFoundError, PermissionError):
                continue
        return found


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--gate", action="store_true")
    return parser.parse_args()


def main():
    options = parse_arguments()
    databases.drop_leftovers()
    db = f"isp_test_{os.getpid()}_outage"
    private = environment()["PGHOST"].startswith("/") and not options.gate
    # A little more than the outage, so that it begins and ends under load.
    sessions = max(10, int(options.minutes * 60 * options.rate * 1.05) // (INTERIMS + 2))
    databases.copy_database(databases.suite_template(print), db)
    try:
        server.run_shell(
            db,
            "env['isp.nas'].create({'name': 'Outage', 'ip_address': '127.0.0.1', "
            f"'secret': '{SECRET}'}})\nenv.cr.commit()",
        )
        outcome = radius_outage.run(
            db,
            SECRET,
            range(1, sessions + 1),
            "outage-",
            kills=2,
            down_s=options.minutes * 60,
            rate=options.rate,
            outage=KilledCluster if private else radius_outage.SocketOutage,
        )
    finally:
        databases.drop_database(db)
    print(f"{outcome.packets:,} packets: {outcome}")
    return 0 if outcome.exact and not outcome.lost else 1


if __name__ == "__main__":
    sys.exit(main())
