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
    kills: int
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
            f"{self.octets} {verdict}; {self.kills} kills, database away {self.down_s:.0f} s, "
            f"{self.spooled} packets spooled, replayed in {self.replay_s:.0f} s, "
            f"{self.lost} packets without an answer"
        )


class SocketOutage:
    """The database behind a gate that is closed: connections are cut and refused."""

    def __init__(self):
        self._gate = radius.DatabaseGate()

    def __enter__(self):
        self._gate.__enter__()
        return self

    def __exit__(self, *exc):
        self._gate.__exit__(*exc)

    @property
    def gate(self):
        """What the server connects through."""
        return self._gate

    def begin(self):
        """Let the database vanish."""
        self._gate.close()

    def end(self):
        """Let it be there again."""
        self._gate.open()


def expected_octets(sessions):
    """Uploaded and downloaded octets of whole sessions."""
    whole = INTERIMS + 1
    return sessions * whole * STEP_UP, sessions * whole * STEP_DOWN


def send_all(server, secret, numbers, prefix, **options):
    """Report a whole session for each number; a session's packets stay with one sender."""
    numbers = list(numbers)
    shares = [session_mix(numbers[at::SENDERS], prefix) for at in range(SENDERS)]
    return send(server.acct_port, "acct", secret, shares, **options)


def run(db, secret, numbers, prefix, kills=2, down_s=0, rate=None, outage=SocketOutage):
    """Report a session for each of ``numbers`` while the database is away.

    :param kills: 1 for a kill -9 of FreeRADIUS while it spools, 2 for another while it replays
    :param down_s: how long the database is away at least, and until all is sent in any case
    :param rate: packets a second, as many as are answered by default
    :param outage: makes a context with ``gate``, ``begin()`` and ``end()``
    """
    numbers = list(numbers)
    pace = None if rate is None else max(1, rate // SENDERS)
    with outage() as away, radius.RadiusServer(db, away.gate) as server:
        # Many tries: while FreeRADIUS is killed, the router asks again, as routers do.
        with Background(
            lambda: send_all(server, secret, numbers, prefix, retries=30, rate=pace)
        ) as load:
            _wait(lambda: _count(db, prefix) > 0, 60)
            away.begin()
            begun = time.monotonic()
            if kills:
                _wait(lambda: _spool_size(server), 60)
                time.sleep(0.5)
                _kill(server)
            while load.running or time.monotonic() - begun < down_s:
                time.sleep(0.2)
        down = time.monotonic() - begun
        spooled = _spooled_packets(server)
        away.end()
        replay = time.monotonic()
        if kills > 1:
            size = _spool_size(server)
            before = _count(db, prefix, "acctstoptime IS NOT NULL")
            _wait(
                lambda: (
                    _count(db, prefix, "acctstoptime IS NOT NULL") > before
                    or _spool_size(server) < size
                ),
                120,
            )
            _kill(server)
        _wait(lambda: not _spool_size(server), REPLAY_TIMEOUT_S)
        replay = time.monotonic() - replay
        complete, octets = stored(db, prefix)
        return Outcome(
            packets=len(numbers) * (INTERIMS + 2),
            sessions=len(numbers),
            lost=load.result.lost,
            stored=complete,
            octets=octets,
            kills=kills,
            spooled=spooled,
            down_s=down,
            replay_s=replay,
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


def _kill(server):
    os.kill(server.pid, signal.SIGKILL)
    server.start()


def _spool_files(server):
    return list((server.folder / "acct/spool").glob("detail*"))


def _spool_size(server):
    size = 0
    for path in _spool_files(server):
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue  # replayed in this moment
    return size


def _spooled_packets(server):
    return sum(path.read_bytes().count(b"Acct-Status-Type") for path in _spool_files(server))


def _wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise databases.HarnessError("It did not happen in time.")
        time.sleep(0.1)


def _count(db, prefix, condition="true"):
    return databases.query(
        db,
        f"SELECT count(*) FROM radius.radacct WHERE acctsessionid LIKE %s AND {condition}",
        [f"{prefix}%"],
    )[0][0]
