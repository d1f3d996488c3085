"""The menus under /ip and /ipv6: addresses, pools, leases, address lists, hotspot.

v6 has IPv6 with a package only, which is off by default: here it is off.
"""

from .schema import (
    COMMENT,
    DISABLED,
    DYNAMIC,
    NAME,
    NAMED,
    ROWS,
    V7,
    Menu,
    Property,
    Unique,
    printed,
)
from .values import (
    address_list_entry,
    address_or_pool,
    boolean,
    duration,
    either,
    ipv4,
    ipv4_interface,
    ipv6_list_entry,
    ipv6_prefix,
    mac,
    name_text,
    number,
    pool_ranges,
    rate_limit,
    reference,
    size,
    text,
)


def pool_total(_router, row):
    return str(sum(size(one) for one in row["ranges"].split(",")))


def pool_used(router, row):
    return str(sum(used["pool"] == row["name"] for used in router.tree["/ip/pool/used"]))


def pool_available(router, row):
    return str(int(pool_total(router, row)) - int(pool_used(router, row)))


IP = {
    "/ip/address": Menu(
        {
            "address": Property(ipv4_interface, required=True),
            "network": Property(ipv4),
            "interface": Property(reference("/interface"), required=True),
            "actual-interface": printed(),
            "invalid": printed("false"),
            "dynamic": DYNAMIC,
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("address", "interface"), "failure: already have such address"),),
        commands=NAMED,
    ),
    "/ip/pool": Menu(
        {
            "name": NAME,
            "ranges": Property(pool_ranges, required=True),
            "next-pool": Property(reference("/ip/pool", "none")),
            "total": printed(since=(7, 21)),
            "used": printed(since=(7, 21)),
            "available": printed(since=(7, 21)),
            "comment": COMMENT,
        },
        computed={"total": pool_total, "used": pool_used, "available": pool_available},
        unique=(Unique(("name",), "failure: pool with such name exists"),),
        commands=ROWS,
    ),
    "/ip/pool/used": Menu(
        {"pool": printed(), "address": printed(), "owner": printed(), "info": printed()},
        commands=frozenset(),
    ),
    "/ipv6/pool": Menu(
        {
            "name": NAME,
            "prefix": Property(ipv6_prefix, required=True),
            "prefix-length": Property(number(1, 128), required=True),
            "dynamic": DYNAMIC,
        },
        unique=(Unique(("name",), "failure: pool with such name exists"),),
        commands=ROWS,
        since=V7,
    ),
    "/ipv6/firewall/address-list": Menu(
        {
            "list": Property(name_text, required=True),
            "address": Property(ipv6_list_entry, required=True),
            "creation-time": printed(),
            "timeout": Property(either(duration, "none-dynamic", "none-static")),
            "dynamic": DYNAMIC,
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("list", "address"), "failure: already have such entry", True),),
        commands=NAMED,
        since=V7,
    ),
    "/ip/arp": Menu(
        {
            "address": Property(ipv4, required=True),
            "mac-address": Property(mac),
            "interface": Property(reference("/interface"), required=True),
            "published": Property(boolean, "false"),
            "invalid": printed("false"),
            "DHCP": printed("false"),
            "dynamic": DYNAMIC,
            "complete": printed("true"),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        commands=NAMED,
    ),
    "/ip/dhcp-server/lease": Menu(
        {
            "address": Property(address_or_pool(), required=True),
            "mac-address": Property(mac),
            "client-id": Property(text),
            "address-lists": Property(text, ""),
            "server": Property(text),
            "dhcp-option": Property(text, ""),
            "rate-limit": Property(rate_limit),
            "lease-time": Property(duration),
            "status": printed("waiting"),
            "last-seen": printed("never"),
            "host-name": printed(),
            "radius": printed("false"),
            "dynamic": DYNAMIC,
            "blocked": printed("false"),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(
            Unique(("address",), "failure: already have static lease with this IP address"),
            Unique(
                ("mac-address", "server"),
                "failure: already have static lease for this client",
                True,
            ),
        ),
        commands=NAMED | {"make-static"},
    ),
    "/ip/firewall/address-list": Menu(
        {
            "list": Property(name_text, required=True),
            "address": Property(address_list_entry, required=True),
            "creation-time": printed(),
            "timeout": Property(either(duration, "none-dynamic", "none-static")),
            "dynamic": DYNAMIC,
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("list", "address"), "failure: already have such entry", True),),
        commands=NAMED,
    ),
    "/ip/hotspot/user": Menu(
        {
            "name": NAME,
            "server": Property(text),
            "password": Property(text, sensitive=True),
            "address": Property(ipv4),
            "mac-address": Property(mac),
            "profile": Property(reference("/ip/hotspot/user/profile"), "default"),
            "routes": Property(text),
            "email": Property(text),
            "limit-uptime": Property(duration),
            "limit-bytes-in": Property(number()),
            "limit-bytes-out": Property(number()),
            "limit-bytes-total": Property(number()),
            "uptime": printed("0s"),
            "bytes-in": printed("0"),
            "bytes-out": printed("0"),
            "packets-in": printed("0"),
            "packets-out": printed("0"),
            "dynamic": DYNAMIC,
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(
            Unique(("name", "server"), "failure: already have user with this name for this server"),
        ),
        commands=NAMED | {"reset-counters"},
    ),
    "/ip/hotspot/user/profile": Menu(
        {
            "name": NAME,
            "address-pool": Property(reference("/ip/pool", "none")),
            "idle-timeout": Property(either(duration, "none"), "none"),
            "keepalive-timeout": Property(either(duration, "none"), "2m"),
            "status-autorefresh": Property(either(duration, "none"), "1m"),
            "session-timeout": Property(duration),
            "shared-users": Property(either(number(1), "unlimited"), "1"),
            "rate-limit": Property(rate_limit),
            "add-mac-cookie": Property(boolean, "true"),
            "mac-cookie-timeout": Property(duration, "3d"),
            "address-list": Property(text, ""),
            "parent-queue": Property(reference("/queue/simple", "none")),
            "transparent-proxy": Property(boolean, "false"),
            "on-login": Property(text),
            "on-logout": Property(text),
            "default": printed("false"),
        },
        unique=(Unique(("name",), "failure: profile with the same name already exists"),),
        commands=ROWS,
        first=({"name": "default", "default": "true"},),
    ),
    "/ip/hotspot/active": Menu(
        {
            "server": printed("hotspot1"),
            "user": printed(),
            "address": printed(),
            "mac-address": printed(),
            "login-by": printed("http-chap"),
            "uptime": printed(),
            "idle-time": printed("0s"),
            "bytes-in": printed("0"),
            "bytes-out": printed("0"),
            "radius": printed("false"),
        },
        commands=frozenset(("remove",)),
        computed={"uptime": lambda router, row: router.clock.age(row)},
    ),
    "/ip/hotspot/host": Menu(
        {
            "mac-address": printed(),
            "address": printed(),
            "to-address": printed(),
            "server": printed("hotspot1"),
            "authorized": printed("false"),
            "bypassed": printed("false"),
        },
        commands=frozenset(("remove",)),
    ),
}
