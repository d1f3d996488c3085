"""Logins at bKash: when a token is renewed, and how the two logins an hour are kept."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

RENEW_AFTER_S = 50 * 60
LOGINS_AN_HOUR = 2
HOUR_S = 3600
# bKash does not say how long; public clients assume between 7 and 28 days.
REFRESH_LIFE_S = 7 * 24 * 3600


@dataclass
class TokenState:
    """What is remembered of the logins of one app; times are seconds since 1970."""

    id_token: str = ""
    refresh_token: str = ""
    issued_at: float = 0
    expires_at: float = 0
    refresh_until: float = 0
    logins: list = field(default_factory=list)
    locked_until: float = 0
    app: str = ""  # whose logins these are, see BkashClient

    def usable(self, now):
        """Return whether the token may be sent without a new login."""
        return bool(self.id_token) and now < min(self.issued_at + RENEW_AFTER_S, self.expires_at)

    def valid(self, now):
        """Return whether the token still works, although it is time for a new one."""
        return bool(self.id_token) and now < self.expires_at

    def wait_s(self, now):
        """Return for how many seconds no login is allowed; 0 allows one now."""
        recent = sorted(at for at in self.logins if at > now - HOUR_S)
        wait = recent[-LOGINS_AN_HOUR] + HOUR_S - now if len(recent) >= LOGINS_AN_HOUR else 0
        return max(wait, self.locked_until - now, 0)

    def note_login(self, now):
        """Remember that a login is about to be sent, whatever comes of it."""
        self.logins = [at for at in self.logins if at > now - HOUR_S] + [now]

    def keep(self, answer, now):
        """Take over the tokens of a login's answer."""
        life_s = answer["expires_in"]
        self.id_token, self.refresh_token = answer["id_token"], answer["refresh_token"]
        self.issued_at, self.expires_at = now, now + life_s
        self.refresh_until = now + REFRESH_LIFE_S


class MemoryTokens:
    """Keeps the state in this process; the interface that a store in a database has too."""

    def __init__(self):
        self.state = TokenState()
        self._lock = threading.Lock()

    def peek(self):
        """Return a copy of the state, without waiting for anybody."""
        return replace(self.state)

    @contextmanager
    def locked(self, wait=True):
        """Give the state to one caller at a time, and keep what it changed, errors or not.

        :param wait: False gives ``None`` when another caller has it
        """
        if not self._lock.acquire(blocking=wait):
            yield None
            return
        try:
            yield self.state
        finally:
            self._lock.release()


def in_minutes(seconds):
    """Return seconds as whole minutes, at least one, for a sentence."""
    return max(1, -(-int(seconds) // 60))
