"""FreeRADIUS on its stock PostgreSQL schema and queries: the peer that ours is measured against."""

import os
import pwd
import shutil
import subprocess
import time
from contextlib import closing
from pathlib import Path

from . import databases, radius
from .settings import REPO, environment

DEBIAN = Path("/etc/freeradius/3.0")
SCHEMA = DEBIAN / "mods-config/sql/main/postgresql/schema.sql"
CONFIG = REPO / "tests/bench/stock"
START_TIMEOUT_S = 20

GRANTS = """
GRANT USAGE ON SCHEMA public TO radius_ro;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO radius_ro;
GRANT INSERT, UPDATE ON radacct, nasreload TO radius_ro;
GRANT INSERT ON radpostauth TO radius_ro;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO radius_ro
"""


def create_database(name):
    """Make a database with FreeRADIUS's own schema, as Debian ships it."""
    databases.drop_database(name)
    databases.query("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0')
    with closing(databases.connect(name)) as connection, connection.cursor() as cr:
        cr.execute(SCHEMA.read_text())
        cr.execute(GRANTS)


class StockServer(radius.RadiusClient):
    """FreeRADIUS on a stock database; use it in a ``with`` block.

    :param db: name of a database made by :func:`create_database`
    :param secret: shared secret of the one router, 127.0.0.1
    :param waits: whether each packet waits for the disk, as FreeRADIUS' own configuration has it
    """

    def __init__(self, db, secret, waits=True):
        self.auth_port, self.acct_port = radius.free_udp_ports(2)
        self.folder = radius.new_folder()
        self._db = db
        self._secret = secret
        self._waits = waits
        self._process = None

    def __enter__(self):
        config = self.folder / "config"
        for name in ("config", "log", "run", "acct"):
            (self.folder / name).mkdir(parents=True)
        for name, text in self._files().items():
            (config / name).write_text(text)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "freerad:", str(self.folder)], check=True)
        self._process = subprocess.Popen(
            ["freeradius", "-f", "-d", str(config), "-l", str(self.folder / "log/radius.log")],
            env=os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.login("nobody", "x", self._secret).code is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log/radius.log").read_text(errors="replace")
                self.__exit__()
                raise databases.HarnessError(f"Stock FreeRADIUS did not start:\n{log[-2000:]}")
        return self

    @property
    def pid(self):
        """Process number of the running server."""
        return self._process.pid

    def __exit__(self, *_exc):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self):
        env = environment()
        password = (Path(env["KEYS"]) / "radius_ro.password").read_text().strip()
        run_as = ""
        if os.getuid() == 0:
            group = pwd.getpwnam("freerad").pw_gid
            assert group
            run_as = "    user = freerad\n    group = freerad"
        words = {
            "@DIR@": str(self.folder),
            "@LIBDIR@": os.environ.get("RADIUS_LIBDIR", "/usr/lib/freeradius"),
            "@RUN_AS@": run_as,
            "@DATABASE@": f"host={env['PGHOST']} dbname={self._db} user=radius_ro "
            f"password={password}",
            "@AUTH_PORT@": str(self.auth_port),
            "@ACCT_PORT@": str(self.acct_port),
            "@WAITS@": "on" if self._waits else "off",
        }

        def filled(path):
            text = path.read_text()
            for word, value in words.items():
                text = text.replace(word, value)
            return text

        return {
            "radiusd.conf": filled(REPO / "deploy/freeradius/radiusd.conf"),
            "modules": filled(CONFIG / "modules"),
            "site": filled(CONFIG / "site"),
            "policy": f"$INCLUDE {DEBIAN}/policy.d/accounting\n",
            "dictionary": "",
            "clients": f"client all {{\n    ipaddr = 127.0.0.1\n    secret = {self._secret}\n}}\n",
        }
