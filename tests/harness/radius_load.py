"""Load for RADIUS servers: files of packets, sent by several ``radclient`` at once."""

import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .databases import HarnessError

INTERIMS = 12
# Octets that each Interim and the Stop add to a session; over 4 GiB in all, so Gigawords count.
STEP_UP, STEP_DOWN = 400_000_019, 1_100_000_033


@dataclass
class Sent:
    """What became of a load: packets answered and lost, and how long it took."""

    answered: int
    lost: int
    seconds: float

    @property
    def rate(self):
        """Answered packets a second."""
        return self.answered / self.seconds


def send(port, kind, secret, shares, parallel=24, retries=6, timeout_s=4, rate=None):
    """Send each share, a list of packets, by a ``radclient`` of its own; wait for all of them.

    :param kind: ``auth`` or ``acct``
    :param parallel: packets in flight per sender
    :param rate: packets a second per sender, as fast as they are answered without it
    """
    with tempfile.TemporaryDirectory(prefix="isp-load-") as folder:
        commands = []
        for number, packets in enumerate(shares):
            path = Path(folder) / f"packets-{number}"
            path.write_text("\n\n".join(packets) + "\n")
            pace = ["-n", str(rate)] if rate else []
            commands.append(
                ["radclient", "-q", "-s", "-f", str(path), "-p", str(parallel), *pace]
                + ["-r", str(retries), "-t", str(timeout_s), f"127.0.0.1:{port}", kind, secret]
            )
        start = time.monotonic()
        senders = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for command in commands
        ]
        try:
            outputs = [sender.communicate(timeout=1800) for sender in senders]
        finally:
            for sender in senders:
                sender.kill()
        seconds = time.monotonic() - start
    counts = {"Accepted": 0, "Rejected": 0, "Lost": 0}
    for out, err in outputs:
        found = dict(re.findall(r"(Accepted|Rejected|Lost)\s*:\s*(\d+)", out))
        if len(found) != len(counts):
            raise HarnessError(f"radclient said: {out[-500:]}{err[-500:]}")
        for name in counts:
            counts[name] += int(found[name])
    return Sent(counts["Accepted"], counts["Rejected"] + counts["Lost"], seconds)


def split(packets, shares):
    """Deal packets out to ``shares`` senders."""
    return [packets[number::shares] for number in range(shares)]


def _text(pairs):
    return "\n".join(f"{name} = {value}" for name, value in pairs.items())


def login_packet(number, password):
    """Access-Request of subscriber ``number``, as a PPPoE server sends it."""
    return _text(
        {
            "User-Name": f'"user{number}"',
            "User-Password": f'"{password}"',
            "NAS-IP-Address": "127.0.0.1",
            "NAS-Port-Type": "Ethernet",
            "Service-Type": "Framed-User",
            "Framed-Protocol": "PPP",
            "Called-Station-Id": '"pppoe-in"',
            "Calling-Station-Id": f'"{mac(number)}"',
            "NAS-Port-Id": '"ether1"',
            # Last, because it signs what stands before it.
            "Message-Authenticator": "0x00",
        }
    )


def mac(number):
    """MAC address of subscriber ``number``."""
    digits = f"{number:012X}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def session_packet(status, number, session, step=0, nas=1):
    """Accounting-Request of session ``session`` of subscriber ``number``.

    :param status: Start, Interim-Update or Stop
    :param step: how many Interims and Stops have been before and with this one
    :param nas: number of the router, whose address follows from it
    """
    up, down = STEP_UP * step, STEP_DOWN * step
    pairs = {
        "Acct-Status-Type": status,
        "User-Name": f'"user{number}"',
        "Acct-Session-Id": f'"{session}"',
        "NAS-IP-Address": nas_address(nas),
        "NAS-Port-Type": "Ethernet",
        "NAS-Port-Id": '"ether1"',
        "Service-Type": "Framed-User",
        "Framed-Protocol": "PPP",
        "Framed-IP-Address": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "Called-Station-Id": '"pppoe-in"',
        "Calling-Station-Id": f'"{mac(number)}"',
        "Acct-Authentic": "RADIUS",
    }
    if status != "Start":
        pairs |= {
            "Acct-Session-Time": 300 * step,
            "Acct-Input-Octets": up & 0xFFFFFFFF,
            "Acct-Input-Gigawords": up >> 32,
            "Acct-Output-Octets": down & 0xFFFFFFFF,
            "Acct-Output-Gigawords": down >> 32,
        }
    if status == "Stop":
        pairs["Acct-Terminate-Cause"] = "User-Request"
    return _text(pairs)


def nas_address(nas):
    """IPv4 address that router ``nas`` gives as its own."""
    return f"10.250.{nas >> 8}.{nas & 255}"


def session_mix(numbers, prefix, nas=1, interims=INTERIMS):
    """Packets of one session for each subscriber: Start, ``interims`` Interims, Stop.

    They come in the order of a real day: all Starts, then round by round.
    """

    def round_of(status, step):
        return [
            session_packet(status, number, f"{prefix}{number}", step, nas) for number in numbers
        ]

    packets = round_of("Start", 0)
    for step in range(1, interims + 1):
        packets += round_of("Interim-Update", step)
    return packets + round_of("Stop", interims + 1)
