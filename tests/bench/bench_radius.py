"""Logins and accounting packets a second, against FreeRADIUS's stock PostgreSQL schema.

The same FreeRADIUS, pool, router and subscribers on both sides, in one run; rounds alternate and
medians are compared. The peer has Debian's schema.sql and queries.conf with plans as groups, which
is how that schema is used. Neither waits for the disk, ours not even at a Stop as it does when it
is installed; accounting is then compared once more with both as they are installed, the peer
waiting at each packet. Then, on our schema alone: a month that is dropped while packets arrive,
and packets across a dead database and two kills of FreeRADIUS.

    --small     10,000 subscribers and short rounds, to try it
    --full      a month of 10 million rows instead of 1 million, and more rounds
"""

import argparse
import functools
import itertools
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass

from harness import (
    cpu,
    databases,
    radius,
    radius_fill,
    radius_load,
    radius_outage,
    radius_stock,
    settings,
)
from harness.radius_fill import PASSWORD
from harness.radius_load import send, session_mix, session_packet, split
from harness.waiting import Background, wait_for

SECRET = "secret-of-the-bench-nas"
SENDERS = 2
# Routers that the sessions of the mass close are on.
ROUTERS = 20


@dataclass
class Sizes:
    """How much of each."""

    subscribers: int = 100_000
    history: int = 400_000
    # Short rounds: what else runs on the machine then hits both sides alike.
    rounds: int = 9
    logins: int = 2_000
    mix_sessions: int = 200
    redialled: int = 10_000
    interims: int = 2_000
    month: int = 1_000_000
    outage_sessions: int = 2_858

    @classmethod
    def of(cls, options):
        """The sizes that the command line asks for."""
        if options.small:
            return cls(10_000, 40_000, 3, 1_000, 100, 2_000, 1_000, 100_000, 300)
        if options.full:
            return cls(rounds=15, month=10_000_000)
        return cls()


class Contest:
    """Ours and the stock schema, each behind its own FreeRADIUS."""

    def __init__(self, sizes, servers, names):
        self.sizes = sizes
        self.servers = servers
        self.names = names
        self.work = {}

    def run(self, kind, packets_of_round, rounds=None):
        """Median rates and the median of the rounds' ratios; see ``work`` for the processor time.

        :param packets_of_round: function of the round's number that makes the packets
        """
        rates = {"ours": [], "stock": []}
        self.work = {side: Counter() for side in rates}
        for number in itertools.count():
            packets = packets_of_round(number)
            sides = ("ours", "stock") if number % 2 else ("stock", "ours")
            sent = {side: self.send(side, kind, packets) for side in sides}
            # The stock queries never answer an Interim that is seen again after its Stop, and the
            # sender's waiting would count against them.
            if not any(one.lost for one in sent.values()):
                for side, one in sent.items():
                    rates[side].append(one.rate)
            elif number >= 2 * self.sizes.rounds:
                raise databases.HarnessError(f"Packets stay without an answer: {sent}")
            if len(rates["ours"]) == (rounds or self.sizes.rounds):
                break
        ratios = [ours / stock for ours, stock in zip(rates["ours"], rates["stock"], strict=True)]
        medians = {side: statistics.median(values) for side, values in rates.items()}
        return medians["ours"], medians["stock"], statistics.median(ratios)

    def warm_up(self, prefix="warm-"):
        """Let both open their connections; what gets lost meanwhile does not count."""
        for server in self.servers.values():
            packets = session_mix(range(1, 101), prefix, interims=2)
            send(server.acct_port, "acct", SECRET, split(packets, SENDERS))
            packets = [radius_load.login_packet(n, PASSWORD) for n in range(1, 401)]
            send(server.auth_port, "auth", SECRET, split(packets, SENDERS))

    def send(self, side, kind, packets):
        """Send packets to one side."""
        server = self.servers[side]
        port = server.auth_port if kind == "auth" else server.acct_port
        before = self._spent(side)
        sent = send(port, kind, SECRET, split(packets, SENDERS), retries=1, timeout_s=2)
        if side in self.work:
            self.work[side].update(self._spent(side))
            self.work[side].subtract(before)
            self.work[side]["packets"] += len(packets)
        return sent

    def _spent(self, side):
        return {
            "FreeRADIUS": cpu.seconds([self.servers[side].pid]),
            "PostgreSQL": cpu.seconds(cpu.backends(self.names[side])),
        }


def report(what, contest, ours, stock, ratio, bar):
    """Rates, their ratio and the bar beside it; then the processor time of both."""
    verdict = "" if ratio >= bar else "   BELOW THE BAR"
    print(
        f"{what:42} ours {ours:6.0f}/s  stock {stock:6.0f}/s  "
        f"ratio {ratio:5.2f} (bar {bar}){verdict}",
        flush=True,
    )
    spent = []
    for program in ("FreeRADIUS", "PostgreSQL"):
        each = [1e6 * side[program] / side["packets"] for side in contest.work.values()]
        spent.append(f"{program} {each[0]:.0f} : {each[1]:.0f}")
    print(f"{'':4}processor time a packet, µs, ours : stock: {', '.join(spent)}", flush=True)


def logins(contest):
    """PAP logins of subscribers who are not online, without and with a limit of sessions."""
    quarter = contest.sizes.subscribers // 4

    def packets(number, first):
        count = contest.sizes.logins
        return [
            radius_load.login_packet(first + 1 + (number * count + at) % quarter, PASSWORD)
            for at in range(count)
        ]

    for what, first in (("no limit", 2 * quarter), ("one session", 3 * quarter)):
        measured = contest.run("auth", functools.partial(packets, first=first))
        report(f"authorisation (PAP, {what})", contest, *measured, 1.05)


def accounting(contest):
    """Whole sessions beside half of the subscribers being online."""
    first = contest.sizes.subscribers // 2

    def packets(number, prefix="mix"):
        begin = first + 1 + number * contest.sizes.mix_sessions
        return session_mix(range(begin, begin + contest.sizes.mix_sessions), f"{prefix}{number}-")

    measured = contest.run("acct", packets)
    report("accounting (1 Start, 12 Interims, 1 Stop)", contest, *measured, 0.97)
    with ExitStack() as stack:
        installed = Contest(
            contest.sizes, servers_of_both(stack, contest.names, installed=True), contest.names
        )
        installed.warm_up("warm-installed-")
        measured = installed.run("acct", functools.partial(packets, prefix="installed"))
        report("accounting as installed (see above)", installed, *measured, 0.97)


def mass_close(contest):
    """Every router restarts, statistics are gathered, the subscribers dial in again."""
    sizes = contest.sizes
    ons = [
        "\n".join(
            ["Acct-Status-Type = Accounting-On", 'Acct-Session-Id = "0"']
            + [f"NAS-IP-Address = {radius_load.nas_address(1 + nas)}"]
        )
        for nas in range(ROUTERS)
    ]
    numbers = range(1, sizes.redialled + 1)
    starts = [
        session_packet("Start", number, f"again{number}", 0, 1 + number % ROUTERS)
        for number in numbers
    ]
    for side in ("ours", "stock"):
        begin = time.monotonic()
        contest.send(side, "acct", ons)
        print(f"  {side}: all sessions closed in {time.monotonic() - begin:.2f} s")
        # What autovacuum does after a change of this size.
        databases.query(contest.names[side], f"ANALYZE {radius_fill.TABLES[side]}")
        contest.send(side, "acct", starts)

    def packets(number):
        begin = number * sizes.interims
        return [
            session_packet(
                "Interim-Update",
                1 + (begin + at) % sizes.redialled,
                f"again{1 + (begin + at) % sizes.redialled}",
                1 + (begin + at) // sizes.redialled,
                1 + (1 + (begin + at) % sizes.redialled) % ROUTERS,
            )
            for at in range(sizes.interims)
        ]

    measured = contest.run("acct", packets, 3)
    report("Interims right after a mass close", contest, *measured, 3)


def drop_month(contest):
    """Drop the oldest month while packets arrive."""
    sizes, db = contest.sizes, contest.names["ours"]
    month = radius_fill.old_month(db, sizes.month)
    sessions = 10 * sizes.mix_sessions
    first = sizes.subscribers - sessions
    packets = session_mix(range(first, first + sessions), "drop-")
    server = contest.servers["ours"]
    part = f"radius.radacct_{month:%Y%m}"
    with closing(databases.connect(db)) as connection, connection.cursor() as cr:
        cr.execute("SELECT (pg_total_relation_size(%s) / 2.0 ^ 30)::float", [part])
        gigabytes = cr.fetchone()[0]
        load = Background(lambda: send(server.acct_port, "acct", SECRET, split(packets, SENDERS)))
        seen = Background(lambda: moment_when_gone(db, part))
        with load, seen:
            time.sleep(0.5)
            begin = time.monotonic()
            # As the retention job does it: the lock on the whole is held for the first only.
            cr.execute(f"ALTER TABLE radius.radacct DETACH PARTITION {part}")
            detached = time.monotonic() - begin
            cr.execute(f"DROP TABLE {part}")
            freed = time.monotonic() - begin
            assert load.running, "the packets ended before the month was dropped"
    gone = seen.result - begin
    stored = databases.query(
        db,
        "SELECT count(*) FROM radius.radacct WHERE acctsessionid LIKE 'drop-%%' "
        "AND acctstoptime IS NOT NULL AND acctinputoctets = %s",
        [radius_load.STEP_UP * (radius_load.INTERIMS + 1)],
    )[0][0]
    print(
        f"{f'month of {sizes.month:,} rows dropped in':42} {gone:.2f} s (bar 1 s), the lock on all "
        f"months was held for {detached:.2f} s; meanwhile {load.result.answered} packets answered, "
        f"{load.result.lost} lost, {stored} of {sessions} sessions exact"
    )
    print(
        f"{'':4}its {gigabytes:.1f} GB of files were removed after {freed:.2f} s, when nobody waits any "
        f"more: {freed / gigabytes:.2f} s a GB, a plain file {seconds_to_remove_a_gigabyte():.2f} s"
    )


def moment_when_gone(db, table):
    """Return the moment (of time.monotonic) from which a table is not there for others."""
    with closing(databases.connect(db)) as connection, connection.cursor() as cr:

        def is_gone():
            # By its name alone: what else asks about a table waits for its lock.
            cr.execute("SELECT 1 FROM pg_class WHERE relname = %s", [table.partition(".")[2]])
            return not cr.fetchone()

        wait_for(is_gone, 300, pause_s=0.01)
    return time.monotonic()


def seconds_to_remove_a_gigabyte():
    """Measure how long this machine takes to free a file of 1 GB that stands on the disk."""
    with tempfile.NamedTemporaryFile(dir=settings.environment()["STATE"], delete=False) as file:
        for _mebibyte in range(1024):
            file.write(random.randbytes(2**20))
        os.fsync(file.fileno())
    begin = time.monotonic()
    os.unlink(file.name)
    return time.monotonic() - begin


def outage(contest):
    """Packets across kill -9 of PostgreSQL, which has a cluster of its own here, and FreeRADIUS."""
    result = radius_outage.run_alone(
        databases.suite_template(), contest.sizes.outage_sessions, random.randrange(10**6)
    )
    print(f"{f'{result.packets:,} packets, database dead, two kills':42} {result}")


def servers_of_both(stack, names, installed=False):
    """Start both; ``installed`` leaves it to each when to wait for the disk."""
    ours = radius.RadiusServer(
        names["ours"], settings=() if installed else ["radius.stop_waits=off"]
    )
    stock = radius_stock.StockServer(names["stock"], SECRET, waits=installed)
    return {"ours": stack.enter_context(ours), "stock": stack.enter_context(stock)}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", choices=[part.__name__ for part in PARTS], action="append")
    return parser.parse_args()


PARTS = (logins, accounting, mass_close, drop_month, outage)


def main():
    options = parse_arguments()
    sizes = Sizes.of(options)
    databases.drop_leftovers()
    with ExitStack() as stack:
        begin = time.monotonic()
        names = radius_fill.databases_of_both(stack, sizes.subscribers, sizes.history, SECRET)
        servers = servers_of_both(stack, names)
        print(
            f"{sizes.subscribers:,} subscribers, half of them online, {sizes.history:,} closed "
            f"sessions; filled in {time.monotonic() - begin:.0f} s",
            flush=True,
        )
        contest = Contest(sizes, servers, names)
        contest.warm_up()
        for part in PARTS:
            if not options.only or part.__name__ in options.only:
                part(contest)


if __name__ == "__main__":
    main()
