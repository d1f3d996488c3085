"""Tells routers about sessions that are online: CoA and Disconnect (RFC 5176) over UDP.

:func:`send` takes requests for any number of routers and returns one :class:`Answer` each. All of
them are in flight together, so a router that is slow or silent holds back nobody else's. Plain
Python on pyrad, without Odoo and without a database.
"""

import heapq
import itertools
import selectors
import socket
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pyrad import packet
from pyrad.dictionary import Dictionary

# What became of a request.
ACK = "ack"
NAK = "nak"
SILENCE = "silence"  # no answer, or only answers whose signature is wrong
SKIPPED = "skipped"  # not sent: the router answered nothing before
INVALID = "invalid"  # not sent: a value cannot be written into a packet

SESSION_NOT_FOUND = "Session-Context-Not-Found"

_CODES = {"coa": packet.CoARequest, "disconnect": packet.DisconnectRequest}
_ANSWER_CODES = {
    packet.CoARequest: (packet.CoAACK, packet.CoANAK),
    packet.DisconnectRequest: (packet.DisconnectACK, packet.DisconnectNAK),
}
_IDS_PER_SOCKET = 256
_ERROR_CAUSE = 101


@dataclass(frozen=True)
class Timing:
    """When to repeat and when to give up; seconds.

    Every copy of a request is the same packet, so a router recognises the second as a duplicate.
    """

    send_at: tuple = (0.0, 0.5, 1.5)
    give_up: float = 3.0
    # Each disconnect is followed by a login, which costs more than the disconnect.
    disconnects_per_second: float = 50.0
    window: int = 32  # requests in flight to one router
    window_unheard: int = 8  # the same, until its first answer
    max_sockets: int = 8


@dataclass(frozen=True)
class Request:
    """One change of one session.

    :param key: whatever the caller knows it by
    :param kind: ``coa`` or ``disconnect``
    :param attributes: ``{name: value}`` as in the dictionary; they identify the session and, for
        a CoA, say what changes
    """

    key: object
    kind: str
    host: str
    port: int
    secret: bytes = field(repr=False)
    attributes: dict


@dataclass
class Answer:
    """What became of a request; ``error_cause`` is the name a NAK gives, or its number."""

    key: object
    outcome: str
    error_cause: str | None = None
    detail: str | None = None
    sends: int = 0
    seconds: float = 0.0
    bad_answers: int = 0

    @property
    def is_gone(self):
        """Whether the router says it has no such session."""
        return self.outcome == NAK and self.error_cause == SESSION_NOT_FOUND


@cache
def dictionary():
    """The attributes known here."""
    return Dictionary(str(Path(__file__).with_name("dictionary")))


def build(request, number):
    """Return the signed pyrad packet of a request and its octets.

    :raises ValueError: when a value does not fit its attribute
    """
    message = packet.CoAPacket(
        code=_CODES[request.kind], id=number, secret=request.secret, dict=dictionary()
    )
    # Not pyrad's default for CoA, and a router that asks for signatures drops what has none.
    message.add_message_authenticator()
    message["Event-Timestamp"] = int(time.time())
    try:
        for name, value in request.attributes.items():
            message[name] = value
        return message, message.RequestPacket()
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def read_answer(message, octets):
    """Return ``(outcome, error cause)`` of a datagram, or None unless it truly answers it."""
    try:
        answer = message.CreateReply(packet=octets)
        if not message.VerifyReply(answer, octets):
            return None
    except (packet.PacketError, ValueError, IndexError):
        return None
    ack, nak = _ANSWER_CODES[message.code]
    if answer.code == ack:
        return ACK, None
    return (NAK, _error_cause(answer)) if answer.code == nak else None


def _error_cause(answer):
    values = answer.get(_ERROR_CAUSE)
    if not values:
        return None
    number = int.from_bytes(values[0], "big")
    names = dictionary().attributes["Error-Cause"].values
    raw = number.to_bytes(4, "big")
    return names.GetBackward(raw) if names.HasBackward(raw) else str(number)


def send(requests, timing=None, source=""):
    """Send all requests and return an :class:`Answer` for each, in their order.

    Takes no longer than the slowest router: about ``timing.give_up`` seconds, plus the pace of its
    disconnects.

    :param source: address of this machine to send from, any by default
    """
    requests = list(requests)
    exchange = _Exchange(timing or Timing(), source)
    try:
        found = exchange.run(requests)
    finally:
        exchange.close()
    return [found[index] for index in range(len(requests))]


class _Router:
    """What is waiting for one router, and what is known about it."""

    def __init__(self):
        self.queue = deque()
        self.in_flight = 0
        self.next_disconnect = 0.0
        self.heard = False
        self.unanswered = 0


class _Flight:
    """A request on its way."""

    def __init__(self, index, request, router, port, number):
        self.index, self.request, self.router = index, request, router
        self.port, self.number = port, number
        self.started = 0.0
        self.sends = self.bad_answers = 0
        self.message = self.octets = None
        self.done = False


class _Port:
    """A socket and the packet numbers that are free on it; the longest unused comes first."""

    def __init__(self, source):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((source, 0))
        self.free = deque(range(_IDS_PER_SOCKET))
        self.flights = {}


class _Exchange:
    """The loop of :func:`send`."""

    def __init__(self, timing, source):
        self._timing = timing
        self._source = source
        self._selector = selectors.DefaultSelector()
        self._ports = []
        self._routers = {}
        self._timers = []
        self._sequence = itertools.count()
        self._answers = {}

    def close(self):
        for port in self._ports:
            port.socket.close()
        self._selector.close()

    def run(self, requests):
        for index, request in enumerate(requests):
            router = self._routers.setdefault((request.host, request.port), _Router())
            router.queue.append((index, request))
        while len(self._answers) < len(requests):
            now = time.monotonic()
            self._run_timers(now)
            wake = self._start_what_may(now)
            if self._timers:
                wake = min(wake, self._timers[0][0])
            if len(self._answers) == len(requests):
                break
            for key, _events in self._selector.select(max(0.0, wake - time.monotonic())):
                self._receive(key.data)
        return self._answers

    # === SENDING === #

    def _start_what_may(self, now):
        """Start as many requests as windows and paces allow; return when to look again."""
        wake = now + self._timing.give_up
        for router in self._routers.values():
            wake = min(wake, self._start_for(router, now))
        return wake

    def _start_for(self, router, now):
        timing = self._timing
        if not router.heard and router.unanswered >= timing.window_unheard:
            while router.queue:
                index, request = router.queue.popleft()
                self._answers[index] = Answer(request.key, SKIPPED)
        window = timing.window if router.heard else timing.window_unheard
        while router.queue and router.in_flight < window:
            index, request = router.queue[0]
            if request.kind == "disconnect" and now < router.next_disconnect:
                return router.next_disconnect
            port = self._free_port()
            if port is None:
                break
            router.queue.popleft()
            if request.kind == "disconnect":
                pause = 1.0 / timing.disconnects_per_second
                router.next_disconnect = max(now, router.next_disconnect) + pause
            self._start(_Flight(index, request, router, port, port.free.popleft()), now)
        return now + timing.give_up

    def _free_port(self):
        for port in self._ports:
            if port.free:
                return port
        if len(self._ports) == self._timing.max_sockets:
            return None
        port = _Port(self._source)
        self._ports.append(port)
        self._selector.register(port.socket, selectors.EVENT_READ, port)
        return port

    def _start(self, flight, now):
        flight.started = now
        flight.port.flights[flight.number] = flight
        flight.router.in_flight += 1
        try:
            flight.message, flight.octets = build(flight.request, flight.number)
        except ValueError as error:
            self._finish(flight, INVALID, detail=str(error))
            return
        self._transmit(flight)

    def _transmit(self, flight):
        timing = self._timing
        address = (flight.request.host, flight.request.port)
        try:
            with suppress(BlockingIOError):  # the send buffer is full: the next copy gets through
                flight.port.socket.sendto(flight.octets, address)
        except OSError as error:  # no route, for instance
            flight.router.unanswered += 1
            self._finish(flight, SILENCE, detail=error.strerror or str(error))
            return
        flight.sends += 1
        due = timing.give_up
        if flight.sends < len(timing.send_at):
            due = timing.send_at[flight.sends]
        heapq.heappush(self._timers, (flight.started + due, next(self._sequence), flight))

    def _run_timers(self, now):
        while self._timers and self._timers[0][0] <= now:
            flight = heapq.heappop(self._timers)[2]
            if flight.done:
                continue
            if flight.sends < len(self._timing.send_at):
                self._transmit(flight)
            else:
                flight.router.unanswered += 1
                self._finish(flight, SILENCE)

    # === RECEIVING === #

    def _receive(self, port):
        while True:
            try:
                octets, address = port.socket.recvfrom(4096)
            except (BlockingIOError, ConnectionError):
                return
            flight = port.flights.get(octets[1]) if len(octets) >= 20 else None
            if flight is None or address != (flight.request.host, flight.request.port):
                continue  # late, repeated, or from somebody else
            found = read_answer(flight.message, octets)
            if found is None:
                flight.bad_answers += 1
                continue
            flight.router.heard = True
            self._finish(flight, *found)

    def _finish(self, flight, outcome, error_cause=None, detail=None):
        flight.done = True
        flight.router.in_flight -= 1
        del flight.port.flights[flight.number]
        flight.port.free.append(flight.number)
        self._answers[flight.index] = Answer(
            flight.request.key,
            outcome,
            error_cause,
            detail,
            flight.sends,
            time.monotonic() - flight.started,
            flight.bad_answers,
        )
