"""The menus of an ISP's router. Properties and defaults follow MikroTik's documentation."""

from .menus_ip import IP
from .menus_ppp import PPP
from .menus_queue import QUEUE
from .menus_system import SYSTEM

MENUS = {**PPP, **IP, **QUEUE, **SYSTEM}
