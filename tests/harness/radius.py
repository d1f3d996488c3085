"""A real FreeRADIUS on loopback, a RADIUS client, and a gate that cuts it off its database."""

import contextlib
import hashlib
import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from passlib.hash import nthash

from .databases import HarnessError
from .settings import REPO, environment, is_running, shared_state

_numbers = itertools.count(1)
_PREFIX = "radius-test-"


def free_udp_ports(count):
    """Return UDP ports on loopback that nobody listens on."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def _script(command, env):
    return subprocess.run(
        [REPO / "scripts/radius", command],
        env=environment() | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _clear_leftovers():
    """End the servers of test runs that were killed."""
    for folder in shared_state().glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            _script("stop", {"RADIUS_DIR": str(folder)})
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Reply:
    """What came back: ``code`` such as "Access-Accept", None without an answer."""

    code: str | None
    values: dict = field(default_factory=dict)

    def __getitem__(self, name):
        return self.values.get(name)

    @property
    def accepted(self):
        """Whether the login succeeded."""
        return self.code == "Access-Accept"


def new_folder():
    """Return a path for the files of a server, cleared later if this process is killed."""
    return shared_state() / f"{_PREFIX}{os.getpid()}-{next(_numbers)}"


class RadiusClient:
    """Debian's ``radclient``, asking the server on ``auth_port`` and ``acct_port``."""

    def login(self, username, password, secret, protocol="pap", **attributes):
        """Ask for access by ``pap``, ``chap`` or ``mschapv2``."""
        packet = {"User-Name": username, "NAS-IP-Address": "127.0.0.1"}
        packet |= {name.replace("_", "-"): value for name, value in attributes.items()}
        if protocol == "mschapv2":
            packet |= _mschapv2(username, password)
        else:
            packet["CHAP-Password" if protocol == "chap" else "User-Password"] = password
        # Last, because it signs what stands before it.
        return self._send(
            "auth", self.auth_port, secret, packet | {"Message-Authenticator": "0x00"}
        )

    def account(self, status, secret, **attributes):
        """Report a session: ``status`` is Start, Interim-Update or Stop."""
        packet = {"Acct-Status-Type": status, "NAS-IP-Address": "127.0.0.1"}
        packet |= {name.replace("_", "-"): value for name, value in attributes.items()}
        return self._send("acct", self.acct_port, secret, packet)

    def _send(self, kind, port, secret, packet):
        lines = [
            f"{name} = {value}" if str(value).startswith("0x") else f'{name} = "{value}"'
            for name, value in packet.items()
        ]
        result = subprocess.run(
            ["radclient", "-x", "-t", "3", "-r", "1", f"127.0.0.1:{port}", kind, secret],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            timeout=30,
        )
        _sent, found, answer = result.stdout.partition("Received ")
        if not found:
            if "No reply from server" not in result.stdout + result.stderr:
                raise HarnessError(f"radclient: {result.stdout}{result.stderr}")
            return Reply(None)
        values = dict(re.findall(r'^\t([\w-]+) = "?(.*?)"?$', answer, re.MULTILINE))
        return Reply(answer.split(" ", 1)[0], values)


class RadiusServer(RadiusClient):
    """FreeRADIUS answering from one database; use it in a ``with`` block or call start and stop.

    :param db: name of the database
    :param gate: a :class:`DatabaseGate` to reach the database through
    :param settings: settings of PostgreSQL for its sessions, such as ``radius.stop_waits=off``
    """

    def __init__(self, db, gate=None, settings=()):
        self.auth_port, self.acct_port = free_udp_ports(2)
        self.folder = new_folder()
        self.log = self.folder / "log/radius.log"
        self._env = {
            "RADIUS_DIR": str(self.folder),
            "RADIUS_DB": db,
            "RADIUS_AUTH_PORT": str(self.auth_port),
            "RADIUS_ACCT_PORT": str(self.acct_port),
        }
        if gate:
            self._env["RADIUS_DB_HOST"] = str(gate.folder)
        if settings:
            self._env["PGOPTIONS"] = " ".join(f"-c {setting}" for setting in settings)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, command):
        """Run ``scripts/radius COMMAND`` for this server and return the finished process."""
        return _script(command, self._env)

    def start(self):
        """Start the server; return self."""
        _clear_leftovers()
        result = self.run("start")
        if result.returncode:
            raise HarnessError(f"FreeRADIUS did not start:\n{result.stderr}")
        return self

    def stop(self):
        """Stop the server; harmless when it does not run."""
        self.run("stop")

    @property
    def pid(self):
        """Process number of the running server."""
        return int((self.folder / "run/radiusd.pid").read_text())


def _mschapv2(username, password):
    """The attributes of an MS-CHAPv2 login (RFC 2759, section 8)."""
    challenge, peer = os.urandom(16), os.urandom(16)
    digest = hashlib.sha1(peer + challenge + username.encode()).digest()[:8]
    keys = bytes.fromhex(nthash.hash(password)) + bytes(5)
    response = b"".join(_des(keys[i : i + 7], digest) for i in (0, 7, 14))
    return {
        "MS-CHAP-Challenge": f"0x{challenge.hex()}",
        "MS-CHAP2-Response": f"0x{(bytes(2) + peer + bytes(8) + response).hex()}",
    }


def _des(key, block):
    bits = int.from_bytes(key, "big")
    spread = bytes((bits >> shift & 0x7F) << 1 for shift in range(49, -1, -7))
    encryptor = Cipher(TripleDES(spread * 3), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


class DatabaseGate:
    """Passes connections on to PostgreSQL's socket until :meth:`close` makes it vanish."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="isp-gate-", dir="/tmp"))
        self.folder.chmod(0o755)
        self._target = f"{environment()['PGHOST']}/.s.PGSQL.5432"
        self._path = self.folder / ".s.PGSQL.5432"
        self._listener = None
        self._open = []

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, *_exc):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self):
        """Let connections through."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._path.chmod(0o777)
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self):
        """Cut every connection and refuse new ones, like a database that died."""
        if self._listener is None:
            return
        self._path.unlink()
        # Without shutdown() the thread in accept() would keep the socket alive.
        for sock in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._listener, self._open = None, []

    def _accept(self, listener):
        while True:
            try:
                near, _address = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def connect_as_radius(db):
    """Return an autocommit connection of FreeRADIUS' own database role."""
    env = environment()
    file = env.get("RADIUS_DB_PASSWORD_FILE") or Path(env["KEYS"]) / "radius_ro.password"
    connection = psycopg2.connect(
        dbname=db, host=env["PGHOST"], user="radius_ro", password=Path(file).read_text().strip()
    )
    connection.autocommit = True
    return connection
