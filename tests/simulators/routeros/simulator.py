"""The simulator as tests use it: a router on a port of this machine, in a thread of its own."""

import asyncio
import shutil
import socket
import threading

from . import sessions
from .certificate import server_context
from .export import export
from .menus_system import group_policy
from .router import Router
from .server import Connection

HOST = "127.0.0.1"
START_TIMEOUT_S = 10


class RouterOS:
    """A RouterOS API service on loopback.

    ``users`` maps names to passwords, or to (password, group). ``tls`` True is api-ssl with a
    certificate of its own (``sim.ca_file`` is what a client has to trust), ``"anonymous"`` is
    api-ssl without a certificate. ``tree`` maps menus to tables, which read like lists of dicts.
    """

    def __init__(self, version="7.16", users=None, tls=False, port=0):
        self.router = Router(version, {"isp": "secret"} if users is None else users)
        self.router.on_reboot = self.reboot
        self.tree = self.router.tree
        self.faults = self.router.faults
        self.faults._on_refuse = self._apply_refusal
        self.tls = tls
        self.port = port
        self.ca_file = None
        self.connections = set()
        self.accepted = 0  # connections so far
        self.commands = 0  # commands so far
        self.violations = []  # what clients sent against the protocol
        self.loop = None
        self._thread = None
        self._server = None
        self._place = None
        self._context = None

    # === LIFE === #

    def start(self):
        """Serve; returns (host, port)."""
        if self._thread:
            return HOST, self.port
        if self.tls:
            self._context, self.ca_file = server_context(self.tls)
        # This socket only keeps the port, so that a router which refuses can come back to it.
        self._place = self._bind(self.port)
        self.port = self._place.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="routeros", daemon=True)
        self._thread.start()
        self._call(self._listen)
        return HOST, self.port

    def stop(self):
        """Close every connection and end the thread; repeating is harmless."""
        if not self._thread:
            return
        self._call(self._shut)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(START_TIMEOUT_S)
        self._thread = None
        self._place.close()
        if self.ca_file:
            shutil.rmtree(self.ca_file.parent, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.stop()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def _call(self, function):
        """Run a coroutine function in the simulator's thread and wait for it."""
        return asyncio.run_coroutine_threadsafe(function(), self.loop).result(START_TIMEOUT_S)

    @staticmethod
    def _bind(port):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((HOST, port))
        return one

    async def _listen(self):
        if self._server is None:
            listener = self._bind(self.port)
            listener.setblocking(False)
            self._server = await self.loop.create_server(
                lambda: Connection(self), sock=listener, ssl=self._context, backlog=128
            )

    async def _refuse(self):
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _shut(self):
        await self._refuse()
        for connection in list(self.connections):
            connection.reset()
        await asyncio.sleep(0)

    def _apply_refusal(self):
        if self._thread and threading.current_thread() is not self._thread:
            self._call(self._refuse if self.faults.refuse_connections else self._listen)

    # === WHAT TESTS DO TO A ROUTER === #

    def reset_connections(self):
        """End every connection with a TCP reset."""

        async def reset():
            for connection in list(self.connections):
                connection.reset()
            await asyncio.sleep(0)

        self._call(reset)

    def reboot(self, clock_1970=False):
        """Sessions gone, uptime 0, connections reset; the configuration stays.

        ``clock_1970``: the router has no battery and has not reached a time server yet.
        """
        self.router.reboot(clock_1970)
        if threading.current_thread() is self._thread:
            for connection in list(self.connections):
                connection.reset()
        elif self._thread:
            self.reset_connections()

    def load_secrets(self, count, prefix="user", **values):
        """Add ``count`` secrets named prefix0, prefix1, ... and encode them for printing.

        A value may be a function of the number: ``comment=lambda number: f"isp:secret:{number}"``.
        """
        table = self.tree["/ppp/secret"]
        never = self.router.clock.never_text()
        with self.router.lock:
            for number in range(count):
                name = f"{prefix}{number}"
                table.append(
                    {
                        "name": name,
                        "password": f"pw-{number:06d}",
                        "service": "pppoe",
                        "last-logged-out": never,
                        **{k: v(number) if callable(v) else v for k, v in values.items()},
                    }
                )
            table.bodies(self.router)

    def export(self, sensitive=True):
        """Text of /export as it is now."""
        with self.router.lock:
            return export(self.router, sensitive)

    def add_user(self, name, password, policies):
        """A user with a group of its own that has these policies."""
        with self.router.lock:
            self.tree["/user/group"].append({"name": name, "policy": group_policy(*policies)})
            self.tree["/user"].append({"name": name, "password": password, "group": name})

    def connect_subscriber(self, name, address=None, caller_id="AA:BB:CC:00:00:01"):
        """A customer dials in; returns the row in /ppp/active, or None if the router refuses."""
        with self.router.lock:
            return sessions.dial(self.router, name, address, caller_id)
