"""Base of the gateway simulators: an HTTP server on loopback, its faults and its control surface.

    class Gateway(GatewaySimulator):
        name = "example"

        @route("POST", "/payment/<id>/execute", call="execute")
        def execute(self, request, id):
            payment = self.payments.get(id) or refuse(404, {"message": "unknown"})
            return {"id": id, "status": payment.status}

A handler runs under ``self.lock`` and returns a dictionary (sent as JSON), a string (HTML) or an
Answer; ``refuse`` ends it early. From a test, in Python:

    with Gateway() as gateway:
        gateway.faults.add("execute", late_s=40)         # see faults.Fault
        gateway.clock.advance(3600)
        gateway.received("execute")                      # requests so far, oldest first
        gateway.refuse_connections(True)
        gateway.notifier.wait()                          # deliveries, with each try

and the same over HTTP, for a simulator in another process:

    GET  /_control                  requests, faults, deliveries, state
    POST /_control/faults           {"call": "execute", "late_s": 40}
    POST /_control/clear            no more faults
    POST /_control/advance          {"seconds": 3600}
    POST /_control/do/<action>      a method named in ``actions``, with the body as its arguments
"""

import argparse
import json
import re
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .faults import Faults, overwrite
from .notifier import Clock, Notifier
from .pages import page

MAX_BODY = 1024 * 1024
IDLE_S = 60


@dataclass
class Received:
    """One request; ``headers`` is case-insensitive, ``status`` what was answered (0: nothing)."""

    call: str
    method: str
    path: str
    query: dict
    headers: object
    body: bytes
    at: float = 0.0
    status: int = 0

    def json(self):
        """Return the body as a dictionary, or refuse as gateways do."""
        try:
            values = json.loads(self.body)
        except ValueError:
            values = None
        return values if isinstance(values, dict) else refuse(400, {"message": "Bad request body"})

    def form(self):
        """Return a form-encoded body."""
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))


@dataclass
class Answer:
    """What a handler returns; ``body`` is a dictionary (JSON), a string (HTML) or bytes."""

    body: dict | list | str | bytes = ""
    status: int = 200
    headers: dict = field(default_factory=dict)
    drip_s: float = 0  # pause after each byte


class Refuse(Exception):
    """Ends a handler with an answer."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


def refuse(status, body):
    """Answer at once with a status and a body."""
    raise Refuse(Answer(body, status))


def redirect(url):
    """Send the browser on."""
    return Answer("", 302, {"Location": url})


def route(method, path, call=None):
    """Mark a handler; ``<x>`` in the path becomes its argument, ``call`` names it for faults."""

    def mark(function):
        pattern = re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", path))
        function.route = (method, pattern, call or function.__name__)
        return function

    return mark


class GatewaySimulator:
    """A gateway; subclasses keep their state in attributes that only handlers touch."""

    name = "gateway"
    actions = ()  # methods that may be called over HTTP

    def __init__(self, port=0, host="127.0.0.1"):
        self.host, self.port = host, port
        self.lock = threading.RLock()
        self.clock = Clock()
        self.faults = Faults()
        self.notifier = Notifier(self.faults)
        self.requests = []
        self._routes = [
            (*getattr(type(self), name).route, getattr(self, name))
            for name in sorted(dir(type(self)))
            if hasattr(getattr(type(self), name), "route")
        ]
        self._server = None

    # === LIFE === #

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def start(self):
        """Begin to listen; return self. Port 0 takes a free one, and keeps it."""
        self._server = _Server((self.host, self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """Stop for good; harmless when it does not run."""
        self.notifier.stop()
        self._close()

    def refuse_connections(self, refused):
        """Be unreachable, or reachable again on the same port; state is kept."""
        if refused:
            self._close()
        elif self._server is None:
            self.start()

    def _close(self):
        server, self._server = self._server, None
        if server:
            server.shutdown()
            server.server_close()
            server.close_connections()

    # === REQUESTS === #

    def received(self, call=None):
        """Return the requests so far, of one call."""
        with self.lock:
            return [one for one in self.requests if call in (None, one.call)]

    def dispatch(self, request):
        """Find the handler of a request, run it as the faults allow; None loses the answer."""
        for method, pattern, call, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                request.call = call
                return self._run(request, handler, match.groupdict())
        return Answer({"message": "Not found"}, 404)

    def _run(self, request, handler, arguments):
        with self.lock:
            request.at = self.clock()
            self.requests.append(request)
        fault = self.faults.take(request.call)
        time.sleep(fault.slow_s)
        if fault.drop:
            return None
        if fault.status:
            return Answer({"message": "Service unavailable"}, fault.status)
        if fault.html == "undone":
            return _html_page()
        if fault.answer is not None:
            return Answer(fault.answer)
        with self.lock:
            request.fault = fault  # a handler that signs its answer looks at .forge
            try:
                answer = handler(request, **arguments)
            except Refuse as refused:
                answer = refused.answer
        if not isinstance(answer, Answer):
            answer = Answer(answer)
        time.sleep(fault.late_s)
        if fault.lose:
            return None
        if fault.html:
            return _html_page()
        answer.drip_s = fault.drip_s
        if fault.change and isinstance(answer.body, dict):
            answer.body = overwrite(answer.body, fault.change)
        return answer

    # === CONTROL === #

    def snapshot(self):
        """Return the state as plain values, for ``GET /_control``."""
        return {}

    @route("GET", "/_control")
    def control(self, _request):
        return {
            "name": self.name,
            "requests": [
                {"call": one.call, "method": one.method, "path": one.path, "status": one.status}
                for one in self.requests
            ],
            "faults": self.faults.as_json(),
            "deliveries": [vars(one) for one in self.notifier.deliveries],
            "state": self.snapshot(),
        }

    @route("POST", "/_control/faults")
    def control_faults(self, request):
        try:
            self.faults.add(**request.json())
        except TypeError as error:
            refuse(400, {"message": str(error)})
        return {"ok": True}

    @route("POST", "/_control/clear")
    def control_clear(self, _request):
        self.faults.clear()
        self.notifier.release()
        return {"ok": True}

    @route("POST", "/_control/advance")
    def control_advance(self, request):
        self.clock.advance(float(request.json()["seconds"]))
        return {"ok": True}

    @route("POST", "/_control/do/<action>")
    def control_do(self, request, action):
        if action not in self.actions:
            refuse(404, {"message": f"actions: {', '.join(self.actions)}"})
        return {"result": getattr(self, action)(**request.json())}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, simulator):
        self.simulator = simulator
        self._open = set()
        super().__init__(address, _Handler)

    def process_request(self, request, client_address):
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self):
        """End connections that clients keep open: a dead gateway answers nobody."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """A client that hung up is no error of the gateway."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of an answer leave in one packet

    def answer(self):
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > MAX_BODY:
            self.send_error(413)
            return
        split = urlsplit(self.path)
        request = Received(
            "",
            self.command,
            split.path,
            dict(parse_qsl(split.query, keep_blank_values=True)),
            self.headers,
            self.rfile.read(int(length)),
        )
        answer = self.server.simulator.dispatch(request)
        if answer is None:
            self.close_connection = True
            return
        request.status = answer.status
        self.send(answer)

    do_GET = do_POST = answer

    def send(self, answer):
        body, kind = answer.body, "text/html; charset=utf-8"
        if isinstance(body, dict | list):
            body, kind = json.dumps(body), "application/json"
        elif isinstance(body, bytes):
            kind = "application/octet-stream"
        data = body.encode() if isinstance(body, str) else body
        self.send_response(answer.status)
        for name, value in {"Content-Type": kind, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(OSError):  # the client may have given up: that is what late_s is for
            for piece in [data[i : i + 1] for i in range(len(data))] if answer.drip_s else [data]:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(answer.drip_s)

    def log_message(self, *_args):
        """Requests are in ``simulator.requests``."""


def _html_page():
    return Answer(page("Please wait", "<p>The service is being maintained.</p>"))


def main(simulator):
    """Run a simulator class by hand, until it is interrupted: ``--port N``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # for the server's threads as well
    with simulator(options.port) as running:
        print(f"{running.name} on {running.url}", flush=True)
        signal.sigwait(signals)
