"""Ends sessions that are online, for routers that take no Disconnect by RADIUS."""

from dataclasses import dataclass

from .connection import parse_row
from .errors import CommandError, Gone, NoRights
from .reconcile import FEW, any_of

ENDED = "ended"
GONE = "gone"

# Menu, its property with the username, and whether it shows the number accounting uses.
_MENUS = (("/ppp/active", "name", True), ("/ip/hotspot/active", "user", False))


@dataclass(frozen=True)
class Online:
    """A session as accounting knows it.

    :param key: whatever the caller knows it by
    :param number: Acct-Session-Id; RouterOS shows ``81000001`` as ``0x81000001``
    """

    key: object
    username: str
    number: str = ""
    address: str = ""

    def is_row(self, username, number, address):
        """Whether a row of the router is this session, and not a later one of the same customer."""
        if number and self.number:
            return number.lower().removeprefix("0x") == self.number.lower().removeprefix("0x")
        if address and self.address:
            return address == self.address
        # Accounting keeps names in lower case.
        return username.lower() == self.username.lower()


def end_online(session, sessions):
    """End these sessions on the router.

    :param sessions: list of :class:`Online`
    :return: ``{key: ENDED, GONE when the router has no such session, or what the router said}``
    :raises RouterError: when nothing can be done at all
    """
    results = {one.key: GONE for one in sessions}
    commands = []
    for menu, name, numbered in _MENUS:
        terms = [f"?{name}={one.username}" for one in sessions]
        terms += [f"?address={one.address}" for one in sessions if one.address]
        shown = [name, "address", *(["session-id"] if numbered else [])]
        try:
            rows = session.print_rows(menu, shown, any_of(terms) if len(terms) <= FEW else ())
        except CommandError:
            continue  # no hotspot on this router
        for words in rows:
            row = parse_row(words)
            seen = row.get(name, ""), row.get("session-id", ""), row.get("address", "")
            if found := next((one for one in sessions if one.is_row(*seen)), None):
                commands.append((found.key, (f"{menu}/remove", f"=.id={row['.id']}")))
    for position, reply in session.stream(words for _key, words in commands):
        key = commands[position][0]
        if reply.error is None or isinstance(reply.error, Gone):
            results[key] = ENDED
        elif isinstance(reply.error, CommandError | NoRights):
            results[key] = str(reply.error)
        else:
            raise reply.error
    return results
