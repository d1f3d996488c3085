"""What should be on a router, from the services it carries.

Logins with a speed need a profile: RouterOS keeps rates, pools and lists there. One profile stands
for all services that agree in them, and its name holds a digest of what is in it.
"""

import hashlib
import ipaddress
from dataclasses import dataclass, field

from . import menus

ACTIVE_LIST = "isp-active"
WALLED_LIST = "walled-garden"
WALLED_RATE = "512k/512k"


@dataclass(frozen=True, slots=True)
class Service:
    """One subscription as its entitlement has it; rates in kbit/s, times in seconds.

    ``access`` is ``full``, ``throttled``, ``walled``, ``none`` (on the router, but switched off) or
    ``gone`` (not on the router).
    """

    id: int
    username: str
    password: str = ""
    service_type: str = "pppoe"
    access: str = "full"
    upload_kbps: int = 0
    download_kbps: int = 0
    burst_upload_kbps: int = 0
    burst_download_kbps: int = 0
    burst_threshold_upload_kbps: int = 0
    burst_threshold_download_kbps: int = 0
    burst_time_s: int = 0
    priority: int = 8
    framed_pool: str = ""
    ipv6_pool: str = ""
    ipv4_address: str = ""
    delegated_prefix: str = ""
    address_list: str = ""
    simultaneous_use: int = 1
    session_timeout_s: int = 0
    idle_timeout_s: int = 0
    mac_addresses: str = ""

    @property
    def open(self):
        """Whether the customer reaches the internet."""
        return self.access in ("full", "throttled")


@dataclass(frozen=True)
class Pool:
    """An address pool; ``ranges`` as RouterOS writes them, such as ``10.0.0.2-10.0.0.254``."""

    id: int
    name: str
    ranges: str


@dataclass
class Desired:
    """``{path: {marker: {property: value}}}``, and ``(service id, code)`` of what cannot be.

    Codes: ``no_password``, ``no_address`` (the service is not on the router), ``several_macs`` (its
    login is locked to none), ``prefix_announced`` (its prefix is announced in the session and not
    delegated), ``prefix_v6`` and ``prefix_hotspot`` (its prefix is not on the router).
    """

    rows: dict = field(default_factory=dict)
    skipped: list = field(default_factory=list)
    version: tuple = menus.V7

    @property
    def has_ipv6(self):
        """Whether prefixes can be written: v6 needs a package for it that is off by default."""
        return self.version >= menus.V7

    def add(self, path, marker, values):
        self.rows.setdefault(path, {})[marker] = values


def service_marker(service_id):
    """Marker of the rows that stand for one subscription."""
    return f"isp:subscription:{service_id}"


def service_id_of(marker):
    """Id of the subscription a marker stands for, ``None`` for other rows."""
    _isp, kind, number = marker.split(":", 2)
    if kind in ("subscription", "active", "list", "walled") and number.isdigit():
        return int(number)
    return None


def markers_of(service_id):
    """All markers that rows of one subscription may have."""
    return [f"isp:{kind}:{service_id}" for kind in ("subscription", "active", "list", "walled")]


def build(services, pools=(), logins=True, gateway="", version=menus.V7):
    """What should be on a router.

    :param services: :class:`Service` of each subscription
    :param logins: whether the router checks logins itself; else RADIUS does, and the router holds
        only what RADIUS cannot: pools, queues and address lists of static services
    :param gateway: address the router has in PPPoE sessions
    :param version: of RouterOS
    :return: :class:`Desired`
    """
    desired = Desired({path: {} for path in menus.MENUS}, version=version)
    for pool in pools:
        desired.add(menus.POOL, f"isp:pool:{pool.id}", {"name": pool.name, "ranges": pool.ranges})
    for service in services:
        if service.access == "gone":
            continue
        if service.service_type in ("static", "ipoe"):
            _add_static(desired, service)
        elif not logins:
            continue
        elif not service.password:
            # An empty password would let everybody in.
            desired.skipped.append((service.id, "no_password"))
        elif service.service_type == "hotspot":
            _add_hotspot(desired, service)
        else:
            _add_ppp(desired, service, gateway)
    return desired


# === LOGINS === #


def _add_ppp(desired, service, gateway):
    contents = {
        **_shared_contents(service),
        "local-address": gateway,
        "remote-address": service.framed_pool,
        "only-one": "yes" if service.simultaneous_use == 1 else "no",
        "dhcpv6-pd-pool": (service.open and service.ipv6_pool) or "none",
    }
    digest = _digest(contents)
    name = f"isp-{_speed(service)}-{digest}"
    desired.add(menus.PPP_PROFILE, f"isp:ppp-profile:{digest}", {"name": name, **contents})
    desired.add(
        menus.PPP_SECRET,
        service_marker(service.id),
        {
            "name": service.username,
            "password": service.password,
            "service": "pppoe",
            "profile": name,
            "remote-address": service.ipv4_address,
            "remote-ipv6-prefix": _announced_prefix(desired, service),
            "caller-id": _one_mac(desired, service),
            "disabled": "yes" if service.access == "none" else "no",
        },
    )


def _announced_prefix(desired, service):
    """RouterOS announces the prefix of a login in its session, so that hosts take addresses of it.

    Hosts take them of a /64 only (RFC 4862, 5.5.3). To delegate a fixed prefix by DHCPv6, RouterOS
    needs RADIUS.
    """
    prefix = service.delegated_prefix
    if not prefix:
        return ""
    if not desired.has_ipv6:
        desired.skipped.append((service.id, "prefix_v6"))
    elif ipaddress.IPv6Network(prefix).prefixlen != 64:
        desired.skipped.append((service.id, "prefix_announced"))
    return prefix if service.open else ""


def _add_hotspot(desired, service):
    if service.delegated_prefix:
        desired.skipped.append((service.id, "prefix_hotspot"))
    contents = {
        **_shared_contents(service),
        "address-pool": service.framed_pool or "none",
        "shared-users": str(service.simultaneous_use or "unlimited"),
    }
    marker = f"isp:hotspot-profile:{_digest(contents)}"
    desired.add(menus.HOTSPOT_PROFILE, marker, {"name": marker, **contents})
    desired.add(
        menus.HOTSPOT_USER,
        service_marker(service.id),
        {
            "name": service.username,
            "password": service.password,
            "profile": marker,
            "address": service.ipv4_address,
            "mac-address": _one_mac(desired, service),
            "disabled": "yes" if service.access == "none" else "no",
        },
    )


def _shared_contents(service):
    return {
        "rate-limit": rate_limit(service) if service.access != "walled" else WALLED_RATE,
        "address-list": service.address_list if service.access != "walled" else WALLED_LIST,
        "session-timeout": _time(service.session_timeout_s),
        "idle-timeout": _time(service.idle_timeout_s),
    }


def _one_mac(desired, service):
    """RouterOS locks a login to one device only."""
    addresses = [mac.replace("-", ":") for mac in service.mac_addresses.split("|") if mac]
    if len(addresses) > 1:
        desired.skipped.append((service.id, "several_macs"))
        return ""
    return "".join(addresses)


def _speed(service):
    if service.access == "walled":
        return "walled"
    return f"{service.download_kbps}k-{service.upload_kbps}k"


def _digest(contents):
    text = "\n".join(f"{name}={contents[name]}" for name in sorted(contents))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


# === STATIC ADDRESSES === #


def _add_static(desired, service):
    """A queue for the speed; lists say who may pass, so that a firewall can refuse the rest."""
    prefix = service.delegated_prefix
    if prefix and not desired.has_ipv6:
        desired.skipped.append((service.id, "prefix_v6"))
        prefix = ""
    if not service.ipv4_address and not prefix:
        desired.skipped.append((service.id, "no_address"))
        return
    if service.access == "none":
        return
    _add_queue(desired, service, prefix)
    walled = service.access == "walled"
    lists = {"walled": WALLED_LIST} if walled else {"active": ACTIVE_LIST}
    if service.address_list and not walled:
        lists["list"] = service.address_list
    for path, address in (
        (menus.ADDRESS_LIST, service.ipv4_address),
        (menus.IPV6_ADDRESS_LIST, prefix),
    ):
        for kind, name in lists.items() if address else ():
            desired.add(
                path,
                f"isp:{kind}:{service.id}",
                {"list": name, "address": address, "disabled": "no"},
            )


def _add_queue(desired, service, prefix):
    walled = service.access == "walled"
    burst = not walled and (service.burst_upload_kbps or service.burst_download_kbps)
    address = service.ipv4_address
    desired.add(
        menus.QUEUE,
        service_marker(service.id),
        {
            "name": service.username,
            # One speed for both, as RADIUS gives it.
            "target": ",".join(filter(None, (address and f"{address}/32", prefix))),
            "max-limit": WALLED_RATE
            if walled
            else _kbps(service.upload_kbps, service.download_kbps),
            "burst-limit": _burst(service, "burst") if burst else "0/0",
            "burst-threshold": _burst(service, "burst_threshold") if burst else "0/0",
            "burst-time": _pair(f"{service.burst_time_s or 1}s") if burst else "0s/0s",
            "priority": _pair(service.priority or 8),
            "disabled": "no",
        },
    )


# === RATES === #


def rate_limit(service):
    """RouterOS' ``rx/tx burst threshold time priority``; rx is what the customer uploads.

    The same text as ``radius.rate_limit`` sends, with kbit/s throughout.
    """
    up, down = service.upload_kbps, service.download_kbps
    if not up and not down:
        return ""
    text = _kbps(up, down)
    ranked = 1 <= service.priority <= 7
    if service.burst_upload_kbps or service.burst_download_kbps:
        time = service.burst_time_s or 1
        text += f" {_burst(service, 'burst')} {_burst(service, 'burst_threshold')} {time}/{time}"
    elif ranked:
        text += " 0/0 0/0 0/0"
    return f"{text} {service.priority}" if ranked else text


def _burst(service, what):
    return _kbps(
        getattr(service, f"{what}_upload_kbps") or service.upload_kbps,
        getattr(service, f"{what}_download_kbps") or service.download_kbps,
    )


def _kbps(up, down):
    return "/".join(
        "0" if not rate else f"{rate // 1000}M" if rate % 1000 == 0 else f"{rate}k"
        for rate in (up, down)
    )


def _pair(value):
    return f"{value}/{value}"


def _time(seconds):
    return f"{seconds}s" if seconds else ""
