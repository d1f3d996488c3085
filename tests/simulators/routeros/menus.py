"""The menus of an ISP's router: /ppp, /ip, /queue, /radius and what they need.

Properties, defaults and messages follow MikroTik's documentation and answers of real routers as
quoted in public issue trackers (seen 2026-01).
"""

from .errors import Trap
from .menus_system import SYSTEM
from .schema import Menu, Property, Unique, printed
from .values import (
    address_list_entry,
    address_or_pool,
    boolean,
    duration,
    either,
    ip,
    ipv4,
    ipv4_interface,
    ipv6_prefix,
    mac,
    name_text,
    number,
    one_of,
    pair,
    pool_ranges,
    queue_target,
    rate,
    rate_limit,
    reference,
    size,
    text,
    yes_no,
)

V7 = (7,)


def check_limits(values):
    """A simple queue guarantees no more than it allows."""
    limits = zip(values["limit-at"].split("/"), values["max-limit"].split("/"), strict=True)
    for direction, (least, most) in zip(("upload", "download"), limits, strict=True):
        if 0 < int(most) < int(least):
            raise Trap(f"failure: {direction}-max-limit less than {direction}-limit")


def pool_total(_router, row):
    return str(sum(size(one) for one in row["ranges"].split(",")))


def pool_used(router, row):
    return str(sum(used["pool"] == row["name"] for used in router.tree["/ip/pool/used"]))


def pool_available(router, row):
    return str(int(pool_total(router, row)) - int(pool_used(router, row)))


SERVICES = ("any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp")
ROWS = frozenset(("add", "set", "remove"))
NAMED = frozenset(("add", "set", "remove", "enable", "disable"))
ORDERED = NAMED | {"move"}
NAME = Property(name_text, required=True)
COMMENT = Property(text)
DISABLED = Property(boolean, "false")
DYNAMIC = printed("false")
COUNT = number()
SAME_NAME = "failure: already have such name"

PPP = {
    "/ppp/secret": Menu(
        {
            "name": NAME,
            "service": Property(one_of(*SERVICES), "any"),
            "caller-id": Property(text, ""),
            "password": Property(text, "", sensitive=True),
            "profile": Property(reference("/ppp/profile"), "default"),
            "local-address": Property(address_or_pool()),
            "remote-address": Property(address_or_pool()),
            "remote-ipv6-prefix": Property(ipv6_prefix),
            "routes": Property(text, ""),
            "ipv6-routes": Property(text, "", since=V7),
            "limit-bytes-in": Property(COUNT, "0"),
            "limit-bytes-out": Property(COUNT, "0"),
            "last-logged-out": printed("never"),
            "last-caller-id": printed("", since=(6, 45)),
            "last-disconnect-reason": printed("", since=(6, 45)),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("name",), "failure: secret with the same name already exists"),),
        commands=NAMED,
    ),
    "/ppp/profile": Menu(
        {
            "name": NAME,
            "local-address": Property(address_or_pool("address")),
            "remote-address": Property(address_or_pool("address")),
            "bridge": Property(reference("/interface")),
            "rate-limit": Property(rate_limit),
            "address-list": Property(text, ""),
            "incoming-filter": Property(text),
            "outgoing-filter": Property(text),
            "dns-server": Property(text),
            "wins-server": Property(text),
            "session-timeout": Property(duration),
            "idle-timeout": Property(duration),
            "only-one": Property(yes_no("default"), "default"),
            "parent-queue": Property(reference("/queue/simple", "none")),
            "queue-type": Property(reference("/queue/type")),
            "insert-queue-before": Property(reference("/queue/simple", "first", "bottom")),
            "remote-ipv6-prefix-pool": Property(reference("/ipv6/pool", "none")),
            "dhcpv6-pd-pool": Property(reference("/ipv6/pool", "none")),
            "use-mpls": Property(yes_no("default", "required"), "default"),
            "use-compression": Property(yes_no("default"), "default"),
            "use-encryption": Property(yes_no("default", "required"), "default"),
            "use-ipv6": Property(yes_no("default", "required"), "yes", since=(6,)),
            "use-upnp": Property(yes_no("default"), "default"),
            "change-tcp-mss": Property(yes_no("default"), "default"),
            "on-up": Property(text, ""),
            "on-down": Property(text, ""),
            "default": printed("false"),
            "comment": COMMENT,
        },
        unique=(Unique(("name",), "failure: profile with the same name already exists"),),
        commands=ROWS,
        first=(
            {"name": "default", "change-tcp-mss": "yes", "default": "true"},
            {"name": "default-encryption", "use-encryption": "yes", "default": "true"},
        ),
    ),
    "/ppp/active": Menu(
        {
            "name": printed(),
            "service": printed("pppoe"),
            "caller-id": printed(""),
            "address": printed(),
            "uptime": printed(),
            "encoding": printed(""),
            "session-id": printed(),
            "limit-bytes-in": printed("0"),
            "limit-bytes-out": printed("0"),
            "radius": printed("false"),
        },
        commands=frozenset(("remove",)),
        computed={"uptime": lambda router, row: router.clock.age(row)},
    ),
    "/ppp/aaa": Menu(
        {
            "use-radius": Property(yes_no(), "no"),
            "accounting": Property(yes_no(), "yes"),
            "interim-update": Property(duration, "0s"),
            "use-circuit-id-in-nas-port-id": Property(yes_no(), "no"),
            "enable-ipv6-accounting": Property(yes_no(), "no", since=V7),
        },
        single=True,
    ),
    "/interface/pppoe-server/server": Menu(
        {
            "service-name": Property(text, ""),
            "interface": Property(reference("/interface"), required=True),
            "max-mtu": Property(either(number(512, 65535), "auto"), "auto"),
            "max-mru": Property(either(number(512, 65535), "auto"), "auto"),
            "mrru": Property(one_of("disabled"), "disabled"),
            "authentication": Property(text, "pap,chap,mschap1,mschap2"),
            "keepalive-timeout": Property(either(number(1, 65535), "disabled"), "10"),
            "one-session-per-host": Property(boolean, "false"),
            "max-sessions": Property(either(number(1, 65535), "unlimited"), "unlimited"),
            "pado-delay": Property(COUNT, "0"),
            "default-profile": Property(reference("/ppp/profile"), "default"),
            "pppoe-over-vlan-range": Property(text, since=V7),
            "invalid": printed("false"),
            "disabled": Property(boolean, "true"),
            "comment": COMMENT,
        },
        commands=NAMED,
    ),
    "/radius": Menu(
        {
            "service": Property(text, ""),
            "called-id": Property(text, ""),
            "domain": Property(text, ""),
            "address": Property(ip, required=True),
            "secret": Property(text, "", sensitive=True),
            "authentication-port": Property(number(0, 65535), "1812"),
            "accounting-port": Property(number(0, 65535), "1813"),
            "timeout": Property(duration, "300ms"),
            "accounting-backup": Property(boolean, "false"),
            "realm": Property(text, ""),
            "protocol": Property(one_of("udp", "radsec"), "udp"),
            "certificate": Property(text, "none"),
            "require-message-auth": Property(
                one_of("yes-for-request-resp", "no"), "yes-for-request-resp", since=(7, 15)
            ),
            "src-address": Property(ip),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        commands=ORDERED,
    ),
    "/radius/incoming": Menu(
        {
            "accept": Property(boolean, "false"),
            "port": Property(number(1, 65535), "3799"),
            "vrf": Property(text, "main", since=V7),
        },
        single=True,
    ),
}

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
            "limit-bytes-in": Property(COUNT),
            "limit-bytes-out": Property(COUNT),
            "limit-bytes-total": Property(COUNT),
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

QUEUE = {
    "/queue/simple": Menu(
        {
            "name": NAME,
            "target": Property(queue_target, ""),
            "dst": Property(text),
            "parent": Property(reference("/queue/simple", "none"), "none"),
            "packet-marks": Property(text, ""),
            "priority": Property(pair(number(1, 8)), "8/8"),
            "queue": Property(pair(reference("/queue/type")), "default-small/default-small"),
            "limit-at": Property(pair(rate), "0/0"),
            "max-limit": Property(pair(rate), "0/0"),
            "burst-limit": Property(pair(rate), "0/0"),
            "burst-threshold": Property(pair(rate), "0/0"),
            "burst-time": Property(pair(duration), "0s/0s"),
            "bucket-size": Property(text, "0.1/0.1"),
            "rate": printed("0/0"),
            "bytes": printed("0/0"),
            "packets": printed("0/0"),
            "dropped": printed("0/0"),
            "invalid": printed("false"),
            "dynamic": DYNAMIC,
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("name",), SAME_NAME),),
        commands=ORDERED | {"reset-counters"},
        check=check_limits,
    ),
    "/queue/tree": Menu(
        {
            "name": NAME,
            "parent": Property(text, required=True),
            "packet-mark": Property(text, ""),
            "limit-at": Property(rate, "0"),
            "queue": Property(reference("/queue/type"), "default-small"),
            "priority": Property(number(1, 8), "8"),
            "max-limit": Property(rate, "0"),
            "burst-limit": Property(rate, "0"),
            "burst-threshold": Property(rate, "0"),
            "burst-time": Property(duration, "0s"),
            "rate": printed("0"),
            "bytes": printed("0"),
            "invalid": printed("false"),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("name",), SAME_NAME),),
        commands=NAMED | {"reset-counters"},
    ),
    "/queue/type": Menu(
        {
            "name": NAME,
            "kind": Property(
                one_of(
                    "pfifo", "bfifo", "red", "sfq", "pcq", "mq-pfifo", "none", "fq-codel", "cake"
                ),
                required=True,
            ),
            "pcq-rate": Property(rate),
            "pcq-limit": Property(text),
            "pcq-classifier": Property(text),
            "default": printed("false"),
        },
        unique=(Unique(("name",), SAME_NAME),),
        commands=ROWS,
        first=(
            {"name": "default", "kind": "pfifo", "default": "true"},
            {"name": "ethernet-default", "kind": "pfifo", "default": "true"},
            {"name": "default-small", "kind": "pfifo", "default": "true"},
        ),
    ),
}

MENUS = {**PPP, **IP, **QUEUE, **SYSTEM}
