"""A command as it came over the wire, and the answer to it."""

from dataclasses import dataclass, field

from .errors import Trap
from .wire import encode_attributes, encode_word

RE = b"!re"
EMPTY = b"!empty"
BODIES_IN_A_PIECE = 400  # rows written at once, so that other commands get their turn


@dataclass
class Request:
    """One sentence of a client."""

    command: str
    attributes: dict = field(default_factory=dict)
    queries: list = field(default_factory=list)
    tag: str | None = None
    problem: Trap | None = None

    @classmethod
    def parse(cls, words):
        """Read the words of a sentence (bytes); what cannot be read stands in ``problem``."""
        texts = [word.decode("utf-8", "surrogateescape") for word in words]
        request = cls(texts[0])
        for word in texts[1:]:
            if word.startswith("="):
                name, separator, value = word[1:].partition("=")
                if not name or not separator:
                    request.problem = Trap("unknown parameter", category=5)
                request.attributes[name] = value
            elif word.startswith("?"):
                request.queries.append(word[1:])
            elif word.startswith(".tag="):
                request.tag = word[5:]
            else:
                request.problem = Trap("unknown parameter", category=5)
        if not request.command.startswith("/"):
            request.problem = Trap("no such command", category=0)
        return request

    @property
    def path(self):
        return self.command.rpartition("/")[0]

    @property
    def verb(self):
        return self.command.rpartition("/")[2]


@dataclass
class Answer:
    """What a command says: rows, then the attributes of ``!done``.

    ``after`` is run when everything was written (a reboot answers first). ``stream`` makes it a
    command that goes on until /cancel: a function (emit, finish) -> function that ends it, where
    ``emit`` takes encoded rows and ``finish`` says that the command has ended by itself.
    """

    bodies: list = field(default_factory=list)
    done: dict = field(default_factory=dict)
    empty: bool = False
    traps: list = field(default_factory=list)
    after: object = None
    stream: object = None

    def pieces(self, tag, last=True):
        """Yield encoded pieces of the answer, whole sentences each; ``last``: with ``!done``."""
        suffix = tag_word(tag)
        begin = encode_word(RE) + suffix
        between = b"\0" + begin
        for start in range(0, len(self.bodies), BODIES_IN_A_PIECE):
            rows = self.bodies[start : start + BODIES_IN_A_PIECE]
            yield begin + between.join(rows) + b"\0"
        if not last:
            return
        end = b"".join(trap_sentence(text, category, suffix) for text, category in self.traps)
        if self.empty:
            end += encode_word(EMPTY) + suffix + b"\0"
        yield end + encode_word(b"!done") + suffix + encode_attributes(self.done.items()) + b"\0"


def tag_word(tag):
    return b"" if tag is None else encode_word(f".tag={tag}".encode("utf-8", "surrogateescape"))


def trap_sentence(text, category, suffix):
    pairs = [] if category is None else [("category", category)]
    return encode_word(b"!trap") + suffix + encode_attributes([*pairs, ("message", text)]) + b"\0"
