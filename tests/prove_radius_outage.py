"""Ten minutes without a database under load: is every accounting packet there afterwards?

PostgreSQL, a cluster of the proof's own, is killed with -9 (every process of it): five times under
load, started again at once, then for ten minutes, and once while FreeRADIUS replays. FreeRADIUS is
killed with -9 once while it spools and once while it replays.

    --minutes N    how long the database is away (10)
    --rate N       packets a second (300: 90,000 subscribers who report every five minutes)
    --seed N       repeat the moments of an earlier proof
"""

import argparse
import os
import random
import sys

from harness import databases, radius_outage
from harness.radius_load import INTERIMS


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


def main():
    options = parse_arguments()
    print(f"seed {options.seed}", flush=True)
    databases.drop_leftovers()
    # A little more than the outage, so that it begins and ends under load.
    sessions = max(10, int(options.minutes * 60 * options.rate * 1.05) // (INTERIMS + 2))
    outcome = radius_outage.run_alone(
        os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print),
        sessions,
        options.seed,
        crashes=5,
        down_s=options.minutes * 60,
        rate=options.rate,
    )
    print(f"{outcome.packets:,} packets: {outcome}")
    return 0 if outcome.exact and not outcome.lost else 1


if __name__ == "__main__":
    sys.exit(main())
