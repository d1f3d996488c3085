"""The router behind the wire: tables, users, and which command may be done by whom."""

import hashlib
import ipaddress
import re
import secrets
import threading

from . import commands, sessions, special
from .clock import Clock
from .errors import Fatal, Trap
from .faults import Faults
from .menus import MENUS
from .menus_system import POLICIES, health_menu
from .tables import Table

PLAIN_LOGIN_SINCE = (6, 43)
CHALLENGE_LOGIN_UNTIL = (6, 45, 1)
LOG_LINES = 1000
RIGHTS_MESSAGE = "not enough permissions (9)"


class Session:
    """What the router knows of one connection."""

    def __init__(self, address):
        self.address = address
        self.user = None
        self.policies = frozenset()
        self.challenge = None
        self.active_row = None


class Router:
    """The state of one router and everything its commands do to it."""

    def __init__(self, version, users):
        numbers = re.match(r"\d+(\.\d+)*", version)
        if not numbers:
            raise ValueError(f"not a RouterOS version: {version!r}")
        self.version_text = numbers[0]
        self.version = tuple(map(int, numbers[0].split(".")))
        self.channel = "stable" if self.version >= (7,) else "long-term"
        self.clock = Clock(self.version)
        self.faults = Faults()
        self.lock = threading.RLock()
        self.on_reboot = None
        self.files = {}  # name -> (moment when the contents are there, contents)
        self.jobs = 0
        self.no_such_item = "no such item (4)" if self.version >= (7,) else "no such item"
        menus = {**MENUS, "/system/health": health_menu(self.version)}
        self.tree = {
            path: Table(path, menu, self.version)
            for path, menu in menus.items()
            if menu.since <= self.version < menu.until
        }
        self.references = [
            (table, name, prop.check.menu)
            for table in self.tree.values()
            for name, prop in table.properties.items()
            if hasattr(prop.check, "menu")
        ]
        for name, password in users.items():
            group = "full"
            if isinstance(password, tuple):
                password, group = password
            self.tree["/user"].append({"name": name, "password": password, "group": group})

    # === LOGIN === #

    def login(self, session, request):
        """Answer /login: the attributes of ``!done``, or a trap."""
        given = request.attributes
        plain = self.version >= PLAIN_LOGIN_SINCE and "response" not in given
        if plain and "name" in given:
            user = self._user(given["name"], session.address)
            if user is None or user["password"] != given.get("password", ""):
                raise Trap("invalid user name or password (6)")
            return self._open(session, user)
        if self.version >= CHALLENGE_LOGIN_UNTIL:
            raise Trap("invalid user name or password (6)")
        if "response" not in given:
            session.challenge = secrets.token_bytes(16)
            return {"ret": session.challenge.hex()}
        user, challenge = self._user(given.get("name"), session.address), session.challenge
        session.challenge = None
        if user is None or challenge is None:
            raise Trap("cannot log in")
        raw = b"\0" + user["password"].encode("utf-8", "surrogateescape") + challenge
        digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
        if given["response"] != "00" + digest:
            raise Trap("cannot log in")
        return self._open(session, user)

    def _user(self, name, address):
        """The user who may log in from an address, or None."""
        user = self.tree["/user"].find(name)
        if user is None or user["disabled"] == "true" or "api" not in self.policies_of(user):
            return None
        networks = [ipaddress.ip_network(one) for one in user["address"].split(",") if one]
        if networks and not any(ipaddress.ip_address(address) in one for one in networks):
            return None
        return user

    def policies_of(self, user):
        group = self.tree["/user/group"].find(user["group"])
        policy = group["policy"].split(",") if group else []
        return frozenset(one for one in policy if one in POLICIES)

    def _open(self, session, user):
        self.close(session)
        session.user = user["name"]
        self.log(
            "system,info,account", f"user {user['name']} logged in from {session.address} via api"
        )
        session.policies = self.policies_of(user)
        user["last-logged-in"] = self.clock.text()
        session.active_row = self.tree["/user/active"].append(
            {"when": self.clock.text(), "name": user["name"], "address": session.address}
        )
        return {}

    def close(self, session):
        """The connection of a session is gone."""
        if session.active_row in self.tree["/user/active"]:
            self.tree["/user/active"].remove(session.active_row)
        session.active_row = None

    # === COMMANDS === #

    def execute(self, session, request):
        """Do one command and return its Answer; raises Trap or Fatal."""
        if self.faults.fatal_next:
            raise Fatal(self.faults.take("fatal_next"))
        if request.problem:
            raise request.problem
        trap = self.faults.take("trap_next") if self.faults.trap_next else None
        if trap is None and self.faults.trap_when:
            trap = self.faults.trap_when(request.command, dict(request.attributes))
        if trap is not None:
            raise Trap.of(trap)
        if request.command.startswith("/file/"):
            special.settle_files(self)
        if request.command in special.COMMANDS:
            since, policy, command = special.COMMANDS[request.command]
            if self.version >= since:
                self._check_rights(session, policy)
                return command(self, session, request)
        table = self.tree.get(request.path)
        if table is None:
            directory = request.path.rpartition("/")[2]
            raise Trap.of(
                [(f"no such command or directory ({directory})", 0), "no such command prefix"]
            )
        if request.verb not in commands.allowed_commands(table.menu):
            raise Trap("no such command", category=0)
        policy, command = commands.VERBS[request.verb]
        if policy == "write" and request.path in ("/user", "/user/group"):
            policy = "policy"
        self._check_rights(session, policy)
        return command(self, session, table, request)

    @staticmethod
    def _check_rights(session, policy):
        if policy not in session.policies:
            raise Trap(RIGHTS_MESSAGE)

    def refuse_unknown(self, names):
        """Trap if there are names of parameters that the command does not have."""
        for name in names:
            raise Trap(f"unknown parameter {name}" if self.version >= (7,) else "unknown parameter")

    def every(self, seconds, step):
        """Stream that calls ``step(emit)`` every so many seconds until it returns False."""

        def start(emit, finish):
            stopped = threading.Event()

            def run():
                while not stopped.wait(seconds):
                    with self.lock:
                        if stopped.is_set():
                            return
                        if not step(emit):
                            finish()
                            return

            threading.Thread(target=run, daemon=True, name="routeros-stream").start()
            return stopped.set

        return start

    def missing_text(self, names):
        if self.version >= (7,):
            return f"missing value(s) of argument(s) {' '.join(names)}"
        return f"missing ={names[0]}="

    def check_removal(self, table, rows):
        """What is in use is removed all the same and leaves its id behind, except groups."""
        if table.path == "/user/group":
            used = {user["group"] for user in self.tree["/user"]}
            if any(row["name"] in used for row in rows):
                raise Trap("failure: group has some users")

    # === WHAT FOLLOWS FROM A CHANGE === #

    def log(self, topics, message):
        """Write to /log, which keeps the last lines only."""
        table = self.tree["/log"]
        if len(table) >= LOG_LINES:
            table.remove(table[0])
        table.append({"time": self.clock.text(), "topics": topics, "message": message})

    def prepare(self, session, path, values):
        """Fill what the router itself writes into a new row."""
        if path == "/system/script":
            values["owner"] = session.user
        elif path == "/ppp/secret":
            values["last-logged-out"] = self.clock.never_text()
        elif path == "/ip/firewall/address-list":
            values["creation-time"] = self.clock.text()
            if values.get("timeout", "none-static") != "none-static":
                values["dynamic"] = "true"
        elif path == "/file":
            special.measure_file(self, values)

    def renamed(self, path, before, name):
        """Rows refer to rows, not to names: a new name shows wherever the row is used."""
        for table, prop, menu in self.references:
            if menu == path:
                for row in table.rows():
                    if row.get(prop) == before:
                        row[prop] = name

    def removed(self, path, removed):
        """What referred to a row that is gone shows its bare id."""
        if path == "/ppp/active":
            sessions.ended(self, removed)
        name = removed.get("name")
        for table, prop, menu in self.references:
            if menu == path:
                for row in table.rows():
                    if row.get(prop) == name:
                        row[prop] = removed[".id"]

    def reboot(self, clock_1970=False):
        """Sessions and dynamic rows are gone, uptime is 0, the configuration stays."""
        with self.lock:
            for path in ("/ppp/active", "/ip/hotspot/active", "/ip/hotspot/host", "/ip/pool/used"):
                self.tree[path].clear()
            for path in ("/user/active", "/log"):
                self.tree[path].clear()
            for table in self.tree.values():
                for row in [row for row in table.rows() if row.get("dynamic") == "true"]:
                    table.remove(row)
            self.clock.reboot(clock_1970)
