"""From differences to commands: the least change, in an order the router accepts."""

from dataclasses import dataclass, replace

from .menus import (
    ADDRESS_LIST,
    HOTSPOT_PROFILE,
    HOTSPOT_USER,
    IPV6_ADDRESS_LIST,
    PPP_PROFILE,
    PPP_SECRET,
    QUEUE,
)

# Properties that a session keeps until it is made anew.
_KICKED = {
    PPP_SECRET: {"name", "profile", "remote-address", "remote-ipv6-prefix", "caller-id"},
    HOTSPOT_USER: {"name", "profile", "address", "mac-address"},
}
_PROFILES = {PPP_SECRET: PPP_PROFILE, HOTSPOT_USER: HOTSPOT_PROFILE}
LEAVES = (PPP_SECRET, HOTSPOT_USER, QUEUE, ADDRESS_LIST, IPV6_ADDRESS_LIST)


@dataclass(frozen=True, slots=True)
class Step:
    """One command; ``last`` tells whether it is the one that settles its difference."""

    difference: object
    words: tuple
    last: bool = True


def make_plan(menus, differences, diffs_by_path, wanted):
    """Commands in phases; those of one phase do not depend on each other.

    :param menus: ``{path: Menu}``
    :param differences: what to settle; clashes are left out, they are not ours
    :param diffs_by_path: ``{path: MenuDiff}`` of the whole comparison
    :param wanted: ``{path: {marker: values}}``
    :return: list of lists of :class:`Step`
    """
    todo = [one for one in differences if one.kind != "clash"]
    phases = {}

    def step(phase, difference, *words, last=True):
        phases.setdefault(phase, []).append(Step(difference, words, last))

    for one in todo:
        menu = menus[one.path]
        if one.kind == "extra":
            # Leaves go first, and free their names; what they refer to goes last.
            phase = (0, 0) if menu.order > 1 else (3, -menu.order)
            step(phase, one, f"{one.path}/remove", f"=.id={one.row_id}")
            continue
        values = wanted[one.path][one.marker]
        phase = (2, menu.order)
        if one.kind == "missing":
            step(phase, one, f"{one.path}/add", *_add_words(menu, one.marker, values))
        elif not menu.renamed and _renames(menu, one):
            step((0, 0), one, f"{one.path}/remove", f"=.id={one.row_id}", last=False)
            step(phase, one, f"{one.path}/add", *_add_words(menu, one.marker, values, one.note))
        else:
            step(phase, one, f"{one.path}/set", f"=.id={one.row_id}", *_set_words(menu, one))
    _step_aside(menus, todo, diffs_by_path, wanted, step)
    return [phases[phase] for phase in sorted(phases)]


def _renames(menu, difference):
    return any(name in menu.key for name, _found, _wanted in difference.changes)


def _step_aside(menus, todo, diffs_by_path, wanted, step):
    """Rows of ours that hold the new name of another one take a passing name first."""
    renaming = {
        (one.path, one.marker): one
        for one in todo
        if one.kind == "changed" and menus[one.path].renamed and _renames(menus[one.path], one)
    }
    holders = {
        (path, menus[path].key_of(row.values)): marker
        for path, marker in renaming
        for row in diffs_by_path[path].ours[marker]
    }
    aside = set()
    for one in todo if renaming else ():
        if one.kind == "extra":
            continue
        key = menus[one.path].key_of(wanted[one.path][one.marker])
        holder = holders.get((one.path, key))
        blocking = renaming.get((one.path, holder))
        if blocking and holder != one.marker and (one.path, holder) not in aside:
            aside.add((one.path, holder))
            step(
                (1, 0),
                blocking,
                f"{one.path}/set",
                f"=.id={blocking.row_id}",
                f"=name={holder}~",
                last=False,
            )


def profiles_in_use(diffs_by_path):
    """``{(path, name)}`` of profiles that rows of others refer to: they stay."""
    return {
        (profile_path, row.values.get("profile", ""))
        for path, profile_path in _PROFILES.items()
        if path in diffs_by_path
        for row in diffs_by_path[path].foreign
    }


def _add_words(menu, marker, values, note=""):
    words = []
    for one in menu.properties:
        value = values.get(one.name, "")
        if value and value != one.default:
            words.append(f"={one.name}={value}")
    if menu.marker == "comment":
        words.append(f"=comment={f'{marker} {note}'.rstrip()}")
    return words


def _set_words(menu, difference):
    return [
        f"=!{name}="
        if not wanted and name in menu.by_name and menu.by_name[name].optional
        else f"={name}={wanted}"
        for name, _found, wanted in difference.changes
    ]


def taken_over(clash):
    """The change that makes somebody else's row ours; their comment stays behind the marker."""
    comment = f"{clash.marker} {clash.note}".rstrip()
    changes = (*clash.changes, ("comment", clash.note, comment))
    return replace(clash, kind="changed", changes=changes)


def sessions_to_end(difference):
    """``(path, login)`` whose open session goes on with what was before; ``None`` if none does."""
    if difference.path not in _KICKED:
        return None
    if difference.kind == "extra":
        return difference.path, difference.label
    if difference.kind != "changed":
        return None
    kicked = _KICKED[difference.path]
    if any(
        name in kicked or (name == "disabled" and wanted == "yes")
        for name, _found, wanted in difference.changes
    ):
        return difference.path, difference.label
    return None
