"""How a menu and its properties are described; the menus themselves are in menus.py."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import values


@dataclass(frozen=True)
class Property:
    """One property of a menu.

    ``default`` None: not printed until it is set. ``written`` False: the router fills it, setting
    it is refused as an unknown parameter. ``since``/``until``: versions that have it, [since, until).
    """

    check: Callable = values.text
    default: str | None = None
    required: bool = False
    written: bool = True
    sensitive: bool = False
    since: tuple = (0,)
    until: tuple = (99,)


@dataclass(frozen=True)
class Menu:
    """One menu: its properties, what must be unique, and what can be done with its rows.

    ``unique`` is (property names, message of the router). ``computed`` maps a property to a
    function (router, row) -> text that is asked at each print. ``first`` are rows of a new router.
    """

    properties: dict
    unique: tuple = ()
    commands: frozenset = frozenset(("add", "set", "remove"))
    single: bool = False
    computed: dict = field(default_factory=dict)
    first: tuple = ()
    missing: str = "no such item"
    since: tuple = (0,)
    until: tuple = (99,)


def printed(default=None, **options):
    """A property that only the router writes."""
    return Property(default=default, written=False, **options)
