"""Accounting loses nothing and counts nothing twice: real FreeRADIUS against the suite's database.

A packet is put into the past by ``Acct-Delay-Time``, as a router does that could not send it.
"""

import itertools
import json
import os
import signal
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2
import pytest

from harness import radius
from harness.waiting import wait_for

SECRET = "secret-of-the-test-nas"
GIGA = 1 << 32
_numbers = itertools.count(1)

# Prints the ids of (subscription, company).
SETUP = f"""
env = env(context=dict(env.context, tracking_disable=True))
env.company.partner_id.tz = "Asia/Dhaka"
env["isp.nas"].create([
    {{"name": "One", "ip_address": "127.0.0.1", "secret": "{SECRET}"}},
    {{"name": "Two", "ip_address": "127.0.0.2", "secret": "{SECRET}", "stale_minutes": 60}},
])
plan = env["isp.plan"].create({{"name": "Home", "price": 1000, "simultaneous_use": 2}})
partner = env["res.partner"].create({{"name": "Karim Uddin"}})
subscription = env["isp.subscription"].create(
    {{"partner_id": partner.id, "plan_id": plan.id, "username": "karim", "password": "secret-word"}}
)
subscription._activate()
env.cr.commit()
import json
print("RESULT" + json.dumps([subscription.id, env.company.id]))
"""


@pytest.fixture(autouse=True)
def no_sessions(query, made):
    """Each test begins on a day without usage."""
    for table in ("usage_delta", "usage_day", "usage_total", "radacct"):
        query(f"DELETE FROM radius.{table}")


@pytest.fixture
def usage(query, made):
    """What the days hold after a roll-up: {day: (upload, download, seconds)}."""
    subscription, company = made

    def roll_up(zone="Asia/Dhaka"):
        query("SELECT radius.roll_up_usage(%s)", json.dumps({company: zone}))
        sums = query("SELECT sum(row_count), sum(upload_bytes) FROM radius.usage_total")
        assert sums == query("SELECT NULLIF(count(*), 0), sum(upload_bytes) FROM radius.usage_day")
        return {
            str(day): tuple(values)
            for day, *values in query(
                "SELECT day, upload_bytes, download_bytes, session_seconds FROM radius.usage_day "
                "WHERE subscription_id = %s AND company_id = %s ORDER BY day",
                subscription,
                company,
            )
        }

    return roll_up


@dataclass
class Session:
    """One session of karim, as his router reports it."""

    server: radius.RadiusServer
    query: object
    options: dict = field(default_factory=dict)
    number: str = field(default_factory=lambda: f"session-{next(_numbers)}")

    def send(self, status, seconds=None, upload=None, download=None, ago=0, **more):
        values = {"User_Name": "karim", "Acct_Session_Id": self.number} | self.options | more
        if seconds is not None:
            values["Acct_Session_Time"] = seconds
        for name, octets in (("Input", upload), ("Output", download)):
            if octets is not None:
                values[f"Acct_{name}_Octets"] = octets % GIGA
                if octets >= GIGA:
                    values[f"Acct_{name}_Gigawords"] = octets // GIGA
        if ago:
            values["Acct_Delay_Time"] = ago
        reply = self.server.account(status, SECRET, **values)
        assert reply.code == "Accounting-Response"
        return self.rows()

    def start(self, **values):
        return self.send("Start", **values)

    def interim(self, *values, **more):
        return self.send("Interim-Update", *values, **more)

    def stop(self, *values, **more):
        return self.send("Stop", *values, **more)

    def rows(self):
        """[(upload, download, seconds, cause or None while open), …] in the order of start."""
        return self.query(
            "SELECT acctinputoctets, acctoutputoctets, acctsessiontime, CASE WHEN acctstoptime IS "
            "NOT NULL THEN acctterminatecause END FROM radius.radacct WHERE acctsessionid = %s "
            "ORDER BY acctstarttime, radacctid",
            self.number,
        )

    def age(self, seconds):
        """Shift what is stored into the past."""
        self.query(
            "UPDATE radius.radacct SET acctstarttime = acctstarttime - make_interval(secs => %s), "
            "acctupdatetime = acctupdatetime - make_interval(secs => %s) WHERE acctsessionid = %s",
            seconds,
            seconds,
            self.number,
        )


@pytest.fixture
def session(server, query):
    return Session(server, query)


def total(usage):
    return tuple(map(sum, zip(*usage().values(), strict=True)))


# === ORDINARY LIFE === #


def test_start_interim_stop_each_counted_once_though_sent_twice(session, usage):
    for _twice in range(2):
        assert session.start(ago=3600) == [(0, 0, 0, None)]
    for _twice in range(2):
        assert session.interim(1800, 10, 5 * GIGA + 7, ago=1800) == [(10, 5 * GIGA + 7, 1800, None)]
    for _twice in range(2):
        assert session.stop(3600, 20, 6 * GIGA, Acct_Terminate_Cause="User-Request") == [
            (20, 6 * GIGA, 3600, "User-Request")
        ]
    assert total(usage) == (20, 6 * GIGA, 3600)
    assert total(usage) == (20, 6 * GIGA, 3600), "nothing is rolled up twice"


@pytest.mark.parametrize(
    "order", list(itertools.permutations(("start", "early", "late", "stop"))), ids="-".join
)
def test_the_order_of_arrival_does_not_matter(session, usage, order):
    packets = {
        "start": lambda: session.start(ago=900),
        "early": lambda: session.interim(300, 100, 1000, ago=600),
        "late": lambda: session.interim(600, 200, 2000, ago=300),
        "stop": lambda: session.stop(900, 300, 3000),
    }
    for name in order:
        packets[name]()
    assert session.rows() == [(300, 3000, 900, "Unknown")]
    assert total(usage) == (300, 3000, 900)
    [[start]] = session.query(
        "SELECT extract(epoch FROM acctstoptime - acctstarttime)::int FROM radius.radacct "
        "WHERE acctsessionid = %s",
        session.number,
    )
    assert abs(start - 900) <= 2


def test_a_session_is_known_by_its_last_packet_alone(session, usage):
    assert session.stop(60, 5, 6) == [(5, 6, 60, "Unknown")]
    assert total(usage) == (5, 6, 60)


def test_what_a_router_does_not_say_is_not_taken_for_zero(session, usage):
    session.start(ago=600)
    session.interim(300, 100, 200, ago=300)
    assert session.interim(600) == [(100, 200, 600, None)]
    assert session.stop(600, 100, 200) == [(100, 200, 600, "Unknown")]
    assert total(usage) == (100, 200, 600)


# === COUNTERS THAT FALL === #


def test_counters_that_begin_again_while_the_session_goes_on(session, usage):
    session.start(ago=1200)
    session.interim(300, 1000, 50_000, ago=900)
    assert session.interim(600, 10, 400, ago=600) == [(1010, 50_400, 600, None)]
    assert session.interim(900, 30, 900, ago=300) == [(1030, 50_900, 900, None)]
    assert session.interim(600, 10, 400, ago=0) == [(1030, 50_900, 900, None)], "an old one"
    assert session.stop(1200, 40, 1000) == [(1040, 51_000, 1200, "Unknown")]
    assert total(usage) == (1040, 51_000, 1200)


def test_a_packet_from_before_the_new_beginning_adds_nothing(session, usage):
    session.start(ago=1200)
    session.interim(300, 1000, 50_000, ago=900)
    session.interim(600, 10, 400, ago=600)
    assert session.interim(450, 2000, 70_000, ago=750) == [(1010, 50_400, 600, None)]
    assert total(usage) == (1010, 50_400, 600)


def test_a_clock_that_begins_again_with_its_counters(session, usage):
    session.start(ago=1200)
    session.interim(600, 1000, 2000, ago=600)
    # 100 s ago it began again, and has moved more since than before.
    assert session.interim(100, 5000, 6000) == [(6000, 8000, 700, None)]
    assert session.stop(150, 5500, 6500) == [(6500, 8500, 750, "Unknown")]
    assert total(usage) == (6500, 8500, 750)


def test_an_old_packet_is_not_a_new_beginning(session, usage):
    """It comes late and does not say so: its times are of the session, not of now."""
    session.start(ago=700)
    session.interim(600, 1000, 2000, ago=100)
    assert session.interim(300, 400, 500) == [(1000, 2000, 600, None)]
    assert total(usage) == (1000, 2000, 600)


def test_a_counter_of_32_bits_goes_round(session, usage):
    session.start(ago=900)
    session.interim(300, 1000, GIGA - 1000, ago=600)
    assert session.interim(600, 2000, 500, ago=300) == [(2000, GIGA + 500, 600, None)]
    assert session.stop(900, 3000, 700) == [(3000, GIGA + 700, 900, "Unknown")]
    assert total(usage) == (3000, GIGA + 700, 900)


def test_a_router_that_counts_further_does_not_go_round(session, usage):
    session.start(ago=900)
    session.interim(300, 5 * GIGA, 3 * GIGA, ago=600)
    assert session.interim(600, 6 * GIGA, GIGA, ago=300) == [(11 * GIGA, 4 * GIGA, 600, None)]


# === AFTER THE STOP === #


def test_an_interim_after_the_stop_opens_nothing(session, usage):
    session.start(ago=600)
    session.stop(600, 10, 20, Acct_Terminate_Cause="User-Request")
    assert session.interim(300, 5, 6, ago=300) == [(10, 20, 600, "User-Request")]
    assert session.interim(300, 5, 6) == [(10, 20, 600, "User-Request")]
    assert total(usage) == (10, 20, 600)


def test_the_same_number_again_is_another_session(session, usage):
    """A router that sends no Class counts its sessions from one again when it starts."""
    session.start(ago=2000)
    session.stop(500, 10, 20, ago=1500)
    session.start(ago=1000)
    session.interim(500, 1, 2, ago=500)
    assert session.stop(1000, 3, 4) == [(10, 20, 500, "Unknown"), (3, 4, 1000, "Unknown")]
    assert total(usage) == (13, 24, 1500)


# === SILENCE === #


def close_stale(query):
    return query("SELECT radius.close_stale()")[0][0]


def test_silent_sessions_end_by_the_rule_of_their_router_and_return(server, query, usage):
    one = Session(server, query)
    two = Session(
        server,
        query,
        {"Packet_Src_IP_Address": "127.0.0.2", "NAS_IP_Address": "127.0.0.2"},
    )
    for session in (one, two):
        session.start(ago=3600)
        session.interim(1800, 100, 200, ago=1800)
    assert close_stale(query) == 1
    assert one.rows() == [(100, 200, 1800, "Stale-Session")]
    assert two.rows() == [(100, 200, 1800, None)]
    two.age(3600)
    assert close_stale(query) == 1
    assert one.interim(3600, 150, 250) == [(150, 250, 3600, None)], "it lives"
    assert two.stop(7200, 120, 220, Acct_Terminate_Cause="Lost-Carrier") == [
        (120, 220, 7200, "Lost-Carrier")
    ]
    assert total(usage) == (270, 470, 10800)


def test_a_stop_after_the_sweep_says_when_it_was(session, query):
    session.start(ago=3600)
    close_stale(query)
    session.stop(3570, 1, 2, ago=60)  # no second too few on a slow machine
    [[seconds]] = query("SELECT extract(epoch FROM now() - acctstoptime)::int FROM radius.radacct")
    assert 55 <= seconds <= 65


# === ROUTERS === #


@pytest.mark.parametrize("status", ["Accounting-On", "Accounting-Off"])
def test_a_restarting_router_ends_its_own_sessions_only(server, query, usage, status):
    """Both were left at the same address, so the address alone does not tell them apart."""
    own = {"NAS_IP_Address": "192.168.88.1"}
    one = Session(server, query, own)
    two = Session(server, query, own | {"Packet_Src_IP_Address": "127.0.0.2"})
    for session in (one, two):
        session.start(ago=600)
        session.interim(300, 100, 200, ago=300)
    for _twice in range(2):
        server.account(status, SECRET, **own)
    assert one.rows() == [(100, 200, 300, "NAS-Reboot")]
    assert two.rows() == [(100, 200, 300, None)]
    assert one.interim(250, 90, 190, ago=350) == [(100, 200, 300, "NAS-Reboot")], "from before"
    assert one.stop(320, 110, 210, ago=280) == [(110, 210, 320, "Unknown")]
    assert two.interim(600, 300, 400) == [(300, 400, 600, None)]
    assert total(usage) == (410, 610, 920)


def test_a_session_that_survives_the_announced_restart_goes_on(session, server):
    session.start(ago=600)
    server.account("Accounting-On", SECRET, Acct_Delay_Time=300)
    assert session.rows()[0][3] == "NAS-Reboot"
    assert session.interim(600, 10, 20) == [(10, 20, 600, None)]


def test_a_device_that_roams_is_online_once(server, query, usage):
    device = {"Calling_Station_Id": "AA:BB:CC:00:00:01"}
    there = {"Packet_Src_IP_Address": "127.0.0.2", "NAS_IP_Address": "127.0.0.2"}
    old = Session(server, query, device)
    other = Session(server, query, {"Calling_Station_Id": "AA:BB:CC:00:00:02"})
    new = Session(server, query, device | there)
    for session in (old, other):
        session.start(ago=600)
        session.interim(300, 100, 200, ago=300)
    new.start(ago=60)
    assert old.rows() == [(100, 200, 300, "Roamed")]
    assert other.rows()[0][3] is None, "another device of the same customer"
    assert new.interim(60, 1, 2) == [(1, 2, 60, None)]
    # The router left behind notices at last.
    assert old.stop(560, 150, 250, Acct_Terminate_Cause="Lost-Carrier") == [
        (150, 250, 560, "Lost-Carrier")
    ]
    assert total(usage) == (251, 452, 920)


@pytest.mark.parametrize("stamp", [0, 4_000_000_000], ids=["1970", "2096"])
def test_the_clock_of_the_router_is_not_believed(session, query, stamp):
    session.start(ago=120, Event_Timestamp=stamp)
    session.stop(120, 1, 2, Event_Timestamp=stamp)
    [row] = query(
        "SELECT now() - acctstoptime < interval '10 s', acctstoptime - acctstarttime BETWEEN "
        "interval '118 s' AND interval '122 s' FROM radius.radacct"
    )
    assert row == (True, True)


def test_a_delay_of_years_is_stored_all_the_same(session, query):
    session.stop(120, 1, 2, ago=4_000_000_000)
    assert session.rows() == [(1, 2, 120, "Unknown")]


# === DAYS === #


def test_a_report_over_midnight_is_split_by_time(query, usage, made):
    """18:00 UTC is midnight in Dhaka."""
    query(
        "INSERT INTO radius.usage_delta VALUES (%s, '2027-03-09 17:30+00', '2027-03-09 18:10+00', "
        "1001, 4000, 2400)",
        made[0],
    )
    assert usage() == {"2027-03-09": (750, 3000, 1800), "2027-03-10": (251, 1000, 600)}


def test_a_report_of_days_sums_up_exactly(query, usage, made):
    query(
        "INSERT INTO radius.usage_delta VALUES (%s, '2027-03-01 01:02:03+00', "
        "'2027-03-08 04:05:06+00', 1000000007, 5000000000000003, 615783)",
        made[0],
    )
    days = usage()
    assert len(days) == 8
    assert tuple(map(sum, zip(*days.values(), strict=True))) == (
        1000000007,
        5000000000000003,
        615783,
    )


def test_a_roll_up_that_dies_counts_once(session, query, usage, module_db, made):
    session.stop(60, 5, 6)
    env = radius.environment()
    dying = psycopg2.connect(dbname=module_db, host=env["PGHOST"], user=env["PGUSER"])
    with dying.cursor() as cr:
        cr.execute("SELECT pg_backend_pid(), radius.roll_up_usage('{}')")
        [(pid, subscription)] = cr.fetchall()
        assert subscription == made[0]
        # A second one meanwhile has nothing to do and does not wait, and accounting goes on.
        start = time.monotonic()
        assert query("SELECT radius.roll_up_usage('{}')") == []
        Session(session.server, query).stop(30, 1, 1)
        assert time.monotonic() - start < 2
    query("SELECT pg_terminate_backend(%s)", pid)
    dying.close()
    wait_for(lambda: not query("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid))
    assert total(usage) == (6, 7, 90)


def test_usage_is_exact_through_an_outage_and_two_kills_of_freeradius(module_db, query, usage):
    """Packets wait in the spool; the replay is killed and begins again."""
    with radius.DatabaseGate() as gate, radius.RadiusServer(module_db, gate) as server:
        sessions = [Session(server, query) for _number in range(40)]
        for number, session in enumerate(sessions):
            session.start(ago=900)
            session.interim(300, number, 1000, ago=600)
        gate.close()
        for number, session in enumerate(sessions):
            session.interim(600, 2 * number, 2 * GIGA, ago=300)
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        for number, session in enumerate(sessions):
            session.stop(900, 3 * number, 3 * GIGA)
        gate.open()
        time.sleep(0.5)
        os.kill(server.pid, signal.SIGKILL)
        usage()
        server.start()
        wait_for(lambda: query("SELECT count(acctstoptime) FROM radius.radacct") == [(40,)], 40)
        wait_for(lambda: not any((server.folder / "acct/spool").iterdir()), 40)
    assert total(usage) == (3 * sum(range(40)), 3 * GIGA * 40, 900 * 40)


@pytest.mark.alone
def test_a_month_is_dropped_at_once_while_packets_arrive(module_db, query, made, odoo_shell):
    query("SELECT radius.make_partition('radacct', '2020-01-01')")
    # A month of long ago has nothing left for autovacuum to do, which would hold a lock.
    query("ALTER TABLE radius.radacct_202001 SET (autovacuum_enabled = off)")
    query(
        "INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, "
        "subscription_id, acctstarttime, acctupdatetime, acctstoptime, acctinputoctets, "
        "acctoutputoctets) SELECT n, md5(n::text), 'user' || n, '10.0.0.1', n, '2020-01-10+00', "
        "'2020-01-10+00', '2020-01-11+00', 1, 2 FROM generate_series(1, 300000) n"
    )
    done, slowest, sent = threading.Event(), [], []

    def report(thread):
        with closing(radius.connect_as_radius(module_db)) as connection:
            cr, worst, number = connection.cursor(), 0, 0
            while not done.is_set():
                number += 1
                start = time.monotonic()
                cr.execute(
                    "SELECT radius.account_report(ROW('x', %s, 'karim', '', '127.0.0.1', 'nas-1', "
                    "'', '', '', '', '', '', '', '', '', NULL, NULL, NULL, '', NULL, now(), %s, %s, "
                    "%s, false, 'Unknown')::radius.packet, %s)",
                    [f"{thread}-{number // 10}", number % 10, number, number, number % 10 == 9],
                )
                worst = max(worst, time.monotonic() - start)
            slowest.append(worst)
            sent.append(number)

    threads = [threading.Thread(target=report, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        output = odoo_shell(
            module_db,
            "import time, json\n"
            "months = env['isp.radius.month']\n"
            "due = months.search([]).filtered('is_due').mapped('part')\n"
            "start = time.monotonic(); months._drop_parts(due); env.cr.commit()\n"
            "print('RESULT' + json.dumps([due, time.monotonic() - start]))",
        )
    finally:
        done.set()
        for thread in threads:
            thread.join()
    due, spent = json.loads(output.split("RESULT")[1].splitlines()[0])
    assert due == ["radacct_202001"]
    assert spent < 1
    assert max(slowest) < 0.5, "FreeRADIUS waits so long for a lock"
    assert min(sent) > 50
    assert not query("SELECT 1 FROM radius.stored_months() WHERE part = 'radacct_202001'")


def test_a_long_report_delays_the_drop_and_no_packet(server, query, module_db):
    """The lock that takes a month out is not waited for in front of packets."""
    query("SELECT radius.make_partition('radacct', '2020-02-01')")
    env = radius.environment()
    reader = psycopg2.connect(dbname=module_db, host=env["PGHOST"], user=env["PGUSER"])
    with closing(reader), reader.cursor() as cr:
        cr.execute("SELECT count(*) FROM radius.radacct")
        start = time.monotonic()
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            query("SELECT radius.detach_month('radacct_202002')")
        assert time.monotonic() - start < 1
        assert Session(server, query).stop(1, 1, 1)
    query("SELECT radius.detach_month('radacct_202002')")
    query("SELECT radius.drop_month('radacct_202002')")
