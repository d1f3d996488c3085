"""What can go wrong between a shop and its gateway, switched on from a test."""

import threading
from dataclasses import asdict, dataclass, field

ANY = "*"


@dataclass
class Fault:
    """One fault; the fields that are set say what happens to a call, or to a notification.

    Of calls:

    slow_s        the call is done this many seconds late
    late_s        the call is done at once, its answer comes this late: after the client's time-out
    drip_s        the call is done, its answer comes byte by byte with this pause after each
    lose          the call is done and its answer lost: the connection is closed instead
    drop          the connection is closed and nothing is done
    status        nothing is done; answered with this HTTP status (503: down)
    html          True: done, answered with an HTML page and 200; "undone": the same, nothing done
    answer        nothing is done; answered with this dictionary as JSON
    change        the answer's fields are overwritten: ``{"amount": "1.00"}``; None removes one

    Of calls and notifications:

    forge         what is sent is signed with a key that nobody trusts

    Of notifications (``call="notify"``):

    repeat        sent so many times in all
    hold          kept back and sent after the next one: they arrive in the wrong order
    lose          never sent
    slow_s        sent late
    change        fields are overwritten before it is signed
    tamper        fields are overwritten after it was signed
    """

    call: str = ANY
    times: int | None = 1  # None: until it is cleared
    slow_s: float = 0
    late_s: float = 0
    drip_s: float = 0
    lose: bool = False
    drop: bool = False
    status: int | None = None
    html: bool | str = False
    answer: dict | None = None
    change: dict = field(default_factory=dict)
    tamper: dict = field(default_factory=dict)
    forge: bool = False
    repeat: int = 1
    hold: bool = False


class Faults:
    """The faults of one simulator; may be changed at any moment, from any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = []

    def add(self, call=ANY, **what):
        """Let the next call of this name (ANY: any but notifications) go wrong; see Fault."""
        fault = Fault(call, **what)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def take(self, call):
        """Return the fault of this call, a harmless one if there is none."""
        with self._lock:
            for fault in self._waiting:
                if fault.call == call or (fault.call == ANY and call != "notify"):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._waiting.remove(fault)
                    return fault
        return Fault(call)

    def clear(self):
        """Everything works again."""
        with self._lock:
            self._waiting.clear()

    def as_json(self):
        """Return the faults that wait, for the control surface."""
        with self._lock:
            return [asdict(fault) for fault in self._waiting]


def overwrite(values, changes):
    """Return a copy of a dictionary with fields overwritten, or removed by None."""
    merged = {**values, **changes}
    return {name: value for name, value in merged.items() if changes.get(name, "") is not None}
