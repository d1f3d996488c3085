"""Accounting under load while the database is away and FreeRADIUS is killed: what arrives?"""

import os
import signal
import threading
import time
from dataclasses import dataclass

from . import databases, radius
from .radius_load import INTERIMS, STEP_DOWN, STEP_UP, send, session_mix

SENDERS = 2
REPLAY_TIMEOUT_S = 1800


class Background:
    """Runs a function in a thread; ``result`` is what it returned, ``running`` whether it does."""

    def __init__(self, function):
        self.result = None
        self._error = None
        self._function = function
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            self.result = self._function()
        except Exception as error:  # handed to whoever waits
            self._error = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_exc):
        self._thread.join()
        if self._error and kind is None:
            raise self._error

    @property
    def running(self):
        """Whether the function has not returned yet."""
        return self._thread.is_alive()


@dataclass
class Outcome:
    """What was sent and what is in the database afterwards."""

    packets: int
    sessions: int
    lost: int
    stored: int
    octets: tuple
    expected: tuple
    kills: int
    down_s: float
    replay_s: float

    @property
    def exact(self):
        """Whether every session is complete, once, to the octet."""
        return self.stored == self.sessions and self.octets == self.expected

    def __str__(self):
        verdict = "EXACT" if self.exact else f"WRONG: expected {self.expected}"
        return (
            f"{self.stored} of {self.sessions} sessions complete, octets {self.octets} {verdict}; "
            f"{self.kills} kills, database away {self.down_s:.0f} s, replayed in "
            f"{self.replay_s:.0f} s, {self.lost} packets without an answer"
        )


def run(db, secret, numbers, prefix, kills=2, down_s=None, rate=None):
    """Report a session for each of ``numbers`` while the database is away.

    :param kills: 1 for a kill -9 of FreeRADIUS while it spools, 2 for another while it replays
    :param down_s: how long the database is away at least, until all is sent by default
    :param rate: packets a second, as many as are answered by default
    """
    numbers = list(numbers)
    # A session's packets stay with one sender, in their order.
    shares = [session_mix(numbers[at::SENDERS], prefix) for at in range(SENDERS)]
    packets = sum(map(len, shares))
    pace = None if rate is None else max(1, rate // SENDERS)
    with radius.DatabaseGate() as gate, radius.RadiusServer(db, gate) as server:
        with Background(
            # Many tries: while FreeRADIUS is killed, the router asks again, as routers do.
            lambda: send(server.acct_port, "acct", secret, shares, retries=30, rate=pace)
        ) as load:
            _wait(lambda: _count(db, prefix, "true") > 0, 30)
            gate.close()
            away = time.monotonic()
            if kills:
                _wait(lambda: _spooled(server) or not load.running, 30)
                time.sleep(1)
                _kill(server)
            while load.running or (down_s and time.monotonic() - away < down_s):
                time.sleep(0.2)
                if not load.running and not down_s:
                    break
        down = time.monotonic() - away
        gate.open()
        replay = time.monotonic()
        if kills > 1:
            before = _count(db, prefix, "acctstoptime IS NOT NULL")
            _wait(
                lambda: (
                    _count(db, prefix, "acctstoptime IS NOT NULL") > before or not _spooled(server)
                ),
                60,
            )
            _kill(server)
        _wait(lambda: not _spooled(server), REPLAY_TIMEOUT_S)
        replay = time.monotonic() - replay
        stored, octets = _stored(db, prefix)
        whole = INTERIMS + 1
        return Outcome(
            packets=packets,
            sessions=len(numbers),
            lost=load.result.lost,
            stored=stored,
            octets=octets,
            expected=(len(numbers) * whole * STEP_UP, len(numbers) * whole * STEP_DOWN),
            kills=kills,
            down_s=down,
            replay_s=replay,
        )


def _kill(server):
    os.kill(server.pid, signal.SIGKILL)
    server.start()


def _spooled(server):
    """Whether packets wait on disk."""
    return any((server.folder / "acct/spool").glob("detail*"))


def _wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise databases.HarnessError("It did not happen in time.")
        time.sleep(0.2)


def _count(db, prefix, condition):
    return databases.query(
        db,
        f"SELECT count(*) FROM radius.radacct WHERE acctsessionid LIKE %s AND {condition}",
        [f"{prefix}%"],
    )[0][0]


def _stored(db, prefix):
    """Closed sessions, and what all sessions uploaded and downloaded."""
    [[stored, up, down]] = databases.query(
        db,
        "SELECT count(*) FILTER (WHERE acctstoptime IS NOT NULL), sum(acctinputoctets)::bigint, "
        "sum(acctoutputoctets)::bigint FROM radius.radacct WHERE acctsessionid LIKE %s",
        [f"{prefix}%"],
    )
    return stored, (up, down)
