"""Waiting for what happens in other processes and threads."""

import threading
import time


def wait_for(condition, seconds=20, what="it did not happen in time", pause_s=0.1):
    """Return what ``condition()`` returns once that is true.

    :raises AssertionError: with ``what``, when it does not become true in time
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(pause_s)
    return found


class Background:
    """Runs a function in a thread; ``result`` is what it returned, ``running`` whether it does."""

    def __init__(self, function):
        self.result = None
        self._error = None
        self._function = function
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            self.result = self._function()
        except Exception as error:  # handed to whoever waits
            self._error = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_exc):
        self._thread.join()
        if self._error and kind is None:
            raise self._error

    @property
    def running(self):
        """Whether the function has not returned yet."""
        return self._thread.is_alive()
