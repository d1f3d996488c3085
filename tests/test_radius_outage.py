"""Accounting survives: PostgreSQL and FreeRADIUS are killed, and every octet is stored.

The database is killed with -9 and recovers from its log; ten minutes of it are
``make prove-radius-outage``. The log is written late (:data:`harness.cluster.HARSH`), so that a kill
loses whatever was not waited for.
"""

import json

import pytest

from harness import radius, radius_outage
from harness.databases import query
from harness.server import read_shell
from harness.waiting import wait_for

SECRET = "secret-of-the-test-nas"
GIGA = 1 << 32

SETUP = f"""
import json
env = env(context=dict(env.context, tracking_disable=True))
env["isp.nas"].create({{"name": "Test", "ip_address": "127.0.0.1", "secret": "{SECRET}"}})
plan = env["isp.plan"].create({{"name": "Home", "price": 1000}})
partner = env["res.partner"].create({{"name": "Karim Uddin"}})
subscription = env["isp.subscription"].create(
    {{"partner_id": partner.id, "plan_id": plan.id, "username": "karim", "password": "secret-word"}}
)
subscription._activate()
env.cr.commit()
print("RESULT" + json.dumps([subscription.id, env.company.id]))
"""


@pytest.fixture(scope="module")
def database(new_killable_database):
    """A database in the cluster that may be killed, with a router and the subscriber karim."""
    name = new_killable_database()
    return name, *read_shell(name, SETUP)


def test_every_packet_is_accounted_for_once_whoever_is_killed(killable, database, seed):
    """PostgreSQL dies four times under load, FreeRADIUS while it spools and while it replays."""
    name, *_ids = database
    outcome = radius_outage.run(
        killable, name, SECRET, range(1, 101), "out-", seed, down_s=3, rate=150
    )
    print(outcome)
    assert outcome.lost == 0
    assert outcome.exact, str(outcome)
    assert outcome.spooled > 0, "the outage came after the packets"
    assert outcome.recoveries == 4
    # The check itself: a counter that is one less is not exact.
    query(
        name,
        "UPDATE radius.radacct SET acctinputoctets = acctinputoctets - 1 "
        "WHERE acctsessionid = 'out-3'",
    )
    expected = radius_outage.expected_octets(100)
    assert radius_outage.stored(name, "out-") != (100, expected)


class Karim:
    """A session of karim, as his router reports it."""

    def __init__(self, server, database, number):
        self._server = server
        self._database = database
        self.number = number

    def report(self, status, seconds=0, upload=0, download=0, **more):
        """Send a packet, which is acknowledged."""
        values = {"User_Name": "karim", "Acct_Session_Id": self.number} | more
        if status in ("Interim-Update", "Stop"):
            values |= {"Acct_Session_Time": seconds}
            for direction, octets in (("Input", upload), ("Output", download)):
                values[f"Acct_{direction}_Octets"] = octets % GIGA
                values[f"Acct_{direction}_Gigawords"] = octets // GIGA
        assert self._server.account(status, SECRET, **values).code == "Accounting-Response"

    def rows(self):
        """[(upload, download, seconds, open), …] in the database."""
        return query(
            self._database,
            "SELECT acctinputoctets, acctoutputoctets, acctsessiontime, acctstoptime IS NULL "
            "FROM radius.radacct WHERE acctsessionid = %s",
            [self.number],
        )

    def become(self, *row):
        """Wait until the database has this row, perhaps out of FreeRADIUS's spool."""
        wait_for(lambda: self.rows() == [row], 40, f"{self.number} is {self.rows()}, not {row}")


def crash(killable, server):
    """Kill PostgreSQL, which alone knows what was acknowledged, and start it."""
    assert not any((server.folder / "acct/spool").iterdir()), "not all was in the database"
    killable.kill()
    killable.start()


def test_a_restart_of_the_router_that_was_acknowledged_survives_a_crash(killable, database):
    """No later packet says again which sessions it has ended."""
    name, *_ids = database
    with radius.RadiusServer(name) as server:
        session = Karim(server, name, "rebooted")
        session.report("Interim-Update", 300, 10, 20, Acct_Delay_Time=60)
        server.account("Accounting-On", SECRET)
        crash(killable, server)
        assert session.rows() == [(10, 20, 300, False)]


def test_what_a_crash_may_take_is_made_good_by_the_next_packet(killable, database):
    """A Stop is the last packet of its session, so it is never taken."""
    name, subscription, company = database
    with radius.RadiusServer(name) as server:
        ended, going_on, begun = (Karim(server, name, n) for n in ("ended", "going-on", "begun"))
        for session in (ended, going_on):
            session.report("Start", Acct_Delay_Time=900)
            session.report("Interim-Update", 300, 1000, 5 * GIGA, Acct_Delay_Time=600)
        before = usage_of(name, subscription, company)  # its transaction waits for the disk
        killable.hold_log_writer()
        # Nothing that comes after the Stop waits, so that alone can have saved it.
        ended.report("Stop", 600, 2000, 6 * GIGA, Acct_Delay_Time=300)
        going_on.report("Interim-Update", 600, 2000, 6 * GIGA, Acct_Delay_Time=300)
        begun.report("Start", Acct_Delay_Time=300)
        assert going_on.rows() == [(2000, 6 * GIGA, 600, True)]
        assert begun.rows() == [(0, 0, 0, True)]

        crash(killable, server)

        assert ended.rows() == [(2000, 6 * GIGA, 600, False)]
        assert going_on.rows() == [(1000, 5 * GIGA, 300, True)], "nothing was taken: no proof"
        assert begun.rows() == [], "nothing was taken: no proof"

        going_on.report("Interim-Update", 900, 3000, 7 * GIGA)
        begun.report("Interim-Update", 300, 100, 200)
        going_on.become(3000, 7 * GIGA, 900, True)
        begun.become(100, 200, 300, True)
    [(seconds, owner)] = query(
        name,
        "SELECT extract(epoch FROM acctupdatetime - acctstarttime), subscription_id "
        "FROM radius.radacct WHERE acctsessionid = 'begun'",
    )
    assert (seconds, owner) == (300, subscription), "it began when its router says, and is his"
    # The days have what the sessions have, once: 1000, 5 and 300 each were there before.
    after = usage_of(name, subscription, company)
    grown = tuple(now - then for now, then in zip(after, before, strict=True))
    assert grown == (1000 + 2000 + 100, 3 * GIGA + 200, 300 + 600 + 300)


def usage_of(database, subscription, company):
    """(upload, download, seconds) of all days."""
    query(database, "SELECT radius.roll_up_usage(%s)", [json.dumps({company: "Asia/Dhaka"})])
    [row] = query(
        database,
        "SELECT sum(upload_bytes)::bigint, sum(download_bytes)::bigint, "
        "sum(session_seconds)::bigint FROM radius.usage_day WHERE subscription_id = %s",
        [subscription],
    )
    return row
