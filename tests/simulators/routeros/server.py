"""Connections of the simulator: sentences in, answers out, faults in between."""

import asyncio
import heapq
import itertools
import socket
import struct
from collections import deque

from .errors import Fatal, Trap
from .request import Answer, Request
from .router import Session
from .wire import Decoder, ProtocolViolation, encode_sentence, split_words

HANG_POLL_S = 0.01


class Stream:
    """A command that runs until it is cancelled."""

    def end(self):
        """Nothing has begun yet."""


class Connection(asyncio.Protocol):
    """One client.

    Commands wait in ``inbox`` until the time the link takes has passed; answers wait in ``lanes``,
    one per tag. Lanes take turns, so answers to tagged commands come interleaved; answers of one
    lane, such as that of commands without a tag, keep their order.
    """

    def __init__(self, server):
        self.server = server
        self.router = server.router
        self.faults = server.router.faults
        self.decoder = Decoder()
        self.inbox = []
        self.numbers = itertools.count()
        self.lanes = {}
        self.streams = {}  # tag -> Stream
        self.timer = None
        self.writable = True
        self.pumping = False
        self.open = False

    # === TRANSPORT === #

    def connection_made(self, transport):
        self.transport = transport
        self.open = True
        peer = transport.get_extra_info("peername")
        self.session = Session(peer[0] if peer else "")
        transport.set_write_buffer_limits(high=256 * 1024)
        self.socket = transport.get_extra_info("socket")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.connections.add(self)
        self.server.accepted += 1

    def connection_lost(self, _error):
        self.open = False
        self.server.connections.discard(self)
        if self.timer:
            self.timer.cancel()
        with self.router.lock:
            for stream in list(self.streams.values()):
                stream.end()
            self.streams.clear()
            self.router.close(self.session)
        self.lanes.clear()

    def pause_writing(self):
        self.writable = False

    def resume_writing(self):
        self.writable = True
        self.pump()

    def reset(self):
        """End the connection with a TCP reset, as a router that lost its power seems to do."""
        if self.open:
            self.open = False
            try:
                linger = struct.pack("ii", 1, 0)  # on, 0 seconds: closing sends a reset
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            except OSError:
                pass  # the client was faster; under TLS this is heard of a little later
            self.transport.abort()

    # === COMMANDS IN === #

    def data_received(self, data):
        try:
            sentences = self.decoder.feed(data)
        except ProtocolViolation as violation:
            self.server.violations.append(str(violation))
            self.reset()
            return
        now = self.server.loop.time()
        for words in sentences:
            due = now + self.faults.latency()
            heapq.heappush(self.inbox, (due, next(self.numbers), Request.parse(words)))
        self.work()

    def work(self):
        """Do the commands whose time has come, and wait for the next one."""
        self.timer = self.timer and self.timer.cancel()
        loop = self.server.loop
        while self.inbox and self.open:
            wait = HANG_POLL_S if self.faults.hang else self.inbox[0][0] - loop.time()
            if wait > 0:
                self.timer = loop.call_later(wait, self.work)
                break
            self.handle(heapq.heappop(self.inbox)[2])
        self.pump()

    def handle(self, request):
        self.server.commands += 1
        try:
            with self.router.lock:
                answer = self.answer(request)
        except Fatal as fatal:
            self.send(encode_sentence("!fatal", str(fatal)))
            self.transport.close()
            self.open = False
            return
        except Trap as trap:
            answer = Answer(traps=trap.messages)
        if answer.stream:
            self.begin_stream(request.tag, answer)
        else:
            self.queue(request.tag, answer.pieces(request.tag), answer.after)

    def answer(self, request):
        if request.command == "/login":
            return Answer(done=self.router.login(self.session, request))
        if self.session.user is None:
            raise Fatal("not logged in")
        if request.command == "/cancel":
            return self.cancel(request)
        return self.router.execute(self.session, request)

    def begin_stream(self, tag, answer):
        """Start a command that goes on until /cancel; its rows go to the lane of its tag."""

        def emit(bodies):
            if self.streams.get(tag) is mine:
                self.queue(tag, Answer(bodies).pieces(tag, last=False))
                self.pump()

        def finish():
            if self.streams.get(tag) is mine:
                del self.streams[tag]
                self.queue(tag, Answer().pieces(tag))
                self.pump()

        def from_any_thread(function):
            return lambda *args: self.server.loop.call_soon_threadsafe(function, *args)

        mine = Stream()
        self.streams[tag] = mine
        self.queue(tag, answer.pieces(tag, last=False))
        mine.end = answer.stream(from_any_thread(emit), from_any_thread(finish))

    def cancel(self, request):
        """Interrupt the command with a tag, or all: streams, and answers too long to be sent yet."""
        self.pump()
        running = [*self.streams, *(tag for tag in self.lanes if tag not in self.streams)]
        if "tag" in request.attributes:
            running = [tag for tag in running if tag == request.attributes["tag"]]
        for tag in running:
            if tag in self.streams:
                self.streams.pop(tag).end()
            self.lanes.pop(tag, None)
            self.queue(tag, Answer(traps=[("interrupted", 2)]).pieces(tag))
        return Answer()

    # === ANSWERS OUT === #

    def queue(self, tag, pieces, after=None):
        pieces = iter(pieces)
        first = next(pieces, None)
        if first is not None:
            self.lanes.setdefault(tag, deque()).append([first, pieces, after])

    def pump(self):
        """Write one piece of each lane; come back for more when the client has been heard."""
        for tag in list(self.lanes):
            if not (self.writable and self.open):
                return
            self.write_piece(tag)
        if self.lanes and not self.pumping:
            self.pumping = True
            self.server.loop.call_soon(self.pump_again)

    def pump_again(self):
        self.pumping = False
        self.pump()

    def write_piece(self, tag):
        lane = self.lanes[tag]
        piece, pieces, after = lane[0]
        lane[0][0] = next(pieces, None)
        if lane[0][0] is None:
            lane.popleft()
            if not lane:
                del self.lanes[tag]
        self.send(piece)
        if after:
            self.server.loop.call_soon(after)

    def send(self, data):
        """Write whole sentences, or what the faults leave of them."""
        if self.faults.swallow_replies or not self.open:
            return
        cut = self.cut(data)
        if cut is not None:
            data = data[:cut]
        if self.faults.byte_by_byte:
            for position in range(len(data)):
                self.transport.write(data[position : position + 1])
        else:
            self.transport.write(data)
        if cut is not None:
            self.drop()

    def cut(self, data):
        """How many bytes to write before the connection is dropped; None: it is not."""
        faults = self.faults
        if faults.drop_after_words is None and not faults.drop_mid_word:
            return None
        left = faults.drop_after_words or 0
        for start, begin, end in split_words(data):
            if end == begin:  # the end of a sentence
                continue
            if left <= 0:
                middle, faults.drop_after_words = faults.drop_mid_word, None
                faults.drop_mid_word = False
                return begin + (end - begin) // 2 if middle else start
            left -= 1
        faults.drop_after_words = left
        return None

    def drop(self):
        """Hang up behind what was written; what waits is lost."""
        self.lanes.clear()
        self.inbox.clear()
        self.transport.close()
        self.open = False
