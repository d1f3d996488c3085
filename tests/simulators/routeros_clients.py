"""Clients of the RouterOS simulator for its own tests: librouteros, and a few lines on a socket."""

import socket

import librouteros
import pytest
from librouteros.exceptions import TrapError

SECRETS = "/ppp/secret"


def connect(router, user="isp", password="secret", **options):
    options = {"timeout": 5, "encoding": "utf-8", **options}
    return librouteros.connect("127.0.0.1", user, password, port=router.port, **options)


class Raw:
    """A client of a few lines that shows words as they are."""

    def __init__(self, router, login=True):
        self.socket = socket.create_connection(("127.0.0.1", router.port), timeout=5)
        self.file = self.socket.makefile("rb")
        if login:
            assert self.talk("/login", "=name=isp", "=password=secret") == [["!done"]]

    def send(self, *words):
        self.send_all(words)

    def send_all(self, *sentences):
        """Send sentences in one piece."""
        data = b""
        for words in sentences:
            for word in words:
                raw = word.encode()
                assert len(raw) < 0x80
                data += bytes((len(raw),)) + raw
            data += b"\0"
        self.socket.sendall(data)

    def sentence(self):
        """The next sentence; None when the router has hung up."""
        words = []
        while True:
            first = self.file.read(1)
            if not first:
                return None
            if first == b"\0":
                return words
            length = first[0]
            if length >= 0x80:
                assert length < 0xC0
                length = (length & 0x3F) << 8 | self.file.read(1)[0]
            words.append(self.file.read(length).decode())

    def talk(self, *words):
        """Sentences up to ``!done``."""
        self.send(*words)
        sentences = [self.sentence()]
        while sentences[-1] and sentences[-1][0] not in ("!done", "!fatal"):
            sentences.append(self.sentence())
        return sentences

    def until_done(self, *tags):
        """Sentences until each of the tags is done."""
        left, sentences = {f".tag={tag}" for tag in tags}, []
        while left:
            sentences.append(self.sentence())
            if sentences[-1][0] == "!done":
                left -= set(sentences[-1])
        return sentences


def refused(router, menu, command="add", **values):
    """The (message, category) of a command that is refused."""
    with pytest.raises(TrapError) as error:
        tuple(connect(router).path(menu)(command, **values))
    return error.value.message, error.value.category
