"""The configuration of a router as text, and the same without its secrets for people to read."""

import difflib
import re
import secrets
import time
from contextlib import suppress

from .connection import parse_row
from .errors import CommandError, NoRights, Refused

V7 = (7,)
# Longer texts do not fit into the answer of /execute; versions differ in the limit.
_AS_STRING_BYTES = 60_000
_CHUNK = 32_768
_FILE_WAIT_S = 60.0

_HEADER = re.compile(r"\A# .*? by RouterOS (.*)$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\r?\n[ \t]*")
_SECRET = re.compile(
    r"""(?<![\w-])
    ([\w-]*(?:password|secret|passphrase|pre-shared-key|private-key|auth-key|encryption-key|pin))
    =("(?:[^"\\]|\\.)*"|[^\s"]+)""",
    re.VERBOSE,
)


def fetch_export(session):
    """The configuration of a router, secrets included, without the date in its first line.

    :raises NoRights: the router's user may not read secrets or run scripts
    :raises Refused: the router offers no way to read an export
    """
    command = "/export show-sensitive" if session.version >= V7 else "/export"
    try:
        text = session.call("/execute", f"=script={command}", "=as-string=").ret()
    except CommandError:
        text = ""
    if not text.strip() or len(text.encode()) >= _AS_STRING_BYTES:
        text = _export_by_file(session, command)
    if not text.strip():
        raise Refused("the router gives no export")
    return normalise(text)


def normalise(text):
    """An export without what differs although nothing was changed: its date, its line ends."""
    text = text.replace("\r\n", "\n").strip() + "\n"
    return _HEADER.sub(r"# RouterOS \1", text, count=1)


def _export_by_file(session, command, clock=time):
    name = f"isp-export-{secrets.token_hex(4)}"
    session.call("/execute", f"=script={command} file={name}")
    try:
        return _read_file(session, f"{name}.rsc", clock)
    finally:
        if not session.closed:
            _remove_file(session, f"{name}.rsc")


def _read_file(session, name, clock):
    """Wait until the file has stopped growing, and read it in pieces."""
    deadline = clock.monotonic() + _FILE_WAIT_S
    before = None
    while True:
        rows = session.print_rows("/file", ["name", "size"], (f"?name={name}",))
        size = parse_row(rows[0]).get("size", "0") if rows else None
        # The file appears before its contents.
        if size not in (None, "0") and size == before:
            break
        if clock.monotonic() > deadline:
            raise Refused("the router did not finish its export")
        before = size
        clock.sleep(0.2)
    pieces, offset, total = [], 0, int(size) if size.isdigit() else None
    while True:
        try:
            reply = session.call(
                "/file/read", f"=file={name}", f"=chunk-size={_CHUNK}", f"=offset={offset}"
            )
        except NoRights:
            raise
        except CommandError:
            return _small_contents(session, name)
        rows = reply.rows or [reply.done]
        piece = parse_row(rows[0]).get("data", "")
        pieces.append(piece)
        offset += len(piece.encode())
        if not piece or (total is not None and offset >= total):
            return "".join(pieces)


def _small_contents(session, name):
    """Before 7.13 a file is read whole, and only when it is small."""
    rows = session.print_rows("/file", ["contents"], (f"?name={name}",))
    contents = parse_row(rows[0]).get("contents", "") if rows else ""
    if not contents:
        raise Refused("this version of RouterOS shows small files only: its export is too long")
    return contents


def _remove_file(session, name):
    rows = session.print_rows("/file", ["name"], (f"?name={name}",))
    for words in rows:
        # Without the right to files it stays; the next export has another name.
        with suppress(CommandError, NoRights):
            session.call("/file/remove", f"=.id={parse_row(words)['.id']}")


# === FOR PEOPLE === #


def mask(text, sign=lambda _secret: ""):
    """An export without secrets.

    :param sign: function of a secret: a few letters that tell one from another, or nothing
    """

    def hide(found):
        secret = found[2].strip('"')
        return f"{found[1]}=***{sign(secret)}" if secret else found[0]

    return _SECRET.sub(hide, _CONTINUED.sub("", text))


def difference(before, after, sign=lambda _secret: ""):
    """What changed between two exports, as a unified diff without secrets."""
    lines = difflib.unified_diff(
        mask(before, sign).splitlines(),
        mask(after, sign).splitlines(),
        "before",
        "after",
        "",
        "",
        2,
        "",
    )
    return "\n".join(lines)
