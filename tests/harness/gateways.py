"""The simulated gateways in a process of their own, set up in a database as ``make run`` does it."""

import json
import socket
import subprocess
import sys
import urllib.request

from .server import free_ports, run_shell
from .settings import REPO

CODES = ["bkash", "nagad", "sslcommerz"]  # they listen on three ports in this order


class Simulators:
    """The process that ``make run`` starts; use it in a ``with`` block.

    :param keys: a folder for Nagad's keys
    """

    def __init__(self, keys):
        self.port = _three_ports()
        self.is_set_up = False
        self._keys = keys
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "simulators.gateways"),
                *("--port", str(self.port), "--keys", self._keys),
            ],
            cwd=REPO / "tests",
            stdout=subprocess.PIPE,
            text=True,
        )
        for _gateway in CODES:
            assert self._process.stdout.readline(), "the simulators did not start"
        return self

    def __exit__(self, *_exception):
        self._process.terminate()
        self._process.wait(20)

    def set_up(self, server, code=""):
        """Set the providers up in the database of a running server; return what ``code`` prints.

        :param code: more Python code for the same shell
        """
        env = {
            "ISP_GATEWAY_PORT": str(self.port),
            "ISP_ADDRESS": server.url,
            "PYTHONPATH": str(REPO / "tests"),
        }
        seed = (REPO / "scripts/seed_gateways.py").read_text()
        output = run_shell(server.db, f"{seed}\n{code}\nenv.registry.signal_changes()\n", env=env)
        self.is_set_up = True
        return output

    def pay(self, code, payment_id, wallet=None):
        """Let the customer pay; return what brings the browser back, as arguments of ``requests``.

        SSLCommerz sends no notification of its own.

        :param wallet: the customer's with bKash, if not the one that everybody shares
        """
        if code == "bkash":
            what = {"payment_id": payment_id, "wallet": wallet}
            url = self.control(code, "/do/customer", what)["result"]
            return {"method": "GET", "url": url}
        if code == "nagad":
            what = {"payment_id": payment_id, "choice": "pay"}
            return {"method": "GET", "url": self.control(code, "/do/choose", what)["result"]}
        self.control(code, "/faults", {"call": "notify", "lose": True})
        url, fields = self.control(code, "/do/pay", {"key": payment_id})["result"]
        return {"method": "POST", "url": url, "data": fields}

    def control(self, code, path="", values=None):
        """Steer the simulator of a gateway, or look at it; return its answer."""
        port = self.port + CODES.index(code)
        data = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/_control{path}", data=data)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())


def _three_ports():
    for _try in range(20):
        port = free_ports(1)[0]
        if port < 65000 and not any(map(_is_taken, range(port, port + 3))):
            return port
    raise AssertionError("no three free ports in a row")


def _is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
