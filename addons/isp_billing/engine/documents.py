"""Bills and receipts: a Typst template and plain data give a PDF file. No Odoo, no clock.

A template is written by an operator, so it is not trusted: it runs in a worker process that can
open neither files nor the network (:mod:`document_worker`), with the fonts of this addon only, for
a limited time. The same template and data give the same bytes on every machine.
"""

import contextlib
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

FONT_FOLDER = Path(__file__).parents[1] / "static/fonts"
WORKER = Path(__file__).with_name("document_worker.py")
LENGTH = struct.Struct(">I")
TIME_LIMIT_S = 10
START_LIMIT_S = 30
TEMPLATE_BYTES = 200_000
DOCUMENT_BYTES = 20_000_000
# A worker is replaced after so many documents, whatever memory it has gathered.
DOCUMENTS_PER_WORKER = 5000
ALLOCATOR = "lib*/*/libtcmalloc_minimal.so.4"


# What Typst says when a template asks for what it has not.
REFUSALS = ("searched at", "package", "access denied", "escape the project root")


class DocumentError(Exception):
    """A document that could not be set.

    ``line`` is that of the template, or ``None`` when no line is to blame.
    """

    def __init__(self, message, line=None, hints=()):
        super().__init__(message)
        self.message = message
        self.line = line
        self.hints = tuple(hints)

    def __str__(self):
        parts = [f"line {self.line}: {self.message}" if self.line else self.message, *self.hints]
        return ". ".join(part.rstrip(".") for part in parts)


class Renderer:
    """Sets documents in worker processes, started when needed and kept.

    :param workers: how many may run at once, as many as there are cores when not given
    :param time_limit_s: seconds after which a document is given up
    """

    def __init__(self, workers=None, time_limit_s=TIME_LIMIT_S):
        self.workers = workers or len(os.sched_getaffinity(0))
        self.time_limit_s = time_limit_s
        self._idle = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self.workers)
        self._pid = os.getpid()

    def render(self, template, bill, image_format=None, ppi=144):
        """The PDF file of one ``bill``; with ``image_format`` "png" or "svg", its first page.

        :raises DocumentError: when the template is wrong
        """
        options = {"format": image_format or "pdf"}
        if image_format == "png":
            options["ppi"] = ppi
        _check_size(template)
        with self._worker() as worker:
            return worker.render(template, "{}", bill, options, self.time_limit_s)

    def render_many(self, template, bills, common=None):
        """The PDF files of ``bills`` in their order; a :class:`DocumentError` in place of a bad one.

        :param common: data that all bills share, handed to the workers once
        """
        _check_size(template)
        common, options = json.dumps(common or {}), {"format": "pdf"}

        bills = list(bills)
        files = [None] * len(bills)
        waiting = iter(enumerate(bills))

        def work():
            # `next` on a shared iterator is one step of the interpreter: no bill is taken twice.
            for index, bill in waiting:
                try:
                    with self._worker() as worker:
                        files[index] = worker.render(
                            template, common, bill, options, self.time_limit_s
                        )
                except DocumentError as error:
                    files[index] = error

        count = min(self.workers, len(bills)) or 1
        with ThreadPoolExecutor(count) as executor:
            for task in [executor.submit(work) for _worker in range(count)]:
                task.result()
        return files

    def close(self):
        """End the workers; those of a process that this one was forked from stay."""
        if self._pid != os.getpid():
            return
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.stop()

    @contextlib.contextmanager
    def _worker(self):
        """A worker for one document, given back unless it died."""
        if self._pid != os.getpid():
            # After a fork: the workers belong to the parent.
            self.__init__(self.workers, self.time_limit_s)
        with self._slots:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker and worker.process.poll() is not None:
                worker.stop()
                worker = None
            worker = worker or _Worker()
            try:
                yield worker
            finally:
                if worker.is_usable:
                    with self._lock:
                        self._idle.append(worker)
                else:
                    worker.stop()


@cache
def _get_environment():
    """What a worker is told: one thread, as there is a worker for every core.

    Typst asks for memory so often that a fifth of the time is glibc's; the allocator of Debian's
    libtcmalloc-minimal4 is used where it is installed.
    """
    environment = {"RAYON_NUM_THREADS": "1"}
    if found := next(iter(sorted(Path("/usr").glob(ALLOCATOR))), None):
        environment["LD_PRELOAD"] = str(found)
    return environment


def _check_size(template):
    if len(template.encode()) > TEMPLATE_BYTES:
        raise DocumentError(f"The template is longer than {TEMPLATE_BYTES:,} bytes")


class _Worker:
    """One process of :mod:`document_worker` and the pipes to it."""

    def __init__(self):
        self.is_usable = True
        self.is_ready = False
        self.left = DOCUMENTS_PER_WORKER
        self.known = (None, None)
        self.folder = tempfile.TemporaryDirectory(prefix="isp-documents-")
        self.process = subprocess.Popen(
            [sys.executable, "-I", WORKER, FONT_FOLDER, self.folder.name, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder.name,
            env=_get_environment(),
        )

    def render(self, template, common, bill, options, time_limit_s):
        pay = bill.get("pay") or {}
        request = {"bill": json.dumps(bill, ensure_ascii=False), "options": options}
        request["code"] = pay.get("url")
        if self.known != (template, common):
            request |= {"template": template, "common": common}
        request = json.dumps(request).encode()
        deadline = _now() + time_limit_s + (0 if self.is_ready else START_LIMIT_S)
        self.is_usable = False
        try:
            self.process.stdin.write(LENGTH.pack(len(request)) + request)
            self.process.stdin.flush()
            (length,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
            if length > DOCUMENT_BYTES:
                raise DocumentError(f"The document is larger than {DOCUMENT_BYTES:,} bytes")
            answer = self._read(length, deadline)
        except TimeoutError as error:
            raise DocumentError(
                f"The template was stopped after {time_limit_s} seconds; look for a loop that does "
                "not end"
            ) from error
        except OSError as error:
            raise self._get_reason() from error
        self.left -= 1
        self.is_ready = True
        self.known = (template, common)
        self.is_usable = self.left > 0
        if answer[:1] == b"-":
            raise _explain(*json.loads(answer[1:]))
        return answer[1:]

    def _read(self, size, deadline):
        """Read ``size`` bytes from the worker.

        :raises TimeoutError: at ``deadline``
        :raises OSError: when the worker ended
        """
        parts = []
        pipe = self.process.stdout.fileno()
        while size:
            if not _wait_readable(pipe, deadline - _now()):
                raise TimeoutError
            part = os.read(pipe, min(size, 1 << 20))
            if not part:
                raise OSError("the worker has ended")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _get_reason(self):
        """Why the worker ended, as far as it said so."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self.process.kill()
        text = self.process.stderr.read().decode(errors="replace").strip()
        said = text.splitlines()[-1:]
        if not self.is_ready:
            return DocumentError(
                "The program that sets documents did not start; is typst installed?", hints=said
            )
        if self.process.wait() == -signal.SIGABRT or not text or "memory" in text.lower():
            return DocumentError("The template used up the memory that a document may take")
        return DocumentError("The program that sets documents has failed", hints=said)

    def stop(self):
        self.is_usable = False
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()


def _now():
    # The clock of the machine, even where a test has stopped Python's own.
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def _wait_readable(pipe, seconds):
    # poll, because select cannot wait for descriptors above 1,024.
    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    return poller.poll(max(0, seconds * 1000))


def _explain(message, diagnostic, hints):
    """A :class:`DocumentError` in words, with the line of the template."""
    place = re.search(r"__typst_py_bytes__\.typ:(\d+):\d+", diagnostic)
    if any(sign in message for sign in REFUSALS):
        message = "A template can read neither files nor packages; all it gets is the bill's data"
        hints = ()
    return DocumentError(message, int(place[1]) if place else None, hints)
