"""Kills the billing of 10,000 subscriptions at ten random moments, and once in a server's jobs.

Each time the run is given again and must end in the books of a run that nobody disturbed: the same
hash of every column of every journal item, entry and charge. Exits with 1 when one does not.
"""

import argparse
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from harness import databases, kills

BATCH = 1000
# How often each run is killed: ten kills.
TIMES = (1, 1, 1, 1, 1, 1, 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    begun = time.monotonic()
    databases.drop_leftovers()
    template = os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print)
    name = f"isp_test_{os.getpid()}_prove"
    provider = kills.Provider(template, name, options.subscriptions, BATCH)
    try:
        (numbered, unnumbered), seconds = provider.run_undisturbed()
        print(
            f"seed {options.seed}; undisturbed: {options.subscriptions:,} invoices in batches of"
            f" {BATCH:,}, {numbered.items:,} journal items and {numbered.charges:,} charges in"
            f" {seconds:.1f} s,\nhash {numbered.hash}",
            flush=True,
        )
        draws = [random.Random(f"{options.seed} {case}") for case in range(len(TIMES) + 1)]
        with ThreadPoolExecutor(2) as pool:
            by_case = pool.map(
                lambda rng, times: provider.kill_and_resume(
                    f"killed {times} times" if times > 1 else "killed once", rng, seconds, times
                ),
                draws,
                TIMES,
            )
            by_server = pool.submit(provider.kill_server, draws[-1], seconds)
            done = [kill for of_case in by_case for kill in of_case] + [by_server.result()]
        print(kills.show(done, [numbered, unnumbered]))
        print(f"The server's jobs may share the numbers otherwise: {unnumbered.hash[:12]} without.")
    finally:
        provider.drop()
    same = all(kill.books in (numbered, unnumbered) for kill in done)
    print(f"{'ALL THE SAME' if same else 'NOT THE SAME'}, {time.monotonic() - begun:.0f} s")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
