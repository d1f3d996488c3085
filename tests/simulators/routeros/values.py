"""What a property may hold: each check returns the value as the router prints it, or traps.

A check is a function (property name, text, tables) -> text. RouterOS stores values in its own
form: ``yes`` comes back as ``true``, ``3600`` as ``1h``, ``10M/20M`` as ``10000000/20000000``, so a
client that compares what it wrote with what it reads sees a difference that is none.
"""

import ipaddress
import re

from .errors import Trap

BOOLEANS = {"yes": "true", "true": "true", "no": "false", "false": "false"}
UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
SCALES = {"": 1, "k": 1000, "K": 1000, "M": 1000**2, "G": 1000**3}


def invalid(name):
    return Trap(f"invalid value for argument {name}", category=1)


def no_match(name):
    return Trap(f"input does not match any value of {name}", category=1)


def text(_name, value, _tables):
    return value


def name_text(name, value, _tables):
    if not value:
        raise invalid(name)
    return value


def boolean(name, value, _tables):
    if value not in BOOLEANS:
        raise no_match(name)
    return BOOLEANS[value]


def one_of(*values):
    def check(name, value, _tables):
        if value not in values:
            raise no_match(name)
        return value

    return check


def yes_no(*more):
    """A setting with more than two answers is printed as it was written: yes, not true."""
    return one_of("yes", "no", *more)


def some_of(*values):
    """Comma list; a ``!`` before a value takes it away."""

    def check(name, value, _tables):
        for one in filter(None, value.split(",")):
            if one.removeprefix("!") not in values:
                raise no_match(name)
        return value

    return check


def number(low=0, high=2**64 - 1):
    def check(name, value, _tables):
        if not value.isascii() or not value.isdigit():
            raise invalid(name)
        if not low <= int(value) <= high:
            raise Trap(f"value of {name} out of range ({low}..{high})", category=1)
        return str(int(value))

    return check


def parse_duration(value):
    """Seconds of ``90``, ``1h30m``, ``00:01:30`` or ``1d02:03:04``; None if it is none of them."""
    if value.isascii() and value.isdigit():
        return int(value)
    found = re.fullmatch(r"((?:\d+[wdhms])*)(?:(\d+):(\d\d)(?::(\d\d))?)?", value, re.ASCII)
    if not value or not found:
        return None
    seconds = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([wdhms])", found[1]))
    if found[2] is not None:
        seconds += int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4] or 0)
    return seconds


def format_duration(seconds):
    """``1w2d3h4m5s``, without the parts that are zero."""
    parts = []
    for unit, size in UNITS.items():
        count, seconds = divmod(int(seconds), size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def duration(name, value, _tables):
    if re.fullmatch(r"[1-9]\d{0,2}ms", value, re.ASCII):
        return value
    seconds = parse_duration(value)
    if seconds is None:
        raise invalid(name)
    return format_duration(seconds)


def either(check, *words):
    """What ``check`` takes, or one of the words (``none``, ``auto``, ``unlimited``)."""
    return lambda name, value, tables: value if value in words else check(name, value, tables)


def ipv4(name, value, _tables):
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise invalid(name) from None


def ip(name, value, _tables):
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise invalid(name) from None


def ipv4_interface(name, value, _tables):
    """Address with the length of its network, as on an interface."""
    try:
        return str(ipaddress.IPv4Interface(value))
    except ValueError:
        raise invalid(name) from None


def ipv6_prefix(name, value, _tables):
    try:
        if "/" not in value:
            raise ValueError(value)
        return str(ipaddress.IPv6Network(value))
    except ValueError:
        raise invalid(name) from None


def address_list_entry(name, value, _tables):
    """Address, prefix (of one address: without /32) or range; anything else is a DNS name."""
    low, dash, high = value.partition("-")
    try:
        if dash:
            if ipaddress.IPv4Address(low) > ipaddress.IPv4Address(high):
                raise invalid(name)
            return value
        return str(ipaddress.IPv4Network(value, strict=False)).removesuffix("/32")
    except ValueError:
        if re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", value):
            return value
        raise invalid(name) from None


def ipv6_list_entry(name, value, _tables):
    """Address or prefix, both printed with their length; anything else is a DNS name."""
    try:
        return str(ipaddress.IPv6Network(value, strict=False))
    except ValueError:
        if re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", value):
            return value
        raise invalid(name) from None


def pool_ranges(_name, value, _tables):
    """Comma list of addresses, prefixes and ``low-high``."""
    ranges = []
    for one in value.split(","):
        low, dash, high = one.strip().partition("-")
        try:
            if "/" in low:
                ranges.append(str(ipaddress.IPv4Network(low)))
                continue
            first = ipaddress.IPv4Address(low)
        except ValueError:
            raise Trap("value of range must have ip address before '-'", category=1) from None
        try:
            if dash and ipaddress.IPv4Address(high) < first:
                raise Trap("value of range expects range of ip addresses", category=1)
        except ValueError:
            raise Trap("value of range must have ip address after '-'", category=1) from None
        ranges.append(f"{first}{dash}{high}")
    return ",".join(ranges)


def size(one_range):
    """Addresses in one range of a pool."""
    if "/" in one_range:
        return ipaddress.IPv4Network(one_range).num_addresses
    low, dash, high = one_range.partition("-")
    return int(ipaddress.IPv4Address(high if dash else low)) - int(ipaddress.IPv4Address(low)) + 1


def mac(name, value, _tables):
    if not re.fullmatch(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", value):
        raise invalid(name)
    return value.upper()


def rate(name, value, _tables):
    """Bits a second, printed without k, M, G."""
    found = re.fullmatch(r"(\d+)([kKMG]?)", value, re.ASCII)
    if not found:
        raise invalid(name)
    return str(int(found[1]) * SCALES[found[2]])


def pair(check):
    """``upload/download``; one value stands for both."""

    def check_pair(name, value, tables):
        one, slash, other = value.partition("/")
        one = check(name, one, tables)
        return f"{one}/{check(name, other, tables) if slash else one}"

    return check_pair


def rate_limit(name, value, _tables):
    """``rx[/tx] [rx-burst[/tx-burst] [threshold [time [priority [rx-min[/tx-min]]]]]]``, as is."""
    shapes = [r"\d+[kMG]?(/\d+[kMG]?)?"] * 3 + [
        r"\d+s?(/\d+s?)?",
        r"[1-8]",
        r"\d+[kMG]?(/\d+[kMG]?)?",
    ]
    parts = value.split()
    if len(parts) > len(shapes) or not all(map(re.fullmatch, shapes, parts)):
        raise invalid(name)
    return value


def queue_target(name, value, tables):
    """Comma list of prefixes and interfaces; one address is printed with /32."""
    targets = []
    for one in value.split(","):
        try:
            targets.append(str(ipaddress.ip_network(one, strict=False)))
        except ValueError:
            targets.append(reference("/interface")(name, one, tables))
    return ",".join(targets)


def reference(menu, *words):
    """Name or id of a row in another menu (printed as the name), or one of the words."""

    def check(name, value, tables):
        if value in words:
            return value
        row = tables[menu].find(value)
        if row is None:
            raise no_match(name)
        return row["name"]

    check.menu = menu
    return check


def address_or_pool(argument=None):
    """Address, or name of a pool; ``argument`` is what the router calls it in its complaint."""

    def check(name, value, tables):
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            pool = tables["/ip/pool"].find(value)
            if pool is None:
                raise invalid(argument or name) from None
            return pool["name"]

    check.menu = "/ip/pool"
    return check


def references(menu):
    """Comma list of names of rows in another menu."""
    one = reference(menu)

    def check(name, value, tables):
        return ",".join(one(name, part, tables) for part in filter(None, value.split(",")))

    return check
