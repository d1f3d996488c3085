"""The audit chain: each row carries a hash over the hash before it and over itself.

``hash = SHA256(previous hash || canonical JSON of the row)``.  The row includes its number in the
chain, so neither an edited row, nor a missing one, nor two that changed places go unnoticed.  The
hash has no key: whoever can rewrite everything can forge a whole chain, which is why its newest
hash is also kept where the database cannot reach it.
"""

import hashlib
import json
from typing import NamedTuple

GENESIS = "0" * 64

MISSING = "missing"  # the row of this number is gone
EDITED = "edited"  # the row is there and is not what was sealed
REWRITTEN = "rewritten"  # rows and hashes agree with each other, but not with a noted hash
UNKNOWN = "unknown"  # a row that bears a number which was never given


class Link(NamedTuple):
    """One sealed row: its number in the chain and its hash."""

    seq: int
    hash: str


class Break(NamedTuple):
    """The first place where the chain does not hold, and why."""

    seq: int
    reason: str


START = Link(0, GENESIS)


def canonical(row):
    """Return the bytes of a row: the same for equal rows, whatever the order of their keys."""
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def seal(previous, row):
    """Return the link of ``row`` behind the link ``previous``."""
    seq = previous.seq + 1
    content = previous.hash.encode() + canonical({**row, "seq": seq})
    return Link(seq, hashlib.sha256(content).hexdigest())


def walk(sealed, after=START, anchors=None):
    """Check sealed rows that follow ``after``; they are read one by one and not kept.

    :param sealed: pairs of a :class:`Link` as stored and its row, in the order of their numbers
    :param anchors: ``{number: hash}`` noted elsewhere, for some numbers behind ``after``
    :return: the last link that holds, and the :class:`Break` behind it or None
    """
    last = after
    for stored, row in sealed:
        expected = seal(last, row)
        if stored.seq != expected.seq:
            return last, Break(expected.seq, MISSING)
        if stored.hash != expected.hash:
            return last, Break(expected.seq, EDITED)
        if (anchors or {}).get(expected.seq, expected.hash) != expected.hash:
            return last, Break(expected.seq, REWRITTEN)
        last = expected
    return last, None


def check_end(last, head):
    """Compare the last link there is with the noted head; return a :class:`Break` or None."""
    if last.seq < head.seq:
        return Break(last.seq + 1, MISSING)
    if last.seq > head.seq:
        return Break(head.seq + 1, UNKNOWN)
    if last.hash != head.hash:
        return Break(last.seq, REWRITTEN)
    return None
