"""Accounting survives: the database is away, FreeRADIUS is killed, and every octet is stored."""

import pytest

from harness import radius, radius_outage

SECRET = "secret-of-the-test-nas"


@pytest.fixture(scope="module")
def nas(module_db, odoo_shell):
    """A router that sends from 127.0.0.1."""
    odoo_shell(
        module_db,
        "env['isp.nas'].create({'name': 'Test', 'ip_address': '127.0.0.1', "
        f"'secret': '{SECRET}'}})\nenv.cr.commit()",
    )


def test_every_packet_of_an_outage_is_accounted_for_once(module_db, nas):
    """The database dies under load, FreeRADIUS dies while it spools and while it replays."""
    outcome = radius_outage.run(module_db, SECRET, range(1, 101), "out-", kills=2, down_s=3)
    assert outcome.lost == 0
    assert outcome.exact, str(outcome)
    assert outcome.spooled > 0, "the outage came after the packets"


def test_a_record_that_was_lost_is_noticed(module_db, nas, pg):
    """The check itself: a session less, or a counter less, is not exact."""
    with radius.RadiusServer(module_db) as server:
        stored = radius_outage.send_all(server, SECRET, range(1, 11), "check-")
    assert stored.lost == 0
    expected = radius_outage.expected_octets(10)
    assert radius_outage.stored(module_db, "check-") == (10, expected)
    with pg(module_db).cursor() as cr:
        cr.execute(
            "UPDATE radius.radacct SET acctinputoctets = acctinputoctets - 1 "
            "WHERE acctsessionid = 'check-3'"
        )
    assert radius_outage.stored(module_db, "check-") != (10, expected)
