"""Reconciling a router of 20,000 secrets, against plain librouteros in the same run.

Nothing to do: one whole reconciliation (every menu of ours read and compared) beside one print of
the secrets with the same properties. Changes: 2,000 new passwords, beside the same commands one
after the other; the simulator answers each command 20 ms later, as a router far away. The router
is the simulator in a process of its own; each time is the best of some.
"""

import subprocess
import sys
import time
from pathlib import Path

import librouteros

REPO = Path(__file__).parents[2]
sys.path.append(str(REPO / "addons/isp_network"))

from routeros import menus  # noqa: E402
from routeros.connection import Target, open_session  # noqa: E402
from routeros.desired import Service, build  # noqa: E402
from routeros.reconcile import reconcile  # noqa: E402

SECRETS = 20_000
CHANGES = 2_000
# The peer takes 20 ms and more for each: enough of them to know its pace.
PEER_CHANGES = 250
DELAY_S = 0.02
REPEATS = 5
IDLE_BAR, CHANGES_BAR = 1.1, 12

ROUTER = """
import sys
from simulators.routeros import RouterOS
sim = RouterOS(users={"isp": "secret"})
print(*sim.start(), flush=True)
for line in sys.stdin:
    sim.faults.delay_s = float(line)
    print("set", flush=True)
"""


class Router:
    """The simulator as a process."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", ROUTER],
            env={"PYTHONPATH": str(REPO / "tests")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.host, port = self.process.stdout.readline().split()
        self.port = int(port)
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.wait()

    def delay(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "set\n"

    def session(self):
        return open_session(Target(self.host, self.port, "isp", "secret", timeout_s=60))

    def peer(self):
        return librouteros.connect(
            self.host, "isp", "secret", port=self.port, encoding="utf-8", timeout=60
        )


def services(password=""):
    return [
        Service(
            number, f"user{number}", f"pw-{number}{password if number <= CHANGES else ''}",
            upload_kbps=10_000, download_kbps=10_000 * (1 + number % 4),
        )
        for number in range(1, SECRETS + 1)
    ]  # fmt: skip


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def print_by_peer(router, properties):
    api = router.peer()
    command = ("/ppp/secret/print", f"=.proplist={','.join(['.id', *properties])}")
    try:
        seconds, rows = timed(lambda: list(api.rawCmd(*command)))
    finally:
        api.close()
    assert len(rows) == SECRETS
    return seconds, rows


def look_by_us(router, wanted):
    with router.session() as session:
        seconds, outcome = timed(lambda: reconcile(session, wanted))
    assert not outcome.differences and outcome.own >= SECRETS
    return seconds


def print_by_us(router, properties):
    with router.session() as session:
        seconds, rows = timed(lambda: session.print_rows(menus.PPP_SECRET, properties))
    assert len(rows) == SECRETS
    return seconds


def change_by_peer(router, rows):
    api = router.peer()
    secrets = api.path("/ppp/secret")
    todo = [(row[".id"], row["password"]) for row in rows[:PEER_CHANGES]]

    def change():
        for row_id, password in todo:
            secrets.update(**{".id": row_id, "password": password})

    try:
        seconds, _nothing = timed(change)
    finally:
        api.close()
    return seconds / len(todo)


def change_by_us(router, wanted):
    with router.session() as session:
        seconds, outcome = timed(lambda: reconcile(session, wanted))
    assert outcome.settled and outcome.applied == CHANGES
    return seconds


def main():
    properties = menus.MENUS[menus.PPP_SECRET].proplist()
    wanted = build(services()).rows
    with Router() as router:
        with router.session() as session:
            seconds, outcome = timed(lambda: reconcile(session, wanted))
        assert outcome.settled
        print(f"{SECRETS} secrets written to an empty router   {seconds:8.2f} s")
        peer, ours, bare = [], [], []
        for _repeat in range(REPEATS):
            seconds, rows = print_by_peer(router, properties)
            peer.append(seconds)
            ours.append(look_by_us(router, wanted))
            bare.append(print_by_us(router, properties))
        ratio = min(ours) / min(peer)
        print(f"one print by librouteros                     {min(peer):8.2f} s")
        print(f"one print over our session                   {min(bare):8.2f} s")
        print(f"reconcile, nothing to do                     {min(ours):8.2f} s")
        print(f"  ratio to librouteros' print {ratio:.2f}   bar <= {IDLE_BAR}")
        print(f"  ratio to our own print      {min(ours) / min(bare):.2f}")
        router.delay(DELAY_S)
        pace = change_by_peer(router, rows)
        [seconds] = [change_by_us(router, build(services(password="-new")).rows)]
        ratio = pace * CHANGES / seconds
        print(f"one change by librouteros, 20 ms away        {pace * 1000:8.1f} ms")
        print(f"{CHANGES} changes, read and verified by us         {seconds:8.2f} s")
        print(f"  one after the other they take {pace * CHANGES:.1f} s: {ratio:.1f} times faster")
        print(f"  bar >= {CHANGES_BAR}")


if __name__ == "__main__":
    main()
