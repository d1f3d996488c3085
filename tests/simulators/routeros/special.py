"""Commands that are not those of a table: export, scripts, files, backups, reboot, traffic."""

import re
import time

from .errors import Fatal, Trap
from .export import export
from .request import Answer
from .values import parse_duration
from .wire import encode_attributes

V7 = (7,)
FILE_READ_SINCE = (7, 13)
AS_STRING_LIMIT = 64 * 1024  # more is cut off without a word
CONTENTS_LIMIT = {True: 60 * 1024, False: 4 * 1024}  # by "is v7"
CHUNK_LIMIT = 32768
COMMANDS = {}


def command(path, policy, since=(0,)):
    """Register a command under its full path, with the right it needs."""

    def register(function):
        COMMANDS[path] = (since, policy, function)
        return function

    return register


def rows(*values):
    """Answer of rows given as dicts."""
    return Answer([encode_attributes(one.items()) for one in values])


# === FILES === #


def measure_file(router, values):
    """Size and date of a file that is written."""
    contents = values.get("contents", "")
    values["size"] = str(len(contents.encode("utf-8", "surrogateescape")))
    values["last-modified"] = router.clock.text()


def write_file(router, name, contents, kind="script"):
    """Begin a file: its name appears at once, what is in it a moment later."""
    table = router.tree["/file"]
    old = table.find(name)
    if old is not None:
        table.remove(old)
    table.append({"name": name, "type": kind, "size": "0", "last-modified": router.clock.text()})
    router.files[name] = (time.monotonic() + router.faults.file_delay_s, contents)


def settle_files(router):
    """Fill the files whose contents are there by now."""
    limit = CONTENTS_LIMIT[router.version >= V7]
    for name, (ready, contents) in list(router.files.items()):
        row = router.tree["/file"].find(name)
        if row is None:
            del router.files[name]
        elif ready <= time.monotonic() and row["size"] == "0":
            row["size"] = str(len(contents))
            if row["type"] == "script" and len(contents) <= limit:
                row["contents"] = contents.decode("utf-8", "surrogateescape")


@command("/file/read", "read", FILE_READ_SINCE)
def file_read(router, _session, request):
    given = request.attributes
    router.refuse_unknown(set(given) - {"file", "offset", "chunk-size"})
    row = router.tree["/file"].find(given.get("file"))
    if row is None:
        raise Trap("input does not match any value of file", category=1)
    offset, size = given.get("offset", "0"), given.get("chunk-size", str(CHUNK_LIMIT))
    if not offset.isdigit():
        raise Trap("invalid value for argument offset", category=1)
    if not size.isdigit() or not 1 <= int(size) <= CHUNK_LIMIT:
        raise Trap(f"value of chunk-size out of range (1..{CHUNK_LIMIT})", category=1)
    contents = row.get("contents", "").encode("utf-8", "surrogateescape")
    if row["name"] in router.files and row["size"] != "0":
        contents = router.files[row["name"]][1]
    chunk = contents[int(offset) : int(offset) + int(size)]
    return rows({"data": chunk.decode("utf-8", "surrogateescape")})


@command("/system/backup/save", "write")
def backup_save(router, _session, request):
    given = request.attributes
    router.refuse_unknown(set(given) - {"name", "password", "dont-encrypt", "encryption"})
    name = given.get("name", "backup").removesuffix(".backup") + ".backup"
    write_file(router, name, b"\x88\xac\xa1\xb1" + export(router, True).encode(), kind="backup")
    return Answer()


# === EXPORT AND SCRIPTS === #


def export_text(router, session, words):
    """Text of /export with these options; the router decides about passwords by version."""
    known = {"compact", "verbose", "terse", "hide-sensitive", "show-sensitive"}
    router.refuse_unknown(words - known)
    if router.version >= V7:
        router.refuse_unknown(words & {"hide-sensitive"})
        sensitive = "show-sensitive" in words
    else:
        router.refuse_unknown(words & {"show-sensitive"})
        sensitive = "hide-sensitive" not in words
    text = export(router, sensitive and "sensitive" in session.policies)
    return text.encode("utf-8", "surrogateescape")


@command("/export", "read")
def export_command(router, session, request):
    """Without a file the API says nothing."""
    text = export_text(router, session, set(request.attributes) - {"file"})
    name = request.attributes.get("file")
    if name:
        if "ftp" not in session.policies:
            raise Trap("not enough permissions (9)")
        write_file(router, name.removesuffix(".rsc") + ".rsc", text)
    return Answer()


def run_script(router, session, source):
    """What a script prints. Only /export and :put are understood; the rest prints nothing."""
    output = b""
    for line in source.splitlines():
        words = line.split()
        if words[:1] == ["/export"]:
            file = [word[5:] for word in words if word.startswith("file=")]
            text = export_text(router, session, {word for word in words[1:] if "=" not in word})
            if file:
                write_file(router, file[0].removesuffix(".rsc") + ".rsc", text)
            else:
                output += text
        elif found := re.fullmatch(r':put "(.*)"', line.strip()):
            output += found[1].encode("utf-8", "surrogateescape") + b"\r\n"
    return output


@command("/execute", "read")
def execute(router, session, request):
    given = request.attributes
    allowed = {"script", "file"} | ({"as-string"} if router.version >= V7 else set())
    router.refuse_unknown(set(given) - allowed)
    if "script" not in given:
        raise Trap(router.missing_text(["script"]), category=1)
    output = run_script(router, session, given["script"])
    if "as-string" in given:
        text = output[:AS_STRING_LIMIT].decode("utf-8", "surrogateescape")
        return Answer(done={"ret": text})
    if given.get("file"):
        write_file(router, given["file"] + ("" if "." in given["file"] else ".txt"), output)
    router.jobs += 1
    return Answer(done={"ret": f"*{router.jobs:X}"})


@command("/system/script/run", "write")
def script_run(router, session, request):
    router.refuse_unknown(set(request.attributes) - {".id"})
    if ".id" not in request.attributes:
        raise Trap("missing =.id=", category=1)
    row = router.tree["/system/script"].find(request.attributes[".id"])
    if row is None:
        raise Trap(router.no_such_item, category=0)
    row["run-count"] = str(int(row["run-count"]) + 1)
    row["last-started"] = router.clock.text()
    run_script(router, session, row["source"])
    return Answer()


# === THE ROUTER ITSELF === #


@command("/system/reboot", "reboot")
def reboot(router, _session, request):
    router.refuse_unknown(request.attributes)
    return Answer(after=router.on_reboot)


@command("/quit", "api")
def quit_session(_router, _session, _request):
    raise Fatal("session terminated on request")


# === LOOKING AT THE NETWORK === #


def seconds(request, name, default):
    value = parse_duration(request.attributes.get(name, default))
    if value is None:
        raise Trap(f"invalid value for argument {name}", category=1)
    return value


@command("/ping", "test")
def ping(router, _session, request):
    """Addresses of online customers and of this machine answer; ``count`` is needed to end."""
    given = request.attributes
    router.refuse_unknown(set(given) - {"address", "count", "interval", "size", "src-address"})
    if "address" not in given:
        raise Trap(router.missing_text(["address"]), category=1)
    address = given["address"]
    wanted, sent = int(given.get("count", "0")), 0

    def step(emit):
        nonlocal sent
        alive = address.startswith("127.") or any(
            row["address"] == address for row in router.tree["/ppp/active"]
        )
        reply = {"size": "56", "ttl": "64", "time": "1ms"} if alive else {"status": "timeout"}
        row = {"seq": sent, "host": address, **reply, "sent": sent + 1}
        row |= {"received": (sent + 1) * alive, "packet-loss": 0 if alive else 100}
        emit([encode_attributes(row.items())])
        sent += 1
        return sent != wanted

    return Answer(stream=router.every(seconds(request, "interval", "1") or 0.01, step))


@command("/interface/monitor-traffic", "read")
def monitor_traffic(router, _session, request):
    """Bits a second of some interfaces; goes on until /cancel unless ``once`` is given."""
    given = request.attributes
    router.refuse_unknown(set(given) - {"interface", "once", "interval", ".proplist"})
    if "interface" not in given:
        raise Trap(router.missing_text(["interface"]), category=1)
    names = given["interface"].split(",")
    for name in names:
        if router.tree["/interface"].find(name) is None:
            raise Trap("input does not match any value of interface", category=1)

    def readings():
        random = router.faults.random
        return [
            encode_attributes(
                {
                    "name": name,
                    "rx-packets-per-second": random.randrange(9000),
                    "rx-bits-per-second": random.randrange(10**8),
                    "tx-packets-per-second": random.randrange(9000),
                    "tx-bits-per-second": random.randrange(10**8),
                }.items()
            )
            for name in names
        ]

    def step(emit):
        emit(readings())
        return True

    if "once" in given:
        return Answer(readings())
    return Answer(stream=router.every(seconds(request, "interval", "1") or 1, step))
