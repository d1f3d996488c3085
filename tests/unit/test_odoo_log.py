"""The reader of Odoo's test log, which decides what "passed" means."""

from harness import odoo_log

PREFIX = "2026-11-21 21:44:38,442 13858"
LOG = f"""\
[   1.000] {PREFIX} INFO db odoo.service.server: Starting post tests
[   2.000] {PREFIX} INFO db odoo.addons.isp_x.tests.test_a: Starting TestA.test_bad ...\x20
[   2.250] {PREFIX} ERROR db odoo.addons.isp_x.tests.test_a: FAIL: TestA.test_bad
[   2.250] Traceback (most recent call last):
[   2.250]   File "test_a.py", line 11, in test_bad
[   2.250] AssertionError: 1 != 2
[   2.500] {PREFIX} INFO db odoo.addons.isp_x.tests.test_a: Starting TestA.test_good ...\x20
[   5.500] {PREFIX} INFO db odoo.addons.isp_x.tests.test_a: Starting TestA.test_loud ...\x20
[   5.500] {PREFIX} ERROR db odoo.sql_db: bad query
[   5.600] {PREFIX} INFO db odoo.addons.isp_x.tests.test_a: Starting TestA.test_skip ...\x20
[   5.600] {PREFIX} INFO db odoo.addons.isp_x.tests.test_a: skipped TestA.test_skip : no browser
[   5.700] {PREFIX} INFO db odoo.addons.isp_x.tests.test_b: Starting TestB.test_sub ...\x20
[   5.700] {PREFIX} ERROR db odoo.addons.isp_x.tests.test_b: FAIL: Subtest TestB.test_sub (i=1)
[   5.700] AssertionError: first
[   5.700] {PREFIX} ERROR db odoo.addons.isp_x.tests.test_b: ERROR: Subtest TestB.test_sub (i=3)
[   5.700] ValueError: second
[   5.800] {PREFIX} ERROR db odoo.tests.suite: ERROR: setUpClass (isp_x.TestC)
[   5.800] RuntimeError: no setup
[   6.000] {PREFIX} INFO db odoo.tests.stats: isp_x: 5 tests 4.00s 100 queries
[   6.000] {PREFIX} ERROR db odoo.tests.result: 2 failed, 1 error(s) of 5 tests when loading
"""


def test_every_kind_of_failure_is_seen_and_counted_once():
    report = odoo_log.parse(LOG)
    assert {test for test, _title, _details in report.failures} == {
        "isp_x:TestA.test_bad",
        "isp_x:TestA.test_loud",
        "isp_x:TestA.test_skip",
        "isp_x:TestB.test_sub",
        "setUpClass (isp_x.TestC)",
    }
    assert set(report.seconds) - {test for test, *_rest in report.failures} == {
        "isp_x:TestA.test_good"
    }
    assert report.total == 5
    assert report.modules == {f"odoo.addons.isp_x.tests.test_{name}" for name in "ab"}


def test_a_failure_shows_its_traceback_and_nothing_else():
    details = {title: details for _test, title, details in odoo_log.parse(LOG).failures}
    assert details["isp_x:TestA.test_bad"].splitlines() == [
        "Traceback (most recent call last):",
        '  File "test_a.py", line 11, in test_bad',
        "AssertionError: 1 != 2",
    ]
    assert details["isp_x:TestB.test_sub (i=3)"] == "ValueError: second"


def test_times_come_from_the_arrival_of_the_lines():
    seconds = odoo_log.parse(LOG).seconds
    assert seconds["isp_x:TestA.test_bad"] == 0.5
    assert seconds["isp_x:TestA.test_good"] == 3.0


def test_a_run_that_dies_has_no_total():
    report = odoo_log.parse(LOG[: LOG.index("Starting TestA.test_good")])
    assert report.total is None
