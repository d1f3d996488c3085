"""One PAP login to a RADIUS server, as a router would ask. Plain Python, no Odoo."""

import socket
from dataclasses import dataclass, field

from pyrad.client import Client, Timeout
from pyrad.packet import AccessAccept, AccessRequest, PacketError

from .coa import dictionary

TIMEOUT_S = 3
# Say nothing to a person.
_INTERNAL = {"Class", "Message-Authenticator"}


@dataclass
class Answer:
    """What came back: ``result`` is accepted, rejected or silent."""

    result: str
    values: dict = field(default_factory=dict)


def source_address(host, port):
    """The address of this machine that packets to ``host`` carry.

    :raises OSError: when the name is unknown or no network leads there
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, port))  # sends nothing
        return probe.getsockname()[0]


def ask(host, port, secret, username, password, device=None):
    """Log in by PAP, signed by Message-Authenticator, and wait three seconds at most.

    :param device: MAC address to log in from, as RADIUS keeps it
    :raises OSError: when the packet cannot be sent
    """
    client = Client(server=host, authport=port, secret=secret.encode(), dict=dictionary())
    client.timeout, client.retries = TIMEOUT_S, 1
    request = client.CreateAuthPacket(code=AccessRequest)
    request["User-Name"] = username
    request["User-Password"] = request.PwCrypt(password)
    request["NAS-IP-Address"] = source_address(host, port)
    request["NAS-Port-Id"] = "login-test"
    if device:
        request["Calling-Station-Id"] = device
    request.add_message_authenticator()
    try:
        reply = client.SendPacket(request)
    except (Timeout, PacketError):
        # A reply with a wrong signature is dropped as well: for us nobody has answered.
        return Answer("silent")
    values = {}
    names = reply.keys()  # decoded here only: the packet itself is a dict of numbers
    for name in names:
        if isinstance(name, str) and name not in _INTERNAL:
            values[name] = ", ".join(str(value) for value in reply[name])
    return Answer("accepted" if reply.code == AccessAccept else "rejected", values)
