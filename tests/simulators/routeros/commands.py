"""The commands every menu has: print, get, add, set, unset, enable, disable, remove, move."""

from .errors import Trap
from .query import compile_query
from .request import Answer
from .values import BOOLEANS, parse_duration
from .wire import encode_attributes

PRINT_OPTIONS = frozenset(
    (
        *(".proplist", "detail", "stats", "count-only", "terse", "brief", "without-paging"),
        *("follow", "follow-only", "interval"),
    )
)
EMPTY_SINCE = (7, 18)


def allowed_commands(menu):
    """Verbs of a menu besides what menus_special adds."""
    verbs = {"print", "getall", "get", "listen"} | menu.commands
    if menu.single:
        verbs = (verbs - {"add", "remove"}) | ({"set"} if _writable(menu) else set())
    verbs &= set(VERBS)
    if "set" in verbs and not menu.single:
        verbs |= {"unset", "comment"}
    return verbs


def _writable(menu):
    return any(one.written for one in menu.properties.values())


# === PRINT === #


def print_rows(router, session, table, request):
    router.refuse_unknown(set(request.attributes) - PRINT_OPTIONS)
    names = request.attributes.get(".proplist")
    names = tuple(filter(None, names.split(","))) if names else None
    rows = matching_rows(router, table, request.queries)
    hidden = "sensitive" not in session.policies
    if hidden and rows is not None and table.sensitive & query_names(request.queries):
        rows = []
    count = len(table) if rows is None else len(rows)
    if "count-only" in request.attributes:
        return Answer(done={"ret": count})
    bodies = table.bodies(router, names, hidden, rows)
    if {"follow", "follow-only", "interval"} & set(request.attributes):
        shown = [] if "follow-only" in request.attributes else bodies
        return Answer(shown, stream=follower(router, table, request, names, hidden))
    return Answer(bodies=bodies, empty=not bodies and router.version >= EMPTY_SINCE)


def listen(router, session, table, request):
    """Tell each change until it is cancelled; a removed row comes with ``=.dead=yes``."""
    request.attributes["follow-only"] = ""
    return print_rows(router, session, table, request)


def follower(router, table, request, names, hidden):
    """Stream of ``print follow`` (rows that change) or ``print interval`` (all, again and again)."""
    matches = compile_query(request.queries)
    interval = parse_duration(request.attributes.get("interval", "0"))
    if interval is None:
        raise Trap("invalid value for argument interval", category=1)

    def follow(emit, _finish):
        def changed(row, dead):
            if dead:
                emit([encode_attributes([(".id", row[".id"]), (".dead", "yes")])])
            elif matches(table.shown(router, row)):
                emit(table.bodies(router, names, hidden, [row]))

        table.watchers.append(changed)
        return lambda: table.watchers.remove(changed)

    def again(emit):
        emit(table.bodies(router, names, hidden, matching_rows(router, table, request.queries)))
        return True

    return router.every(interval, again) if interval else follow


def query_names(queries):
    """Names of properties that query words ask about."""
    return {word.lstrip("-<>=").partition("=")[0] for word in queries}


def matching_rows(router, table, queries):
    """Rows that the query words take; None when there are none, which means all."""
    if not queries:
        return None
    matches = compile_query(queries)
    candidates = table.rows()
    name, equals, value = queries[0].removeprefix("=").partition("=")
    if len(queries) == 1 and equals and name in (".id", "name"):
        found = table.find(value)  # a shortcut; the row is still asked
        candidates = [] if found is None else [found]
    if table.computed:
        return [row for row in candidates if matches(table.shown(router, row))]
    return [row for row in candidates if matches(row)]


def get(router, session, table, request):
    """``get`` of one value, in ``=ret=``."""
    row = one_row(router, table, request)
    name = request.attributes.get("value-name")
    if name not in table.properties:
        raise Trap("input does not match any value of value-name", category=1)
    blind = table.hidden if "sensitive" in session.policies else table.hidden | table.sensitive
    if name in blind:
        return Answer(done={"ret": ""})
    return Answer(done={"ret": table.shown(router, row).get(name, "")})


# === WRITE === #


def checked(router, table, attributes):
    """Values as the router keeps them, and the names to be unset; traps for wrong ones."""
    values, unset = {}, []
    for name, value in attributes.items():
        wanted = name.removeprefix("!")
        prop = table.properties.get(wanted)
        if prop is None or not prop.written:
            router.refuse_unknown([name])
        if wanted != name or wanted == "comment" and not value:
            unset.append(wanted)
        else:
            values[name] = prop.check(name, value, router.tree)
    return values, unset


def add(router, session, table, request):
    attributes = dict(request.attributes)
    before = attributes.pop("place-before", None) if "move" in table.menu.commands else None
    values, _unset = checked(router, table, attributes)
    missing = [n for n, one in table.properties.items() if one.required and n not in values]
    if missing:
        raise Trap(router.missing_text(missing), category=1)
    target = find_rows(router, table, before)[0] if before else None
    check_row(table, {**default_values(table), **values})
    if router.faults.forgets():
        return Answer(done={"ret": table.next_id()})
    router.prepare(session, table.path, values)
    row = table.append(values)
    if target is not None:
        table.move([row], target)
    return Answer(done={"ret": row[".id"]})


def check_row(table, values, row=None):
    table.check_unique(values, row)
    if table.menu.check:
        table.menu.check(values)


def default_values(table):
    return {name: one.default for name, one in table.properties.items() if one.default is not None}


def set_rows(router, _session, table, request):
    attributes = dict(request.attributes)
    rows = table.rows()[:1] if table.menu.single else target_rows(router, table, attributes)
    change_rows(router, table, rows, attributes)
    return Answer()


def change_rows(router, table, rows, attributes):
    values, unset = checked(router, table, attributes)
    for row in rows:
        refuse_dynamic(row, "change")
        check_row(table, {**row, **values}, row)
    for unique in table.menu.unique:
        keys = [unique.key({**row, **values}) for row in rows]
        if len(set(keys)) < len(keys) and keys[0] is not None:
            raise Trap(unique.message)
    if router.faults.forgets():
        return
    defaults = {name: one for name, one in default_values(table).items() if name in unset}
    for row in rows:
        before = row.get("name")
        row.change({**values, **defaults}, [name for name in unset if name not in defaults])
        if row.get("name") != before:
            router.renamed(table.path, before, row["name"])


def unset(router, session, table, request):
    attributes = dict(request.attributes)
    rows = target_rows(router, table, attributes)
    name = attributes.pop("value-name", None)
    router.refuse_unknown(attributes)
    if name not in table.properties:
        raise Trap("input does not match any value of value-name", category=1)
    change_rows(router, table, rows, {f"!{name}": ""})
    return Answer()


def switch(value):
    """``enable`` and ``disable``."""

    def command(router, _session, table, request):
        attributes = dict(request.attributes)
        rows = target_rows(router, table, attributes)
        router.refuse_unknown(attributes)
        change_rows(router, table, rows, {"disabled": value})
        return Answer()

    return command


def comment(router, _session, table, request):
    attributes = dict(request.attributes)
    rows = target_rows(router, table, attributes)
    change_rows(router, table, rows, {"comment": attributes.pop("comment", "")})
    return Answer()


def remove(router, _session, table, request):
    attributes = dict(request.attributes)
    rows = target_rows(router, table, attributes)
    router.refuse_unknown(attributes)
    sessions = table.menu.commands == {"remove"}  # /ppp/active: removing is kicking
    router.check_removal(table, rows)
    for row in rows:
        if row.get("default") == "true":
            raise Trap("failure: cannot remove builtin")
        if not sessions:
            refuse_dynamic(row, "remove")
    if router.faults.forgets():
        return Answer()
    for row in rows:
        table.remove(row)
        router.removed(table.path, row)
    return Answer()


def move(router, _session, table, request):
    attributes = dict(request.attributes)
    rows = target_rows(router, table, attributes)
    before = table.find(attributes.pop("destination", None))  # an unknown one means the end
    router.refuse_unknown(attributes)
    if before in rows:
        raise Trap("failure: can not move object before itself")
    if not router.faults.forgets():
        table.move(rows, before)
    return Answer()


def reset_counters(router, _session, table, request):
    for row in target_rows(router, table, dict(request.attributes)):
        for name in ("bytes", "packets", "bytes-in", "bytes-out", "packets-in", "packets-out"):
            if name in row:
                row[name] = table.properties[name].default
    return Answer()


def make_static(router, _session, table, request):
    for row in target_rows(router, table, dict(request.attributes)):
        row["dynamic"] = BOOLEANS["no"]
    return Answer()


# === WHICH ROWS === #


def target_rows(router, table, attributes):
    """Rows of ``.id`` (or ``numbers``), which is taken out of the attributes."""
    if ".id" in attributes:
        keys = attributes.pop(".id")
    elif "numbers" in attributes:
        keys = attributes.pop("numbers")
    else:
        raise Trap("missing =.id=", category=1)
    return find_rows(router, table, keys)


def find_rows(router, table, keys):
    """Rows of a comma list of ids or names; traps if one of them is not there."""
    found = {}
    for key in keys.split(","):
        row = table.find(key)
        if row is None:
            raise Trap(router.no_such_item, category=0)
        found[id(row)] = row
    return list(found.values())


def one_row(router, table, request):
    if table.menu.single:
        return table[0]
    return target_rows(router, table, dict(request.attributes))[0]


def refuse_dynamic(row, action):
    if row.get("dynamic") == "true":
        raise Trap(f"failure: cannot {action} dynamic")


VERBS = {
    "print": ("read", print_rows),
    "getall": ("read", print_rows),
    "get": ("read", get),
    "listen": ("read", listen),
    "add": ("write", add),
    "set": ("write", set_rows),
    "unset": ("write", unset),
    "comment": ("write", comment),
    "enable": ("write", switch("no")),
    "disable": ("write", switch("yes")),
    "remove": ("write", remove),
    "move": ("write", move),
    "reset-counters": ("write", reset_counters),
    "make-static": ("write", make_static),
}
