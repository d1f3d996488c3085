"""The logins a router has already, for a provider that moves in, and what its user may do."""

from dataclasses import dataclass

from .connection import parse_row
from .errors import CommandError, NoRights
from .menus import HOTSPOT_USER, PPP_SECRET, split_marker

NEEDED_POLICIES = ("api", "read", "write", "sensitive", "test")
_READ = {
    PPP_SECRET: ("name", "password", "profile", "remote-address", "caller-id"),
    HOTSPOT_USER: ("name", "password", "profile", "address", "mac-address"),
}


@dataclass(frozen=True)
class Login:
    """One login of a router; ``address`` and ``mac`` are empty where none is fixed."""

    path: str
    row_id: str
    name: str
    password: str
    profile: str
    address: str
    mac: str
    comment: str
    disabled: bool


def read_logins(session):
    """The logins that are not ours yet.

    :raises NoRights: when the router does not show the passwords
    """
    logins = []
    for path, names in _READ.items():
        try:
            rows = session.print_rows(path, [*names, "comment", "disabled"])
        except CommandError:
            continue  # no hotspot on this router
        for words in rows:
            row = parse_row(words)
            if split_marker(row.get("comment", ""))[0] is None and row.get("name"):
                if "password" not in row and path == PPP_SECRET:
                    raise NoRights("not enough permissions: sensitive")
                logins.append(_login(path, names, row))
    return logins


def _login(path, names, row):
    name, password, profile, address, mac = (row.get(one, "") for one in names)
    return Login(
        path=path,
        row_id=row[".id"],
        name=name,
        password=password,
        profile=profile,
        address=address,
        mac=mac,
        comment=row.get("comment", ""),
        disabled=row.get("disabled") in ("true", "yes"),
    )


def missing_policies(session, user):
    """Rights that the router's user lacks, as far as the router tells; empty when it does not."""
    try:
        users = session.print_rows("/user", ["name", "group"], (f"?name={user}",))
        groups = session.print_rows("/user/group", ["name", "policy"])
    except (CommandError, NoRights):
        return []
    group = parse_row(users[0]).get("group") if users else None
    for words in groups:
        row = parse_row(words)
        if row.get("name") == group:
            granted = row.get("policy", "").split(",")
            return [one for one in NEEDED_POLICIES if one not in granted]
    return []
