"""What /export writes: the configuration as commands, without defaults, wrapped as on a router."""

import re

from .menus_system import SYSTEM

WIDTH = 80
LEFT_OUT = {"/user", "/user/group", "/file", "/log"}  # kept elsewhere on a router, or no settings
PLAIN = re.compile(r"[A-Za-z0-9_./:,*@+-]+")
ESCAPES = {'"': '\\"', "\\": "\\\\", "$": "\\$", "?": "\\?", "\r": "\\r", "\n": "\\n", "\t": "\\t"}


def export(router, sensitive):
    """Text of /export; ``sensitive`` includes passwords."""
    lines = [
        f"# {router.clock.text()} by RouterOS {router.version_text}",
        "# software id = 7H2B-XNQ4",
        "#",
        f"# model = {SYSTEM['/system/routerboard'].properties['model'].default}",
        "# serial number = HE408X0000Z",
    ]
    for path, table in sorted(router.tree.items()):
        rows = [] if path in LEFT_OUT else _commands(table, sensitive)
        if rows:
            lines.append("/" + path[1:].replace("/", " "))
            for words in rows:
                lines.extend(_wrap(words))
    return "".join(f"{line}\r\n" for line in lines)


def _commands(table, sensitive):
    return [
        words
        for row in table.rows()
        if row.get("dynamic") != "true" and (words := _words(table, row, sensitive))
    ]


def _words(table, row, sensitive):
    """The command that makes a row, as words; empty if there is nothing to say."""
    fixed = not table.menu.single and "add" not in table.menu.commands
    builtin = row.get("default") == "true"
    settings = [
        f"{name}={quote(row[name])}"
        for name, prop in table.properties.items()
        if name in row
        and prop.written
        and not prop.write_only
        and row[name] != _initial(table, row, name, prop)
        and (sensitive or not prop.sensitive)
        and name not in table.computed
    ]
    if table.menu.single:
        return ["set", *settings] if settings else []
    if fixed or builtin:
        name = quote(row["name"])
        return ["set", f"[ find name={name} ]" if fixed else name, *settings] if settings else []
    return ["add", *settings]


def _initial(table, row, name, prop):
    """What a new router has in this place: nothing to export if it still does."""
    for values in table.menu.first:
        if values.get("name") == row.get("name"):
            return values.get(name, prop.default)
    return prop.default


def quote(value):
    """A value as the console writes it."""
    value = {"true": "yes", "false": "no"}.get(value, value)
    if PLAIN.fullmatch(value):
        return value
    return '"' + "".join(ESCAPES.get(one, one) for one in value) + '"'


def _wrap(words):
    """Lines of at most 80 characters; a broken one ends with a backslash."""
    line = words[0]
    for word in words[1:]:
        if len(line) + len(word) + 2 > WIDTH and line.strip():
            yield line + " \\"
            line = "    " + word
        else:
            line += " " + word
    yield line
