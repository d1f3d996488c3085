"""Clients of SMS gateways. No Odoo here; each is a small class with the same three methods.

``send(order)`` hands one message over and returns an :class:`~.common.Accepted`; ``balance()`` says
how much money is left; ``read_reports(form, body)`` reads a notification of deliveries; ``deduplicates`` tells if the
gateway sends an order of the same key once.
"""

from .msg91 import Msg91
from .ssl_wireless import SslWireless

CLIENTS = {"ssl_wireless": SslWireless, "msg91": Msg91}
