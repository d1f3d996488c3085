"""Kills PostgreSQL, Odoo and routers while services change; in the end all must say the same.

First 500 subscriptions on a router without RADIUS change, while the server, PostgreSQL and the
router die at random moments. Then 100 customers pay while PostgreSQL is killed. PostgreSQL is a
cluster of its own, which every time recovers from its log. Exits with 1 when anything differs.

    --seed N            repeat the moments of an earlier proof
    --subscriptions N   that change (500)
    --payments N        of customers in the walled garden (100)
"""

import argparse
import itertools
import os
import random
import sys

from harness import cluster, databases, payment_chaos, router_chaos


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--subscriptions", type=int, default=500)
    parser.add_argument("--payments", type=int, default=100)
    return parser.parse_args()


def main():
    options = parse_arguments()
    print(f"seed {options.seed}", flush=True)
    databases.drop_leftovers()
    template = os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print)
    numbers = itertools.count(1)

    def new_database():
        name = f"isp_test_{os.getpid()}_{next(numbers)}"
        databases.copy_database(template, name)
        return name

    with cluster.throwaway(template) as killed, killed.in_use():
        try:
            for proof in (
                lambda: router_chaos.run(
                    killed, new_database, options.subscriptions, options.seed, pause_s=0.1
                ),
                lambda: payment_chaos.run(
                    killed, new_database, options.payments, options.payments // 5, options.seed
                ),
            ):
                print(proof(), flush=True)
        except AssertionError as error:
            print(f"NOT THE SAME: {error}")
            return 1
    print("ALL THE SAME")
    return 0


if __name__ == "__main__":
    sys.exit(main())
