"""A session with one router: librouteros' transport and protocol, with many commands in flight.

librouteros itself answers one command after the other, turns "123" into a number and reads byte by
byte. Here every command carries a tag, words stay the bytes they are, and sentences are cut from a
buffer. Words are never logged: they hold passwords.
"""

import hashlib
import hmac
import re
import ssl
import time
from dataclasses import dataclass

from librouteros import create_transport
from librouteros.exceptions import LibRouterosError
from librouteros.login import encode_password
from librouteros.protocol import ApiProtocol, encode_sentence

from .errors import CommandError, Refused, Unreachable, UntrustedCertificate, classify

PLAIN_PORT = 8728
TLS_PORT = 8729
# Commands on their way at a time. Their bytes have to fit into the router's receive buffer: we do
# not read while we write.
WINDOW = 128
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Target:
    """Where a router is and how to log in.

    :param tls: ``None`` for the clear port, ``"verify"`` for a certificate that is checked against
        ``ca_pem`` or the system's authorities, ``"pin"`` for the one with this ``fingerprint``
    :param timeout_s: silence after which the router counts as gone
    :param deadline_s: longest life of the session, however busy
    """

    host: str
    port: int = PLAIN_PORT
    user: str = "isp"
    password: str = ""
    tls: str | None = None
    fingerprint: str = ""
    ca_pem: str | None = None
    timeout_s: float = 10.0
    deadline_s: float = 300.0

    def __repr__(self):
        return f"Target({self.host}:{self.port})"


@dataclass(slots=True)
class Reply:
    """Answer to one command: rows as lists of words, the words of ``!done``, and a failure."""

    rows: list
    done: list
    error: CommandError | None = None

    def ret(self):
        """What the command returned, such as the ``.id`` of a new row; empty without a value."""
        for word in self.done:
            if word.startswith(b"=ret="):
                return word[5:].decode("utf-8", "replace")
        return ""


class TaggedProtocol(ApiProtocol):
    """librouteros' protocol with buffered reading and with sentences as lists of bytes."""

    def __init__(self, transport, encoding="utf-8", deadline_s=300.0):
        super().__init__(transport=transport, encoding=encoding)
        self._buffer = b""
        self._position = 0
        self._deadline = time.monotonic() + deadline_s

    def writeSentence(self, cmd, *words):
        """Send one sentence, without the debug log of librouteros."""
        self.transport.write(encode_sentence(cmd, *words, encoding=self.encoding))

    def readSentence(self):
        """The next sentence as ``(reply word, other words)`` in bytes, waiting for it."""
        while (sentence := self.next_sentence()) is None:
            self.fill()
        return sentence[0], sentence[1:]

    def next_sentence(self):
        """The next sentence of the buffer as a list of words, ``None`` when it is incomplete."""
        buffer, position = self._buffer, self._position
        size = len(buffer)
        words = []
        while True:
            try:
                while length := buffer[position]:
                    if length < 0x80:
                        position += 1
                    else:
                        length, position = _long_length(buffer, position)
                    end = position + length
                    if end > size:
                        return None
                    words.append(buffer[position:end])
                    position = end
            except IndexError:
                return None
            position += 1
            self._position = position
            if words:  # empty sentences mean nothing
                return words

    def fill(self):
        """Wait for more bytes.

        :raises Unreachable: when the line is closed or the session has lived too long
        """
        if time.monotonic() > self._deadline:
            raise Unreachable("the router answers too slowly")
        chunk = self.transport.sock.recv(_CHUNK)
        if not chunk:
            raise Unreachable("the router closed the connection")
        self._buffer = self._buffer[self._position :] + chunk
        self._position = 0


def _long_length(buffer, position):
    """``(length, position behind it)`` of a word of 128 bytes or more.

    :raises IndexError: when the length itself is not there yet
    """
    first = buffer[position]
    if first >= 0xF8:
        raise Unreachable("the router sent something that is not its API")
    more, mask = (1, 0x3F) if first < 0xC0 else (2, 0x1F) if first < 0xE0 else (3, 0x0F)
    if first >= 0xF0:
        more, mask = 4, 0
    end = position + 1 + more
    if end > len(buffer):
        raise IndexError
    low = int.from_bytes(buffer[position + 1 : end], "big")
    return (first & mask) << 8 * more | low, end


class Session:
    """A logged-in session. Use it as a context manager; after any time-out it is closed.

    Closing matters: a late answer would be taken for the next command's.
    """

    def __init__(self, protocol):
        self._protocol = protocol
        self._next_tag = 0
        self._version = None
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        """End the connection."""
        self.closed = True
        self._protocol.close()

    # === COMMANDS === #

    def call(self, command, *words):
        """The :class:`Reply` of one command.

        :raises RouterError: when the router refuses it, or is gone
        """
        [(_position, reply)] = self.stream([(command, *words)])
        if reply.error:
            raise reply.error
        return reply

    def stream(self, commands, window=WINDOW):
        """Run commands side by side; yield ``(position, Reply)`` as they are answered.

        The router may carry them out in any order, so commands that depend on each other belong
        into different calls.

        :param commands: iterable of tuples of words, the command first
        :raises Unreachable: when the line drops; what was not answered may or may not be done
        """
        if self.closed:
            raise Unreachable("the connection is closed")
        try:
            yield from self._stream(enumerate(commands), window)
        except GeneratorExit:
            # Answers to the rest are on their way.
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise Unreachable("the router does not answer") from None
        except (LibRouterosError, OSError, UnicodeError) as error:
            self.close()
            raise Unreachable(_say(error)) from None
        except Unreachable:
            self.close()
            raise

    def _stream(self, commands, window):
        protocol = self._protocol
        flying = {}
        exhausted = False
        while True:
            # Commands go out before we wait, so that the line is never empty.
            if not exhausted and len(flying) < window:
                exhausted = self._send(commands, flying, window)
            while (sentence := protocol.next_sentence()) is not None:
                if found := self._take(sentence, flying):
                    yield found
            if not exhausted and len(flying) < window:
                continue
            if not flying:
                return
            protocol.fill()

    def _send(self, commands, flying, window):
        """Fill up the window in one write; tell whether nothing is left."""
        packet = bytearray()
        exhausted = True
        for position, words in commands:
            tag = b".tag=%d" % self._next_tag
            self._next_tag += 1
            flying[tag] = (position, Reply([], []))
            packet += encode_sentence(*words, tag.decode(), encoding="utf-8")
            if len(flying) >= window:
                exhausted = False
                break
        if packet:
            self._protocol.transport.write(bytes(packet))
        return exhausted

    def _take(self, sentence, flying):
        """Add a sentence to the answer it belongs to; return a finished ``(position, Reply)``."""
        kind = sentence[0]
        if kind == b"!fatal":
            raise Unreachable(
                b" ".join(sentence[1:]).decode("utf-8", "replace") or "the router ended the session"
            )
        tag = sentence[1] if len(sentence) > 1 else b""
        if tag not in flying:
            # Some versions put the tag last.
            tag = next((word for word in sentence if word in flying), None)
            if tag is None:
                raise Unreachable("the router answered something that was not asked")
        if kind == b"!re":
            sentence.remove(tag)
            flying[tag][1].rows.append(sentence)
            return None
        reply = flying[tag][1]
        if kind == b"!trap":
            # The first trap names the cause, later ones follow from it.
            reply.error = reply.error or _trap(sentence)
        elif kind == b"!done":
            reply.done = sentence
            return flying.pop(tag)
        return None

    def print_rows(self, path, properties, query=()):
        """Rows of a menu as lists of words, ``!re`` and ``=.id=…`` included."""
        return self.call(*print_words(path, properties, query)).rows

    # === FACTS === #

    @property
    def version(self):
        """RouterOS version as numbers, such as ``(7, 16)``; ``(0,)`` when it is not told."""
        if self._version is None:
            rows = self.print_rows("/system/resource", ["version"])
            text = parse_row(rows[0]).get("version", "") if rows else ""
            self._version = parse_version(text)
        return self._version


def print_words(path, properties, query=()):
    """The words that print some properties of a menu; ``query`` are words such as ``?name=x``."""
    return (f"{path}/print", f"=.proplist={','.join(['.id', *properties])}", *query)


def parse_row(words):
    """``{property: text}`` of a row; values stay text, so "007" is no number."""
    row = {}
    for word in words:
        if word[:1] == b"=":
            name, _equals, value = word[1:].decode("utf-8", "replace").partition("=")
            row[name] = value
    return row


def parse_version(text):
    """Numbers of a version: ``(7, 16, 1)`` for "7.16.1 (stable)"."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found.group().split("."))) if found else (0,)


def _trap(sentence):
    row = parse_row(sentence)
    category = row.get("category", "")
    return classify(row.get("message", ""), int(category) if category.isdigit() else None)


def _say(error):
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


# === OPENING === #


def open_session(target):
    """Connect, check the certificate and log in.

    :raises Unreachable: no connection, or no RouterOS API behind it
    :raises UntrustedCertificate: the certificate is not the expected one
    :raises WrongPassword: user or password are not accepted
    """
    try:
        transport = create_transport(
            host=target.host,
            port=target.port,
            saddr=None,
            timeout=target.timeout_s,
            ssl_wrapper=_tls_wrapper(target) if target.tls else None,
        )
    except UntrustedCertificate:
        raise
    except ssl.SSLCertVerificationError as error:
        raise UntrustedCertificate(error.verify_message) from None
    except TimeoutError:
        raise Unreachable("the router does not answer") from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(_say(error)) from None
    session = Session(TaggedProtocol(transport, deadline_s=target.deadline_s))
    try:
        _log_in(session, target)
    except BaseException:
        session.close()
        raise
    return session


def _log_in(session, target):
    """Log in as RouterOS 6.43 and later do, and go on with the challenge of an older one."""
    reply = session.call("/login", f"=name={target.user}", f"=password={target.password}")
    if challenge := reply.ret():
        try:
            answer = encode_password(challenge, target.password)
        except ValueError:
            raise Refused("RouterOS before 6.43 knows ASCII passwords only") from None
        session.call("/login", f"=name={target.user}", f"=response={answer}")


def _tls_wrapper(target):
    context = _tls_context(target)

    def wrap(sock):
        try:
            wrapped = context.wrap_socket(sock, server_hostname=target.host)
            if target.tls == "pin":
                _check_fingerprint(wrapped, target.fingerprint)
        except BaseException:
            sock.close()
            raise
        return wrapped

    return wrap


def _tls_context(target):
    if target.tls == "verify":
        return ssl.create_default_context(cadata=target.ca_pem or None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The fingerprint is compared instead: routers sign their certificates themselves.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _check_fingerprint(wrapped, expected):
    shown = hashlib.sha256(wrapped.getpeercert(binary_form=True)).hexdigest()
    if not hmac.compare_digest(shown, normalise_fingerprint(expected)):
        wrapped.close()
        raise UntrustedCertificate("another certificate than the expected one", shown)


def normalise_fingerprint(text):
    """Hex digits in lower case, without the colons or blanks people copy along."""
    return re.sub(r"[^0-9a-f]", "", (text or "").lower())


def fetch_fingerprint(host, port=TLS_PORT, timeout_s=10.0):
    """SHA-256 of the certificate a router shows, before any password is sent.

    :raises Unreachable: no connection, or no TLS behind it
    """
    try:
        open_session(Target(host, port, tls="pin", timeout_s=timeout_s))
    except UntrustedCertificate as error:
        return error.fingerprint
    raise Unreachable("the router shows no certificate")  # pragma: no cover - nothing matches ""
