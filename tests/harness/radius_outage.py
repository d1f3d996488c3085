"""Accounting under load while PostgreSQL and FreeRADIUS are killed: what arrives?"""

import os
import random
import signal
import time
from dataclasses import dataclass

from . import cluster, databases, radius, server
from .radius_load import INTERIMS, STEP_DOWN, STEP_UP, send, session_mix
from .waiting import Background, wait_for

SECRET = "secret-of-the-outage"
SENDERS = 2
REPLAY_TIMEOUT_S = 1800


@dataclass
class Outcome:
    """What was sent and what is in the database afterwards."""

    packets: int
    sessions: int
    lost: int
    stored: int
    octets: tuple
    kills: int
    recoveries: int
    spooled: int
    down_s: float
    replay_s: float

    @property
    def exact(self):
        """Whether every session is complete, once, to the octet."""
        return (self.stored, self.octets) == (self.sessions, expected_octets(self.sessions))

    def __str__(self):
        verdict = "EXACT" if self.exact else f"WRONG, expected {expected_octets(self.sessions)}"
        return (
            f"{self.stored} of {self.sessions} sessions complete, octets up and down "
            f"{self.octets} {verdict}; {self.kills} kills of FreeRADIUS, {self.recoveries} crash "
            f"recoveries of PostgreSQL, which was away for {self.down_s:.0f} s, "
            f"{self.spooled} packets spooled, replayed in {self.replay_s:.0f} s, "
            f"{self.lost} packets without an answer"
        )


def expected_octets(sessions):
    """Uploaded and downloaded octets of whole sessions."""
    whole = INTERIMS + 1
    return sessions * whole * STEP_UP, sessions * whole * STEP_DOWN


def send_all(freeradius, secret, numbers, prefix, **options):
    """Report a whole session for each number; a session's packets stay with one sender."""
    numbers = list(numbers)
    shares = [session_mix(numbers[at::SENDERS], prefix) for at in range(SENDERS)]
    return send(freeradius.acct_port, "acct", secret, shares, **options)


def run(killable, db, secret, numbers, prefix, seed, kills=2, crashes=2, down_s=0, rate=None):
    """Report a session for each of ``numbers`` while PostgreSQL and FreeRADIUS are killed.

    PostgreSQL is killed under load and started again at once, ``crashes`` times, then killed for
    a long time, and once more while the spool is replayed.

    :param killable: the :class:`harness.cluster.Cluster` that holds ``db``
    :param kills: 1 for a kill -9 of FreeRADIUS while it spools, 2 for another while it replays
    :param down_s: how long the database is away at least, and until all is sent in any case
    :param rate: packets a second, as many as are answered by default
    """
    chance = random.Random(seed)
    numbers = list(numbers)
    pace = None if rate is None else max(1, rate // SENDERS)
    before = killable.recoveries()
    with radius.RadiusServer(db) as freeradius:
        # Many tries: while FreeRADIUS is killed, the router asks again, as routers do.
        with Background(
            lambda: send_all(freeradius, secret, numbers, prefix, retries=30, rate=pace)
        ) as load:
            for _crash in range(crashes):
                # Among packets that the database itself has acknowledged.
                known = _progress(db, prefix)
                wait_for(lambda known=known: _progress(db, prefix) != known, 60)
                time.sleep(chance.uniform(0, 0.3))
                killable.kill()
                killable.start()
            killable.kill()
            begun = time.monotonic()
            if kills:
                wait_for(lambda: _spool_size(freeradius), 60)
                time.sleep(chance.uniform(0, 1))
                _kill(freeradius)
            while load.running or time.monotonic() - begun < down_s:
                time.sleep(0.2)
        down = time.monotonic() - begun
        spooled = _spooled_packets(freeradius)
        killable.start()
        replay = time.monotonic()
        _wait_for_replay(freeradius, db, prefix)
        killable.kill()
        killable.start()
        if kills > 1:
            _wait_for_replay(freeradius, db, prefix)
            _kill(freeradius)
        wait_for(lambda: not _spool_size(freeradius), REPLAY_TIMEOUT_S)
        replay = time.monotonic() - replay
        complete, octets = stored(db, prefix)
        return Outcome(
            packets=len(numbers) * (INTERIMS + 2),
            sessions=len(numbers),
            lost=load.result.lost,
            stored=complete,
            octets=octets,
            kills=kills,
            recoveries=killable.recoveries() - before,
            spooled=spooled,
            down_s=down,
            replay_s=replay,
        )


def run_alone(template, sessions, seed, **options):
    """Like :func:`run`, on a cluster and a copy of the template that are made for it."""
    with cluster.throwaway(template) as killed, killed.in_use():
        db = f"isp_test_{os.getpid()}_outage"
        databases.copy_database(template, db)
        server.run_shell(
            db,
            "env['isp.nas'].create({'name': 'Outage', 'ip_address': '127.0.0.1', "
            f"'secret': '{SECRET}'}})\nenv.cr.commit()",
        )
        return run(killed, db, SECRET, range(1, sessions + 1), "outage-", seed, **options)


def _wait_for_replay(freeradius, db, prefix):
    """Until the spool is being replayed, or has been."""
    size, before = _spool_size(freeradius), _progress(db, prefix)
    wait_for(
        lambda: not size or _spool_size(freeradius) < size or _progress(db, prefix) != before,
        120,
    )


def stored(db, prefix):
    """Closed sessions, and what all sessions uploaded and downloaded."""
    [[complete, up, down]] = databases.query(
        db,
        "SELECT count(*) FILTER (WHERE acctstoptime IS NOT NULL), sum(acctinputoctets)::bigint, "
        "sum(acctoutputoctets)::bigint FROM radius.radacct WHERE acctsessionid LIKE %s",
        [f"{prefix}%"],
    )
    return complete, (up, down)


def _kill(freeradius):
    os.kill(freeradius.pid, signal.SIGKILL)
    freeradius.start()


def _spool_files(freeradius):
    return list((freeradius.folder / "acct/spool").glob("detail*"))


def _spool_size(freeradius):
    size = 0
    for path in _spool_files(freeradius):
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue  # replayed in this moment
    return size


def _spooled_packets(freeradius):
    return sum(path.read_bytes().count(b"Acct-Status-Type") for path in _spool_files(freeradius))


def _progress(db, prefix):
    """Changes with every packet that is stored."""
    return databases.query(
        db,
        "SELECT count(*), count(acctstoptime), sum(acctinputoctets) FROM radius.radacct "
        "WHERE acctsessionid LIKE %s",
        [f"{prefix}%"],
    )
