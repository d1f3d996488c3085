"""Finds what a file says twice, in constant memory."""

import hashlib
import sqlite3


class SeenKeys:
    """Remembers at which line a key came first.

    Keys may be phone numbers, so only their hashes are kept, in a temporary table that SQLite puts
    on disk when it grows.
    """

    def __init__(self):
        self._db = sqlite3.connect("")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def first_line(self, key, line):
        """Line of the earlier row with this key; ``None`` when ``line`` is the first."""
        digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
        try:
            self._db.execute("INSERT INTO seen VALUES (?, ?)", (digest, line))
        except sqlite3.IntegrityError:
            return self._db.execute("SELECT line FROM seen WHERE key = ?", (digest,)).fetchone()[0]
        return None

    def close(self):
        """Give the temporary table back."""
        self._db.close()
