"""PostgreSQL, Odoo and routers are killed while services change: in the end all say the same.

The same with larger numbers is ``make prove-network-faults``; ``ISP_SEED`` repeats the moments.
"""

from harness import payment_chaos, router_chaos


def test_ledger_entitlement_and_router_agree_after_chaos(killable, new_killable_database, seed):
    """Server and PostgreSQL killed, the router rebooting, lying and away, while all changes."""
    outcome = router_chaos.run(killable, new_killable_database, 60, seed, pause_s=0.3)
    print(outcome)
    assert len(outcome.states) == 3, "the changes were no changes"
    assert min(outcome.strikes.values()), "not everything happened"
    assert outcome.recoveries >= outcome.strikes["kill -9 of PostgreSQL"] > 1


def test_who_pays_while_the_database_dies_gets_what_is_paid_for(
    killable, new_killable_database, seed
):
    """Ledger, entitlement, RADIUS and router agree, and nobody has paid twice."""
    outcome = payment_chaos.run(killable, new_killable_database, 10, 3, seed)
    print(outcome)
    assert outcome.kills == outcome.recoveries == 3
