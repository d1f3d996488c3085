"""Delivers a gateway's notifications by POST, with retries, and remembers what became of them."""

import threading
import time
from dataclasses import dataclass, field

import requests

TIMEOUT_S = 15


@dataclass
class Delivery:
    """One notification; ``attempts`` has an HTTP status, or the name of an error, per try."""

    url: str
    body: str
    headers: dict
    attempts: list = field(default_factory=list)
    done: bool = False

    @property
    def accepted(self):
        return bool(self.attempts) and 200 <= _as_status(self.attempts[-1]) < 300


class Notifier:
    """Sends in threads of its own, so that no call to the gateway waits for the shop.

    :param retry_after_s: pauses before each further try; a status of 2xx ends them
    """

    def __init__(self, faults, retry_after_s=(0.2, 1, 5)):
        self.faults = faults
        self.retry_after_s = retry_after_s
        self.deliveries = []
        self._held = []
        self._changed = threading.Condition()
        self._stopped = threading.Event()

    def send(self, url, make, message):
        """Send ``make(message, fault)`` -> ``(body, headers)``, as the faults allow.

        :param message: the fields, before they are signed
        :param make: builds and signs the request's body; called once per sending
        """
        fault = self.faults.take("notify")
        if fault.lose:
            return
        with self._changed:
            if fault.hold:
                self._held.append((url, make, message, fault))
                return
            late, self._held = self._held, []
        self._send_one(url, make, message, fault, late)

    def release(self):
        """Send what is held back although nothing else came."""
        with self._changed:
            late, self._held = self._held, []
        for url, make, message, fault in late:
            self._send_one(url, make, message, fault, [])

    def _send_one(self, url, make, message, fault, late):
        body, headers = make(message, fault)
        copies = [Delivery(url, body, headers) for _copy in range(max(fault.repeat, 1))]
        for other_url, other_make, other_message, other_fault in late:
            other_body, other_headers = other_make(other_message, other_fault)
            copies.append(Delivery(other_url, other_body, other_headers))
        with self._changed:
            self.deliveries += copies
        thread = threading.Thread(target=self._deliver_all, args=(copies, fault.slow_s))
        thread.daemon = True
        thread.start()

    def _deliver_all(self, deliveries, slow_s):
        self._stopped.wait(slow_s)
        for delivery in deliveries:
            self._deliver(delivery)

    def _deliver(self, delivery):
        for pause in (0, *self.retry_after_s):
            if self._stopped.wait(pause):
                break
            try:
                response = requests.post(
                    delivery.url,
                    data=delivery.body.encode(),
                    headers=delivery.headers,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                )
                delivery.attempts.append(response.status_code)
            except requests.RequestException as error:
                delivery.attempts.append(type(error).__name__)
            if delivery.accepted:
                break
        with self._changed:
            delivery.done = True
            self._changed.notify_all()

    def wait(self, count=None, seconds=20):
        """Return all deliveries, once none is under way and there are ``count``."""

        def idle():
            enough = count is None or len(self.deliveries) >= count
            return enough and all(delivery.done for delivery in self.deliveries)

        with self._changed:
            if not self._changed.wait_for(idle, seconds):
                raise AssertionError(f"notifications under way: {self.deliveries}")
            return list(self.deliveries)

    def stop(self):
        """Give up what is under way."""
        self._stopped.set()


class Clock:
    """The gateway's time; tests move it on."""

    def __init__(self):
        self.offset_s = 0

    def __call__(self):
        return time.time() + self.offset_s

    def advance(self, seconds):
        self.offset_s += seconds


def _as_status(attempt):
    return attempt if isinstance(attempt, int) else 0
