"""Rows of a menu: ids, uniqueness, and encoded copies that make printing 20,000 rows cheap."""

import time

from .errors import Trap
from .wire import encode_attributes


class Row(dict):
    """One row as the router prints it, texts only, ``.id`` included.

    A test may change it in place, as somebody at the router's console would; what was kept
    encoded is forgotten then. Checks and uniqueness are up to the commands.
    """

    __slots__ = ("bodies", "since", "table")

    def __init__(self, table, values):
        super().__init__(values)
        self.table = table
        self.bodies = {}
        self.since = time.monotonic()

    def change(self, values, removed=()):
        """Set and remove properties; who listens hears of it once."""
        before = dict(self)
        super().update(values)
        for key in removed:
            super().pop(key, None)
        if before != self:
            self.bodies.clear()
            self.table.row_changed(self, before)

    def __setitem__(self, key, value):
        self.change({key: value})

    def __delitem__(self, key):
        if key not in self:
            raise KeyError(key)
        self.change({}, [key])

    def __ior__(self, values):
        self.change(values)
        return self

    def update(self, *args, **kwargs):
        self.change(dict(*args, **kwargs))

    def pop(self, key, *default):
        if key not in self:
            return super().pop(key, *default)
        value = self[key]
        del self[key]
        return value

    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self):
        self.change({}, list(self))


class Table:
    """The rows of one menu in their order. Reads like a list of dicts; ``append`` takes a dict."""

    def __init__(self, path, menu, version):
        self.path = path
        self.menu = menu
        self.properties = {
            name: one for name, one in menu.properties.items() if one.since <= version < one.until
        }
        self.sensitive = {name for name, one in self.properties.items() if one.sensitive}
        self.hidden = {name for name, one in self.properties.items() if one.write_only}
        self.computed = {
            name: ask for name, ask in menu.computed.items() if name in self.properties
        }
        self.watchers = []  # functions (row, dead) of /listen
        self._rows = {}
        self._list = None
        self._names = {}
        self._encoded = {}
        self._counters = [{} for _unique in menu.unique]  # how many rows have each key
        self._next_id = 1
        for values in menu.first or ([{}] if menu.single else []):
            self.append(values)

    # === READING === #

    def __len__(self):
        return len(self._rows)

    def __iter__(self):
        return iter(self.rows())

    def __getitem__(self, index):
        return self.rows()[index]

    def __contains__(self, row):
        return isinstance(row, Row) and self._rows.get(row.get(".id")) is row

    def __eq__(self, other):
        return self.rows() == list(other)

    __hash__ = None

    def __repr__(self):
        return f"<{self.path}: {len(self)} rows>"

    def rows(self):
        """The rows as a list; do not change the list."""
        if self._list is None:
            self._list = list(self._rows.values())
        return self._list

    def find(self, key):
        """The row with this id or, where rows have names, with this name; or None."""
        row = self._rows.get(key)
        return row if row is not None else self._names.get(key)

    # === CHANGING, ALSO BY TESTS === #

    def next_id(self):
        """The id of the next row; ids are not used again."""
        return f"*{self._next_id:X}"

    def serial(self):
        """How many rows there have ever been."""
        return self._next_id - 1

    def append(self, values):
        """Add a row with the defaults of the menu, unchecked; return it."""
        data = {} if self.menu.single else {".id": self.next_id()}
        for name, one in self.properties.items():
            value = values.get(name, one.default)
            if value is not None:
                data[name] = value
        data.update({name: value for name, value in values.items() if name not in data})
        self._next_id += 1
        row = Row(self, data)
        self._rows[data.get(".id", "")] = row
        self._list = None
        self._encoded.clear()
        if "name" in data:
            self._names[data["name"]] = row
        self._count(row, 1)
        self._tell(row)
        return row

    def remove(self, row):
        """Take a row away."""
        del self._rows[row.get(".id", "")]
        self._list = None
        self._encoded.clear()
        if self._names.get(row.get("name")) is row:
            del self._names[row["name"]]
        self._count(row, -1)
        self._tell(row, dead=True)

    def clear(self):
        """Take all rows away."""
        for row in list(self.rows()):
            self.remove(row)

    def move(self, rows, before):
        """Put rows before another row, or at the end (None)."""
        moving = {id(row) for row in rows}
        kept = [row for row in self.rows() if id(row) not in moving]
        position = kept.index(before) if before is not None else len(kept)
        kept[position:position] = rows
        self._rows = {row[".id"]: row for row in kept}
        self._list = None
        self._encoded.clear()

    def row_changed(self, row, before):
        """A row of ours was changed; keep the indexes right. ``before``: what it was."""
        self._encoded.clear()
        if before.get("name") != row.get("name"):
            if self._names.get(before.get("name")) is row:
                del self._names[before["name"]]
            if "name" in row:
                self._names[row["name"]] = row
        self._count(before, -1)
        self._count(row, 1)
        self._tell(row)

    def check_unique(self, values, row=None):
        """Trap if a row with these values would be a second one; ``row`` is the one changed."""
        for unique, counter in zip(self.menu.unique, self._counters, strict=True):
            key = unique.key(values)
            own = row is not None and key == unique.key(row)
            if key is not None and counter.get(key, 0) > own:
                raise Trap(unique.message)

    def _count(self, row, step):
        for unique, counter in zip(self.menu.unique, self._counters, strict=True):
            key = unique.key(row)
            counter[key] = counter.get(key, 0) + step

    def _tell(self, row, dead=False):
        for watcher in list(self.watchers):
            watcher(row, dead)

    # === PRINTING === #

    def bodies(self, router, names=None, hide_sensitive=False, rows=None):
        """Encoded attribute words of the rows (of all), one bytes object a row.

        ``names`` is the tuple of ``.proplist`` or None for everything that is set.
        """
        hidden = self.hidden | self.sensitive if hide_sensitive else self.hidden
        key = (names, hide_sensitive)
        if self.computed:
            chosen = self.rows() if rows is None else rows
            return [self._encode(self.shown(router, row), names, hidden) for row in chosen]
        if rows is not None:
            return [self._body(row, key, hidden) for row in rows]
        if key not in self._encoded:
            self._encoded[key] = [self._body(row, key, hidden) for row in self.rows()]
        return self._encoded[key]

    def shown(self, router, row):
        """The row with what is computed at each print."""
        return {**row, **{name: ask(router, row) for name, ask in self.computed.items()}}

    def _body(self, row, key, hidden):
        body = row.bodies.get(key)
        if body is None:
            body = row.bodies[key] = self._encode(row, key[0], hidden)
        return body

    @staticmethod
    def _encode(values, names, hidden):
        if names is not None:
            pairs = [(name, values[name]) for name in names if name in values]
        else:
            pairs = values.items()
        if hidden:
            pairs = [pair for pair in pairs if pair[0] not in hidden]
        return encode_attributes(pairs)
