"""The menus about the router itself: /system, /user, /file, /interface, /log."""

from .schema import COMMENT, DISABLED, NAMED, ROWS, Menu, Property, Unique, printed
from .values import boolean, duration, ip, name_text, number, one_of, reference, some_of, text

POLICIES = (
    *("local", "telnet", "ssh", "ftp", "reboot", "read", "write", "policy", "test", "winbox"),
    *("password", "web", "sniff", "sensitive", "api", "romon", "rest-api"),
)
FIXED = frozenset(("set", "enable", "disable"))  # rows that are there and cannot be removed


def group_policy(*granted):
    """Policies as /user/group prints them: what is not granted with ``!`` before it."""
    return ",".join(one if one in granted else f"!{one}" for one in POLICIES)


READ = ("local", "telnet", "ssh", "reboot", "read", "test", "winbox", "password", "web")
READ = (*READ, "sniff", "sensitive", "api", "romon", "rest-api")

SYSTEM = {
    "/system/identity": Menu({"name": Property(text, "MikroTik")}, single=True),
    "/system/resource": Menu(
        {
            "uptime": printed(),
            "version": printed(),
            "build-time": printed(),
            "factory-software": printed("6.44.6"),
            "free-memory": printed("805306368"),
            "total-memory": printed("1073741824"),
            "cpu": printed("ARM64"),
            "cpu-count": printed("4"),
            "cpu-frequency": printed("1400"),
            "cpu-load": printed("7"),
            "free-hdd-space": printed("98304000"),
            "total-hdd-space": printed("134217728"),
            "architecture-name": printed("arm64"),
            "board-name": printed("RB5009UG+S+"),
            "platform": printed("MikroTik"),
        },
        single=True,
        commands=frozenset(),
        computed={
            "uptime": lambda router, _row: router.clock.uptime_text(),
            "version": lambda router, _row: f"{router.version_text} ({router.channel})",
            "build-time": lambda router, _row: router.clock.build_time_text(),
        },
    ),
    "/system/clock": Menu(
        {
            "time": Property(text),
            "date": Property(text),
            "time-zone-autodetect": Property(boolean, "true"),
            "time-zone-name": Property(text, "UTC"),
            "gmt-offset": printed("+00:00"),
            "dst-active": printed("false"),
        },
        single=True,
        computed={
            "time": lambda router, _row: router.clock.time_text(),
            "date": lambda router, _row: router.clock.date_text(),
        },
    ),
    "/system/routerboard": Menu(
        {
            "routerboard": printed("true"),
            "model": printed("RB5009UG+S+"),
            "serial-number": printed("HE408X0000Z"),
            "firmware-type": printed("70x0"),
            "factory-firmware": printed("7.0.5"),
            "current-firmware": printed(),
            "upgrade-firmware": printed(),
        },
        single=True,
        commands=frozenset(),
        computed={
            "current-firmware": lambda router, _row: router.version_text,
            "upgrade-firmware": lambda router, _row: router.version_text,
        },
    ),
    "/system/package": Menu(
        {
            "name": printed(),
            "version": printed(),
            "build-time": printed(),
            "scheduled": printed(""),
            "disabled": printed("false"),
        },
        commands=frozenset(("enable", "disable")),
        computed={
            "version": lambda router, _row: router.version_text,
            "build-time": lambda router, _row: router.clock.build_time_text(),
        },
        first=({"name": "routeros"},),
    ),
    "/system/script": Menu(
        {
            "name": Property(name_text),
            "owner": printed(),
            "policy": Property(some_of(*POLICIES), "ftp,reboot,read,write,policy,test"),
            "dont-require-permissions": Property(boolean, "false"),
            "run-count": printed("0"),
            "last-started": printed(),
            "source": Property(text, ""),
            "invalid": printed("false"),
            "comment": COMMENT,
        },
        unique=(Unique(("name",), "failure: item with this name already exists"),),
        commands=frozenset(("add", "set", "remove", "run")),
    ),
    "/user": Menu(
        {
            "name": Property(name_text, required=True),
            "password": Property(text, "", write_only=True),
            "group": Property(reference("/user/group"), required=True),
            "address": Property(text, ""),
            "last-logged-in": printed(),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("name",), "failure: user with the same name already exists"),),
        commands=NAMED,
    ),
    "/user/group": Menu(
        {
            "name": Property(name_text, required=True),
            "policy": Property(some_of(*POLICIES), ""),
            "skin": Property(text, "default"),
            "comment": COMMENT,
        },
        unique=(Unique(("name",), "failure: group with the same name already exists"),),
        commands=ROWS,
        first=(
            {"name": "read", "policy": group_policy(*READ)},
            {"name": "write", "policy": group_policy(*READ, "write")},
            {"name": "full", "policy": group_policy(*POLICIES)},
        ),
    ),
    "/user/active": Menu(
        {"when": printed(), "name": printed(), "address": printed(), "via": printed("api")},
        commands=frozenset(),
    ),
    "/ip/service": Menu(
        {
            "name": printed(),
            "port": Property(number(1, 65535)),
            "address": Property(text, ""),
            "certificate": Property(text),
            "tls-version": Property(one_of("any", "only-1.2")),
            "invalid": printed("false"),
            "disabled": DISABLED,
        },
        commands=FIXED,
        first=(
            {"name": "telnet", "port": "23"},
            {"name": "ftp", "port": "21"},
            {"name": "www", "port": "80"},
            {"name": "ssh", "port": "22"},
            {"name": "www-ssl", "port": "443", "certificate": "none", "disabled": "true"},
            {"name": "api", "port": "8728"},
            {"name": "winbox", "port": "8291"},
            {"name": "api-ssl", "port": "8729", "certificate": "none", "tls-version": "any"},
        ),
    ),
    "/interface": Menu(
        {
            "name": Property(name_text),
            "default-name": printed(),
            "type": printed("ether"),
            "mtu": Property(number(68, 65535), "1500"),
            "actual-mtu": printed("1500"),
            "mac-address": printed(),
            "last-link-up-time": printed(),
            "link-downs": printed("0"),
            "rx-byte": printed("0"),
            "tx-byte": printed("0"),
            "dynamic": printed(),
            "running": printed("true"),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("name",), "failure: interface with the same name already exists"),),
        commands=FIXED,
        first=tuple(
            {
                "name": f"ether{number}",
                "default-name": f"ether{number}",
                "mac-address": f"48:A9:8A:00:00:0{number}",
            }
            for number in range(1, 6)
        ),
    ),
    "/file": Menu(
        {
            "name": Property(name_text, required=True),
            "type": printed("script"),
            "size": printed("0"),
            "last-modified": printed(),
            "contents": Property(text),
        },
        unique=(Unique(("name",), "failure: file with such name already exists"),),
        commands=ROWS,
    ),
    "/log": Menu(
        {"time": printed(), "topics": printed("system,info"), "message": printed()},
        commands=frozenset(),
    ),
    "/tool/netwatch": Menu(
        {
            "host": Property(ip, required=True),
            "timeout": Property(duration, "1s"),
            "interval": Property(duration, "10s"),
            "since": printed(),
            "status": printed("unknown"),
            "up-script": Property(text, ""),
            "down-script": Property(text, ""),
            "disabled": Property(boolean),
            "comment": COMMENT,
        },
        commands=NAMED,
    ),
}


def health_menu(version):
    """v6 has one row with a column for each sensor, v7 a row for each sensor."""
    readings = {"voltage": ("24.1", "V"), "temperature": ("41", "C")}
    if version < (7,):
        return Menu(
            {name: printed(value) for name, (value, _unit) in readings.items()},
            single=True,
            commands=frozenset(),
        )
    return Menu(
        {"name": printed(), "value": printed(), "type": printed()},
        commands=frozenset(),
        first=tuple(
            {"name": name, "value": value, "type": unit} for name, (value, unit) in readings.items()
        ),
    )
