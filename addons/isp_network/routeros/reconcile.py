"""Makes a router as it should be: read, compare, least change, read again.

Nothing is remembered between two runs: whatever happened before, an interrupted run or a router set
up anew, the next one starts from what it reads, so it converges.
"""

from dataclasses import dataclass, field

from .compare import compare, expect
from .connection import parse_row, print_words
from .desired import markers_of
from .errors import CommandError, Exists, Gone, NoRights, Refused, RouterError
from .menus import HOTSPOT_USER, MENUS, PPP_SECRET, menus_of, normal_duration
from .plan import LEAVES, make_plan, profiles_in_use, sessions_to_end, taken_over

MAX_ROUNDS = 4
# Up to so many rows, the router looks them up; above, reading the whole list is faster.
FEW = 50
REMOVALS_UNASKED = 20
_OURS = b"=comment=isp:"
_SESSIONS = {PPP_SECRET: ("/ppp/active", "name"), HOTSPOT_USER: ("/ip/hotspot/active", "user")}


class Suspicious(RouterError):
    """Most of our rows would be removed: stop, a human has to look."""


@dataclass
class Outcome:
    """What a run found and did.

    ``differences`` is what the first look found, ``left`` what is still different of what was to
    be settled, ``failures`` are ``(Difference, message of the router)``.
    """

    differences: list = field(default_factory=list)
    left: list = field(default_factory=list)
    failures: list = field(default_factory=list)
    own: int = 0
    applied: int = 0
    ended: int = 0
    rounds: int = 0

    @property
    def settled(self):
        """Whether the router is as it should be, as far as it was up to this run."""
        return not self.left and not self.failures


# === READING === #


def look(session, wanted, judged=None, queries=None, memo=None):
    """Compare what is on the router with what should be there.

    :param wanted: ``{path: {marker: values}}``
    :param judged: markers to look at, ``None`` for all
    :param queries: ``{path: words}`` that pick the rows to read, ``None`` to read all
    :param memo: kept by the caller between two looks at everything with the same ``wanted``
    :return: ``({path: Menu}, {path: MenuDiff})``
    """
    menus = {path: menu for path, menu in menus_of(session.version).items() if path in wanted}
    if queries is not None:
        menus = {
            path: menu for path, menu in menus.items() if path not in LEAVES or queries.get(path)
        }
    paths = list(menus)
    commands = [
        print_words(
            path, menus[path].proplist(), (queries or {}).get(path) or menus[path].own_query
        )
        for path in paths
    ]
    found = {}
    replies = dict(session.stream(commands))
    for position, path in enumerate(paths):
        reply = replies[position]
        if reply.error and (wanted[path] or not isinstance(reply.error, Refused)):
            raise reply.error  # a menu that is not there is fine while nothing belongs into it
        if _hides_secrets(menus[path], reply.rows):
            raise NoRights("not enough permissions: sensitive")
        rows = {
            marker: values
            for marker, values in wanted[path].items()
            if judged is None or marker in judged or path not in LEAVES
        }
        expected = None
        if memo is not None and judged is None:
            if path not in memo:
                memo[path] = expect(menus[path], rows)
            expected = memo[path]
        found[path] = compare(menus[path], reply.rows, rows, judged, expected)
    return menus, found


def _hides_secrets(menu, raw_rows):
    """Whether the router leaves the passwords of our rows out: they would all be set anew."""
    secret = next((one.name for one in menu.properties if one.secret), None)
    if not secret:
        return False
    prefix = f"={secret}=".encode()
    own = (words for words in raw_rows if any(word.startswith(_OURS) for word in words))
    shown = (any(word.startswith(prefix) for word in words) for words in own)
    # Stops at the first row that shows one.
    first = next(shown, True)
    return not first and not any(shown)


def _look_at(session, wanted, scope, memo):
    """Look at the services in ``scope``, or at everything."""
    if scope is None:
        return look(session, wanted, memo=memo)
    judged = {marker for one in scope for marker in markers_of(one)}
    queries = None
    if len(scope) <= FEW:
        queries = _queries_of_markers(wanted, judged)
    return look(session, wanted, judged, queries)


def _queries_of_markers(wanted, markers):
    """Words that let the router pick the rows of ``markers`` in each menu."""
    queries = {}
    for path in LEAVES:
        terms = [f"?comment={marker}" for marker in sorted(markers)]
        for marker, values in wanted.get(path, {}).items():
            if marker in markers:
                terms.append(_key_term(MENUS[path], values))
        queries[path] = any_of(terms)
    return queries


def _key_term(menu, values):
    # The last part of a key picks fewest: an address, not the list it is in.
    name = menu.key[-1]
    return f"?{name}={values.get(name, '')}"


def any_of(terms):
    """A query that is true when any of ``terms`` is."""
    words = []
    for number, term in enumerate(dict.fromkeys(terms)):
        words += [term, "?#|"] if number else [term]
    return words


def _differences(found, kept):
    """All differences, without superfluous profiles that others use."""
    return [
        one
        for diff in found.values()
        for one in diff.differences
        if one.kind != "extra" or (one.path, one.label) not in kept
    ]


# === THE WHOLE RUN === #


def reconcile(
    session,
    wanted,
    scope=None,
    dry=False,
    allowed=None,
    force=False,
    stale=None,
    take_over=None,
):
    """Make the router as it should be.

    :param wanted: ``Desired.rows``
    :param scope: ids of the services to look at, ``None`` for the whole router
    :param dry: only look
    :param allowed: function of a :class:`Difference`: whether it may be settled
    :param force: also when most of our rows would be removed
    :param stale: ``{(path, login): seconds}``: end sessions older than this in any case, because an
        earlier run may have been cut off between a change and this
    :param take_over: function of a clash: whether the row of others becomes ours
    :return: :class:`Outcome`
    :raises RouterError: ``Unreachable`` and ``NoRights`` among them; part may be done then
    """
    memo = {}
    menus, found = _look_at(session, wanted, scope, memo)
    kept = profiles_in_use(found)
    outcome = Outcome(_differences(found, kept), own=sum(diff.own for diff in found.values()))
    if dry:
        return outcome
    if not force and scope is None:
        _refuse_clearance(outcome)
    failed, to_end = {}, set()

    def open_ones(differences):
        taken = [
            taken_over(one) if one.kind == "clash" and take_over and take_over(one) else one
            for one in differences
        ]
        return [
            one
            for one in taken
            if one.kind != "clash"
            and (allowed is None or allowed(one))
            and (one.path, one.marker, one.kind) not in failed
        ]

    todo = open_ones(outcome.differences)
    while todo and outcome.rounds < MAX_ROUNDS:
        outcome.rounds += 1
        phases = make_plan(menus, todo, found, wanted)
        for difference, error in _apply(session, phases, outcome, to_end):
            failed[difference.path, difference.marker, difference.kind] = (difference, error)
        menus, found = _look_again(session, wanted, scope, todo, memo)
        todo = open_ones(_differences(found, kept))
    outcome.left = todo if outcome.rounds else []
    outcome.failures = list(failed.values())
    outcome.ended = end_sessions(session, dict.fromkeys(to_end, 0) | (stale or {}))
    return outcome


def _refuse_clearance(outcome):
    removals = sum(one.kind == "extra" and one.path in LEAVES for one in outcome.differences)
    if removals > REMOVALS_UNASKED and removals * 2 > outcome.own:
        raise Suspicious(f"{removals} of {outcome.own} rows would be removed")


def _apply(session, phases, outcome, to_end):
    """Carry out the phases one after the other; return ``(difference, message)`` of refusals."""
    refused = {}
    for phase in phases:
        steps = [step for step in phase if step.difference not in refused]
        fatal = None
        for position, reply in session.stream(step.words for step in steps):
            step = steps[position]
            if not reply.error:
                if step.last:
                    outcome.applied += 1
                if end := sessions_to_end(step.difference):
                    to_end.add(end)
            elif isinstance(reply.error, Gone | Exists):
                continue  # somebody else was there first; the next look tells what is left
            elif isinstance(reply.error, CommandError):
                refused[step.difference] = str(reply.error)
            else:
                fatal = fatal or reply.error
        if fatal:
            raise fatal
    return list(refused.items())


def _look_again(session, wanted, scope, todo, memo):
    """Read what was changed: row by row when it is little, else everything."""
    if len(todo) > FEW:
        return _look_at(session, wanted, scope, memo)
    queries = {}
    for path in LEAVES:
        terms = []
        for one in todo:
            if one.path != path:
                continue
            terms.append(f"?comment={one.marker}")
            if one.row_id:
                terms.append(f"?.id={one.row_id}")
            if values := wanted[path].get(one.marker):
                terms.append(_key_term(MENUS[path], values))
        queries[path] = any_of(terms)
    return look(session, wanted, {one.marker for one in todo}, queries)


# === SESSIONS === #


def end_sessions(session, logins):
    """End the open sessions of ``{(path, login): least age in seconds}``; return how many."""
    commands = []
    for path, (menu, property_) in _SESSIONS.items():
        names = {name: age for (of, name), age in logins.items() if of == path}
        if not names:
            continue
        query = any_of(f"?{property_}={name}" for name in names) if len(names) <= FEW else ()
        for words in session.print_rows(menu, [property_, "uptime"], query):
            row = parse_row(words)
            age = names.get(row.get(property_))
            if age is not None and int(normal_duration(row.get("uptime", "")) or 0) >= age:
                commands.append((f"{menu}/remove", f"=.id={row['.id']}"))
    ended = 0
    replies = [reply for _position, reply in session.stream(commands)]
    for reply in replies:
        if reply.error and not isinstance(reply.error, Gone):
            raise reply.error
        ended += not reply.error
    return ended
