"""A strict NAS on loopback: logs subscribers in by RADIUS, reports their sessions, takes CoA.

    with Nas("127.0.0.7", "shared-secret", auth_port=1812, acct_port=1813) as nas:
        session = nas.login("karim", "password")     # Access-Request, then Start
        nas.interim(session)
        ...
        nas.wait_for("disconnect")                   # until such a command was obeyed

It refuses what RouterOS refuses: a request that is unsigned, badly signed or stale is dropped
without a word, a session that does not fit is NAKed, and so is a change that CoA cannot make.
``nas.faults`` makes it misbehave. Signatures are checked here by hand, not by the library the suite
sends with.
"""

import hashlib
import hmac
import itertools
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pyrad import packet
from pyrad.dictionary import Dictionary

_DICTIONARY = Dictionary(
    str(Path(__file__).resolve().parents[2] / "addons/isp_network/radius/dictionary")
)
_COA, _DISCONNECT = packet.CoARequest, packet.DisconnectRequest
_KINDS = {_COA: "coa", _DISCONNECT: "disconnect"}
_MESSAGE_AUTHENTICATOR = 80
_STALE_S = 300
# What RouterOS changes on a session that is up ("RADIUS" in its manual, seen 2026).
_CHANGEABLE = {
    "Mikrotik-Rate-Limit",
    "Mikrotik-Recv-Limit",
    "Mikrotik-Xmit-Limit",
    "Mikrotik-Group",
    "Mikrotik-Mark-Id",
    "Session-Timeout",
    "Idle-Timeout",
    "Filter-Id",
    "Port-Limit",
    "WISPr-Bandwidth-Max-Up",
    "WISPr-Bandwidth-Max-Down",
}
_IDENTITY = {"User-Name", "Acct-Session-Id", "Framed-IP-Address", "NAS-IP-Address"}
_IGNORED = {"Message-Authenticator", "Event-Timestamp"}


@dataclass
class Faults:
    """What goes wrong. Everything can be changed while the NAS runs."""

    silent: bool = False  # answers no command at all
    drop_first: int = 0  # ignores so many datagrams, as a bad line does
    delay_s: float = 0.0  # answers late
    nak: str | None = None  # refuses everything with this Error-Cause
    copies: int = 1  # how often each answer is sent
    forge: bool = False  # answers are signed with another secret
    garbage: bool = False  # sends rubbish before each answer
    lie: bool = False  # acknowledges a disconnect and goes on
    mute_accounting: bool = False  # reports nothing


@dataclass(eq=False)
class Session:
    """A subscriber who is online."""

    id: str
    username: str
    password: str
    mac: str
    ip: str
    reply: dict
    started: float
    class_value: bytes | None = None
    rate: str | None = None
    timeout_s: int | None = None  # counts from the beginning of the session
    input_octets: int = 0
    output_octets: int = 0


@dataclass
class Command:
    """A CoA or Disconnect that was understood; ``at`` is a time.monotonic()."""

    at: float
    kind: str
    username: str | None
    session_id: str | None
    outcome: str
    changes: dict = field(default_factory=dict)


class Nas:
    """One router.

    :param address: 127.0.0.N, which its packets come from and where it takes commands
    :param require_signature: drop commands without Message-Authenticator
    :param redial_s: log a disconnected subscriber in again after so many seconds; None does not
    """

    def __init__(
        self, address, secret, auth_port=0, acct_port=0, require_signature=True, redial_s=None
    ):
        self.address = address
        self.secret = secret.encode()
        self.auth_port, self.acct_port = auth_port, acct_port
        self.require_signature = require_signature
        self.redial_s = redial_s
        self.faults = Faults()
        self.sessions = {}
        self.commands = []
        self.received = self.dropped = self.duplicates = 0
        self.logins = []  # (time.monotonic(), username, reply or None)
        self.coa_port = None
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._answers = {}
        self._socket = None
        self._thread = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def start(self):
        """Begin to listen on a free port; return self."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, 0))
        self.coa_port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, args=(self._socket,), daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """Stop listening; harmless when it does not."""
        if self._socket is None:
            return
        listening, self._socket = self._socket, None
        with suppress(OSError):
            # close() alone would leave the thread waiting in recvfrom().
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        self._thread.join(5)

    def wait_for(self, kind=None, count=1, seconds=10, **fields):
        """Return the commands of this kind that were obeyed, once there are ``count``."""
        found = []

        def there_are_enough():
            found[:] = [
                command
                for command in self.commands
                if command.outcome == "ack"
                and kind in (None, command.kind)
                and all(getattr(command, name) == value for name, value in fields.items())
            ]
            return len(found) >= count

        with self._changed:
            if not self._changed.wait_for(there_are_enough, seconds):
                raise AssertionError(
                    f"{self.address}: {len(found)} of {count} {kind} {fields}: {self.commands}"
                )
        return found

    def wait_for_login(self, username, after, seconds=10):
        """Return ``(time, reply)`` of the first login of a subscriber after a moment."""
        found = []

        def has_logged_in():
            found[:] = [
                (at, reply) for at, who, reply in self.logins if who == username and at >= after
            ]
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(has_logged_in, seconds):
                raise AssertionError(f"{self.address}: {username} did not log in")
        return found[0]

    # === RADIUS CLIENT === #

    def login(self, username, password, mac="02:00:00:00:00:01", start=True):
        """Ask for access; return the session, None when it was refused or not answered.

        :param start: report the session's beginning
        """
        request = packet.AuthPacket(
            code=packet.AccessRequest, secret=self.secret, dict=_DICTIONARY, id=self._number()
        )
        session_id = f"{self.address.rsplit('.', 1)[1]}-{next(self._numbers):06x}"
        request["User-Name"] = username
        request["User-Password"] = request.PwCrypt(password)
        request["Service-Type"] = "Framed-User"
        request["Framed-Protocol"] = "PPP"
        request["NAS-Port-Type"] = "Ethernet"
        request["NAS-IP-Address"] = self.address
        request["Calling-Station-Id"] = mac
        request["Acct-Session-Id"] = session_id
        request.add_message_authenticator()
        reply = self._ask(request, self.auth_port)
        values = None
        if reply is not None and reply.code == packet.AccessAccept:
            values = _values(reply)
        session = None
        if values is not None:
            session = self._open_session(session_id, username, password, mac, values)
            if start:
                self.account(session, "Start")
        with self._changed:
            self.logins.append((time.monotonic(), username, values))
            self._changed.notify_all()
        return session

    def _open_session(self, session_id, username, password, mac, values):
        number = int(session_id.rsplit("-", 1)[1], 16)
        last = int(self.address.rsplit(".", 1)[1])
        session = Session(
            session_id,
            username,
            password,
            mac,
            values.get("Framed-IP-Address") or f"10.{last}.{number // 250}.{number % 250 + 1}",
            values,
            time.monotonic(),
            values.get("Class"),
            values.get("Mikrotik-Rate-Limit"),
            values.get("Session-Timeout"),
        )
        with self._changed:
            self.sessions[session_id] = session
        return session

    def interim(self, session, octets=1000):
        """Report a session that goes on."""
        session.input_octets += octets
        session.output_octets += 10 * octets
        return self.account(session, "Interim-Update")

    def hang_up(self, session, cause="User-Request"):
        """End a session and report it."""
        with self._changed:
            self.sessions.pop(session.id, None)
        return self.account(session, "Stop", cause)

    def expire(self, session, after_s):
        """End a session whose time is over after so many seconds online; return whether it was.

        RFC 2865 counts Session-Timeout from the beginning; a CoA replaces the value.
        """
        if session.timeout_s is None or after_s < session.timeout_s:
            return False
        self.hang_up(session, "Session-Timeout")
        return True

    def account(self, session, status, cause=None):
        """Send an accounting packet; return whether it was acknowledged."""
        if self.faults.mute_accounting:
            return False
        request = packet.AcctPacket(secret=self.secret, dict=_DICTIONARY, id=self._number())
        request["Acct-Status-Type"] = status
        request["User-Name"] = session.username
        request["Acct-Session-Id"] = session.id
        request["NAS-IP-Address"] = self.address
        request["Framed-IP-Address"] = session.ip
        request["Calling-Station-Id"] = session.mac
        request["Acct-Session-Time"] = int(time.monotonic() - session.started)
        for name, total in (("Input", session.input_octets), ("Output", session.output_octets)):
            request[f"Acct-{name}-Octets"] = total & 0xFFFFFFFF
            request[f"Acct-{name}-Gigawords"] = total >> 32
        if session.class_value is not None:
            request["Class"] = session.class_value
        if cause:
            request["Acct-Terminate-Cause"] = cause
        return self._ask(request, self.acct_port) is not None

    def _ask(self, request, port, tries=3, timeout=2.0):
        octets = request.RequestPacket()
        signed = request.code == packet.AccessRequest
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind((self.address, 0))
            asking.settimeout(timeout)
            for _try in range(tries):
                asking.sendto(octets, ("127.0.0.1", port))
                with suppress(TimeoutError):
                    raw = asking.recv(4096)
                    reply = request.CreateReply(packet=raw)
                    # RouterOS 7.15 drops a reply without signature.
                    if request.VerifyReply(reply, raw, enforce_ma=signed):
                        return reply
        return None

    def _number(self):
        return next(self._numbers) % 256

    # === COMMANDS === #

    def _listen(self, listening):
        while True:
            try:
                octets, sender = listening.recvfrom(4096)
            except OSError:
                return
            if not octets:
                return
            with self._changed:
                self.received += 1
            if self.faults.drop_first > 0:
                self.faults.drop_first -= 1
            elif not self.faults.silent:
                self._take(octets, sender)

    def _take(self, octets, sender):
        if not self._is_genuine(octets):
            with self._changed:
                self.dropped += 1
            return
        # The same packet again is answered again, but obeyed only once (RFC 5176, section 2.3).
        key = (sender, octets[:20])
        if key in self._answers:
            with self._changed:
                self.duplicates += 1
            answer = self._answers[key]
        else:
            answer = self._answers[key] = self._obey(octets)
        if answer is None:
            return
        if self.faults.delay_s:
            threading.Timer(self.faults.delay_s, self._reply, (answer, sender)).start()
        else:
            self._reply(answer, sender)

    def _reply(self, answer, sender):
        copies = [answer] * self.faults.copies
        if self.faults.garbage:
            copies.insert(0, answer[:4] + bytes(16) + answer[20:])
            copies.insert(0, b"\x29" + answer[1:2] + b"\xff\xff")
        for octets in copies:
            with suppress(OSError, AttributeError):  # stopped meanwhile
                self._socket.sendto(octets, sender)

    def _is_genuine(self, octets):
        """Whether length and both signatures are right and the packet is not old."""
        if len(octets) < 20 or octets[0] not in _KINDS:
            return False
        if struct.unpack("!H", octets[2:4])[0] != len(octets):
            return False
        expected = hashlib.md5(octets[:4] + bytes(16) + octets[20:] + self.secret).digest()
        if not hmac.compare_digest(expected, octets[4:20]):
            return False
        attributes = dict(_split(octets[20:]))
        signature = attributes.get(_MESSAGE_AUTHENTICATOR)
        if signature is None:
            return not self.require_signature
        blank = octets.replace(signature, bytes(16), 1)
        text = blank[:4] + bytes(16) + blank[20:]
        if not hmac.compare_digest(hmac.new(self.secret, text, "md5").digest(), signature):
            return False
        stamp = attributes.get(55)
        return stamp is None or abs(time.time() - struct.unpack("!I", stamp)[0]) < _STALE_S

    def _obey(self, octets):
        request = packet.CoAPacket(secret=self.secret, dict=_DICTIONARY, packet=octets)
        values = _values(request)
        kind = _KINDS[request.code]
        session = self.sessions.get(values.get("Acct-Session-Id"))
        changes = {
            name: value for name, value in values.items() if name not in _IDENTITY | _IGNORED
        }
        cause = self.faults.nak or self._refusal(kind, values, session, changes)
        outcome = cause or "ack"
        with self._changed:
            if not cause and kind == "coa":
                session.rate = changes.get("Mikrotik-Rate-Limit", session.rate)
                session.timeout_s = changes.get("Session-Timeout", session.timeout_s)
                session.reply = {**session.reply, **changes}
            if not cause and kind == "disconnect" and not self.faults.lie:
                del self.sessions[session.id]
            self.commands.append(
                Command(
                    time.monotonic(),
                    kind,
                    values.get("User-Name"),
                    values.get("Acct-Session-Id"),
                    outcome,
                    changes,
                )
            )
            self._changed.notify_all()
        if not cause and kind == "disconnect" and not self.faults.lie:
            threading.Thread(target=self._after_disconnect, args=(session,), daemon=True).start()
        return self._sign(request, cause)

    @staticmethod
    def _refusal(kind, values, session, changes):
        """Error-Cause with which a command is refused, None to obey."""
        if "Acct-Session-Id" not in values and "User-Name" not in values:
            return "Missing-Attribute"
        if session is None:
            return "Session-Context-Not-Found"
        known = {"User-Name": session.username, "Framed-IP-Address": session.ip}
        if any(values.get(name, value) != value for name, value in known.items()):
            return "Session-Context-Not-Found"
        if kind == "disconnect":
            return "Unsupported-Attribute" if changes else None
        if not changes:
            return "Missing-Attribute"
        return "Unsupported-Attribute" if changes.keys() - _CHANGEABLE else None

    def _sign(self, request, cause):
        answer = request.CreateReply()
        if cause:
            answer.code = {_COA: packet.CoANAK, _DISCONNECT: packet.DisconnectNAK}[request.code]
            answer["Error-Cause"] = cause
        answer.add_message_authenticator()
        if self.faults.forge:
            answer.secret = b"another secret"
        return answer.ReplyPacket()

    def _after_disconnect(self, session):
        if self.acct_port:
            self.account(session, "Stop", "Admin-Reset")
        if self.redial_s is not None:
            time.sleep(self.redial_s)
            self.login(session.username, session.password, session.mac)


def _values(message):
    """The first value of each attribute the dictionary knows."""
    names = [name for name in message.keys() if isinstance(name, str)]  # noqa: SIM118 - by name
    return {name: message[name][0] for name in names}


def _split(attributes):
    """Split raw attributes into (type, value); what does not add up ends the list."""
    while len(attributes) >= 2 and 2 <= attributes[1] <= len(attributes):
        yield attributes[0], attributes[2 : attributes[1]]
        attributes = attributes[attributes[1] :]
