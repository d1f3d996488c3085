"""A router in memory for tests of what stands above the connection. Plain Python.

``tests/simulators/routeros`` speaks the real protocol; this one has the interface of ``Session``
and no socket, so it also runs inside Odoo's tests.
"""

import itertools

UNIQUE = {
    "/ip/firewall/address-list": ("list", "address"),
    "/ipv6/firewall/address-list": ("list", "address"),
}
HAS = {
    "name", "password", "service", "profile", "remote-address", "remote-ipv6-prefix", "caller-id",
    "disabled", "comment", "local-address", "rate-limit", "address-list", "only-one",
    "session-timeout", "idle-timeout", "dhcpv6-pd-pool", "address-pool", "shared-users", "address",
    "mac-address", "target", "max-limit", "burst-limit", "burst-threshold", "burst-time",
    "priority", "list", "ranges", "next-pool",
}  # fmt: skip
NO_COMMENT = {"/ip/hotspot/user/profile"}


class FakeRouter:
    """Rows by menu, and a session to them.

    :param connection: the module ``routeros.connection``, for its ``Reply``
    :param errors: the module ``routeros.errors``
    """

    def __init__(self, connection, errors, version="7.16"):
        self.reply = connection.Reply
        self.parse_version = connection.parse_version
        self.errors = errors
        self.version_text = version
        self.menus = {}
        self.ids = itertools.count(1)
        self.log = []  # the words of every command that writes
        self.before = None  # called with the words of each command; may raise

    # === WHAT TESTS DO === #

    def rows(self, path):
        return self.menus.setdefault(path, {})

    def add(self, path, **values):
        values = {name.replace("_", "-"): value for name, value in values.items()}
        row_id = f"*{next(self.ids):X}"
        self.rows(path)[row_id] = {"disabled": "false", **values}
        return row_id

    def find(self, path, name):
        [found] = [row for row in self.rows(path).values() if row.get("name") == name]
        return found

    # === SESSION === #

    @property
    def version(self):
        return self.parse_version(self.version_text)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        pass

    def close(self):
        pass

    def call(self, command, *words):
        for _position, reply in self.stream([(command, *words)]):
            if reply.error:
                raise reply.error
        return reply

    def print_rows(self, path, properties, query=()):
        return self.call(
            f"{path}/print", f"=.proplist={','.join(['.id', *properties])}", *query
        ).rows

    def stream(self, commands, window=64):
        for position, words in enumerate(commands):
            if self.before:
                self.before(words)
            try:
                yield position, self._do(*words)
            except self.errors.RouterError as error:
                if isinstance(error, self.errors.Unreachable):
                    raise
                yield position, self.reply([], [], error)

    # === COMMANDS === #

    def _do(self, command, *words):
        path, _slash, verb = command.rpartition("/")
        if verb != "print":
            self.log.append((command, *words))
        given = dict(word[1:].split("=", 1) for word in words if word[0] == "=")
        if verb == "print":
            return self._print(path, given, [word for word in words if word[0] == "?"])
        if verb == "add":
            row = {"disabled": "false"}
            self._change(path, row, given)
            row_id = f"*{next(self.ids):X}"
            self.rows(path)[row_id] = row
            return self.reply([], [f"=ret={row_id}".encode()])
        row_id = given.pop(".id")
        if row_id not in self.rows(path):
            raise self.errors.classify("no such item", 0)
        if verb == "remove":
            del self.rows(path)[row_id]
        else:
            self._change(path, self.rows(path)[row_id], given, row_id)
        return self.reply([], [b"!done"])

    def _change(self, path, row, given, row_id=None):
        changed = dict(row)
        for name, value in given.items():
            if name.lstrip("!") not in HAS or (name == "comment" and path in NO_COMMENT):
                raise self.errors.classify(f"unknown parameter {name}")
            if name.startswith("!"):
                changed.pop(name[1:], None)
            elif name == "disabled":
                changed[name] = "true" if value in ("yes", "true") else "false"
            else:
                changed[name] = value
        key = UNIQUE.get(path, ("name",))
        mine = tuple(changed.get(name) for name in key)
        for other_id, other in self.rows(path).items():
            if other_id != row_id and tuple(other.get(name) for name in key) == mine:
                raise self.errors.classify("failure: already have such entry")
        row.clear()
        row.update(changed)

    def _print(self, path, given, query):
        if path == "/system/resource":
            return self.reply([[b"!re", f"=version={self.version_text} (stable)".encode()]], [])
        shown = given[".proplist"].split(",")
        rows = []
        for row_id, row in self.rows(path).items():
            values = {"dynamic": "false", **row, ".id": row_id}
            if self._picked(values, query):
                words = [f"={name}={values[name]}".encode() for name in shown if name in values]
                rows.append([b"!re", *words])
        return self.reply(rows, [])

    def _picked(self, values, query):
        stack = []
        for word in query:
            if word == "?#|":
                stack[-2:] = [stack[-2] or stack[-1]]
            else:
                name, value = word[1:].split("=", 1)
                stack.append(values.get(name) == value)
        return all(stack)
