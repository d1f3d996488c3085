"""What can be ours on a router: menus, their properties, and how RouterOS writes values.

Rows of ours carry a marker ``isp:<kind>:<id>`` at the beginning of their comment; text behind it is
the operator's own. Menus without comments carry the marker as the row's name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

_MARKER = re.compile(r"(isp:[a-z-]+:[A-Za-z0-9._-]+)(?: +(.*))?", re.DOTALL)
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_CLOCK = re.compile(r"(?:(\d+)d)?(\d+):(\d\d):(\d\d)")
_SCALES = {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def split_marker(text):
    """``(marker or None, the operator's text)`` of a comment."""
    found = _MARKER.fullmatch(text)
    return (found[1], found[2] or "") if found else (None, text)


# === VALUES: the same thing in one spelling === #


def _flag(text):
    return "yes" if text in ("yes", "true") else "no"


def normal_duration(text):
    """Seconds, from ``1d2h``, ``00:30:00`` or a number; nothing, none and zero are the same."""
    if found := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    elif text and (found := _DURATION.fullmatch(text)):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        total = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    else:
        return "" if text in ("", "none") else text
    return str(total) if total else ""


def _rate(text):
    found = re.fullmatch(r"(\d+)([kKMG]?)", text)
    return str(int(found[1]) * _SCALES[found[2]]) if found else text


def _pair(normal, nothing):
    """``upload/download``, one value for both; the value for "nothing" is empty."""

    def normal_pair(text):
        one, slash, other = text.partition("/")
        first = normal(one)
        both = f"{first}/{normal(other) if slash else first}"
        return "" if both in ("/", f"{nothing}/{nothing}") else both

    return normal_pair


_RATES = _pair(_rate, "0")
_SECONDS = _pair(lambda text: normal_duration(text) or "0", "0")


def _rate_limit(text):
    """``rx/tx burst threshold time priority``, all rates in bit/s."""
    parts = text.split()
    shapes = (_RATES, _RATES, _RATES, _SECONDS, str)
    return " ".join(
        (shape(part) or "0") for shape, part in zip(shapes, parts, strict=False)
    ) + "".join(f" {part}" for part in parts[len(shapes) :])


def _address(text):
    return text.removesuffix("/32").removesuffix("/128")


def _addresses(text):
    return ",".join(_address(one) for one in text.split(","))


@dataclass(frozen=True)
class Property:
    """A property that is ours.

    ``normal`` brings a value into one spelling, so that "10M/10M" and "10000000/10000000" are
    equal. ``default`` is what a row has that does not show it. ``optional`` values are taken away
    with ``!name``: a typed property refuses an empty text.
    """

    name: str
    normal: Callable = str
    default: str = ""
    optional: bool = False
    secret: bool = False
    since: tuple = (0,)

    @property
    def respelt(self):
        """Whether the router shows values otherwise than they are set."""
        return self.normal in (_flag, _RATES)

    def printed(self, text):
        """``text`` as the router shows it, as far as that is known."""
        text = text or self.default
        if self.normal is _flag:
            return "true" if text == "yes" else "false"
        if self.normal is _RATES:
            return _RATES(text) or self.default
        return text


@dataclass(frozen=True)
class Menu:
    """A menu and what identifies its rows.

    ``key`` are the properties no two rows may share. ``order`` says what is made first: rows refer
    to rows of lower orders, and are removed before them. ``renamed``: a row can take another key;
    otherwise it is removed and added. ``since``: first version in which rows can be marked.
    ``own_query`` leaves out what the router makes itself, such as the queue of each PPPoE session.
    """

    path: str
    properties: tuple
    key: tuple = ("name",)
    order: int = 2
    marker: str = "comment"
    renamed: bool = True
    since: tuple = (0,)
    own_query: tuple = ()
    by_name: dict = field(init=False, repr=False, compare=False)
    printing: tuple = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "by_name", {one.name: one for one in self.properties})
        printing = tuple(
            (one.name, f"={one.name}=".encode(), one.default, one.printed if one.respelt else None)
            for one in self.properties
            if one.name != self.marker
        )
        object.__setattr__(self, "printing", printing)

    def of_version(self, version):
        """The menu as a RouterOS version has it; ``None`` where rows cannot be ours."""
        if version < self.since:
            return None
        kept = tuple(one for one in self.properties if one.since <= version)
        if len(kept) == len(self.properties):
            return self
        return replace(self, properties=kept)

    def key_of(self, values):
        """What no other row may share, in one spelling."""
        return tuple(
            self.by_name[name].normal(values.get(name) or self.by_name[name].default)
            for name in self.key
        )

    def proplist(self):
        """Properties to read."""
        names = [one.name for one in self.properties]
        return names if self.marker in names else [*names, self.marker]


_DISABLED = Property("disabled", _flag, "no")
_NAME = Property("name")
_PASSWORD = Property("password", secret=True)
_RATE_LIMIT = Property("rate-limit", _rate_limit, optional=True)
_ADDRESS_LIST = Property("address-list")
_TIMEOUTS = (
    Property("session-timeout", normal_duration, optional=True),
    Property("idle-timeout", normal_duration, optional=True),
)
V7 = (7,)

POOL = "/ip/pool"
PPP_PROFILE = "/ppp/profile"
PPP_SECRET = "/ppp/secret"
HOTSPOT_PROFILE = "/ip/hotspot/user/profile"
HOTSPOT_USER = "/ip/hotspot/user"
QUEUE = "/queue/simple"
ADDRESS_LIST = "/ip/firewall/address-list"
IPV6_ADDRESS_LIST = "/ipv6/firewall/address-list"

MENUS = {
    menu.path: menu
    for menu in (
        # v6 keeps no comments on pools, so none could be told apart as ours.
        Menu(
            POOL,
            (_NAME, Property("ranges"), Property("next-pool", default="none")),
            order=0,
            since=V7,
        ),
        Menu(
            PPP_PROFILE,
            (
                _NAME,
                Property("local-address", _address, optional=True),
                Property("remote-address", _address, optional=True),
                _RATE_LIMIT,
                _ADDRESS_LIST,
                Property("only-one", default="default"),
                *_TIMEOUTS,
                # v6 has it with the ipv6 package only, which is off by default.
                Property("dhcpv6-pd-pool", default="none", since=V7),
            ),
            order=1,
        ),
        Menu(
            PPP_SECRET,
            (
                _NAME,
                _PASSWORD,
                Property("service", default="any"),
                Property("profile", default="default"),
                Property("remote-address", _address, optional=True),
                Property("remote-ipv6-prefix", optional=True, since=V7),
                Property("caller-id", str.upper),
                _DISABLED,
            ),
        ),
        Menu(
            HOTSPOT_PROFILE,
            (
                _NAME,
                _RATE_LIMIT,
                _ADDRESS_LIST,
                Property("address-pool", default="none"),
                Property("shared-users", default="1"),
                *_TIMEOUTS,
            ),
            order=1,
            marker="name",
        ),
        Menu(
            HOTSPOT_USER,
            (
                _NAME,
                _PASSWORD,
                Property("profile", default="default"),
                Property("address", _address, optional=True),
                Property("mac-address", str.upper, optional=True),
                _DISABLED,
            ),
        ),
        Menu(
            QUEUE,
            (
                _NAME,
                Property("target", _addresses),
                Property("max-limit", _RATES, "0/0"),
                Property("burst-limit", _RATES, "0/0"),
                Property("burst-threshold", _RATES, "0/0"),
                Property("burst-time", _SECONDS, "0s/0s"),
                Property("priority", _pair(str, ""), "8/8"),
                _DISABLED,
            ),
            own_query=("?dynamic=false",),
        ),
        Menu(
            ADDRESS_LIST,
            (Property("list"), Property("address", _address), _DISABLED),
            key=("list", "address"),
            renamed=False,
            own_query=("?dynamic=false",),
        ),
        # v6 has it with the ipv6 package only.
        Menu(
            IPV6_ADDRESS_LIST,
            (Property("list"), Property("address", _address), _DISABLED),
            key=("list", "address"),
            renamed=False,
            own_query=("?dynamic=false",),
            since=V7,
        ),
    )
}


def menus_of(version):
    """``{path: Menu}`` of what can be ours on a RouterOS version."""
    found = {path: menu.of_version(version) for path, menu in MENUS.items()}
    return {path: menu for path, menu in found.items() if menu}
