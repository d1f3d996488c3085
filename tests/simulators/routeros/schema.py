"""How a menu and its properties are described; the menus themselves are in menus.py."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import values


@dataclass(frozen=True)
class Property:
    """One property of a menu.

    ``default`` None: not printed until it is set. ``written`` False: the router fills it, setting
    it is refused as an unknown parameter. ``sensitive``: printed for users with that policy only.
    ``write_only``: printed for nobody. ``since``/``until``: versions that have it, [since, until).
    """

    check: Callable = values.text
    default: str | None = None
    required: bool = False
    written: bool = True
    sensitive: bool = False
    write_only: bool = False
    since: tuple = (0,)
    until: tuple = (99,)


@dataclass(frozen=True)
class Unique:
    """What two rows may not have in common, and what the router says then.

    ``enabled_only``: a disabled row does not count.
    """

    names: tuple
    message: str
    enabled_only: bool = False

    def key(self, values):
        """What is compared, or None for a row that does not count."""
        if values.get(self.names[0]) is None:
            return None
        if self.enabled_only and values.get("disabled") == "true":
            return None
        return tuple(values.get(name) for name in self.names)


@dataclass(frozen=True)
class Menu:
    """One menu: its properties, what must be unique, and what can be done with its rows.

    ``check`` sees all values of a row before it is kept and traps. ``computed`` maps a property to a
    function (router, row) -> text that is asked at each print. ``first`` are rows of a new router.
    """

    properties: dict
    unique: tuple = ()
    commands: frozenset = frozenset(("add", "set", "remove"))
    single: bool = False
    check: Callable | None = None
    computed: dict = field(default_factory=dict)
    first: tuple = ()
    since: tuple = (0,)
    until: tuple = (99,)


def printed(default=None, **options):
    """A property that only the router writes."""
    return Property(default=default, written=False, **options)


# === WHAT MANY MENUS SHARE === #

V7 = (7,)
ROWS = frozenset(("add", "set", "remove"))
NAMED = ROWS | {"enable", "disable"}
ORDERED = NAMED | {"move"}
NAME = Property(values.name_text, required=True)
COMMENT = Property(values.text)
DISABLED = Property(values.boolean, "false")
DYNAMIC = printed("false")
COUNT = Property(values.number(), "0")
