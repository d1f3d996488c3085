"""Billing runs that are killed at random moments and given again, and what the books say then."""

import itertools
import time
from dataclasses import dataclass

from . import crowd, databases, ledger, processes, server
from .databases import query
from .waiting import wait_for

DAY = "2027-02-01"
# The few that are multiplied: taxed and untaxed, a first part, two periods due, an add-on.
FEW = 100
WAIT_S = 120

SEED = f"""
env.company.partner_id.tz = "Asia/Dhaka"
# A server would print the bills of a finished run, sooner or later than the books are read.
env.company.isp_print_after_run = False
vat = env["account.tax"].search([("type_tax_use", "=", "sale"), ("amount", "=", 5)], limit=1)
term = env.ref("account.account_payment_term_immediate")
plans = [
    env["isp.plan"].create(
        {{"name": f"Plan {{price}}", "price": price, "tax_ids": [(6, 0, taxes.ids)]}}
    )
    for price, taxes in ((500.0, vat), (749.5, vat), (1200.25, vat.browse()))
]
partners = env["res.partner"].create(
    [{{"name": f"Customer {{number}}"}} for number in range({FEW})]
)
subscriptions = env["isp.subscription"].create(
    [
        {{
            "partner_id": partner.id,
            "plan_id": plans[number % 3].id,
            "date_start": "2027-01-18" if number % 5 == 0 else "2027-01-01",
            "payment_term_id": term.id,
        }}
        for number, partner in enumerate(partners)
    ]
)
for subscription in subscriptions[::7]:
    subscription.line_ids.create(
        {{"subscription_id": subscription.id, "product_id": plans[2].product_id.id,
         "name": "Router", "line_type": "addon", "price_unit": 99.99}}
    )
subscriptions._activate()
env.cr.commit()
"""

BEGIN_JOBS = f"""
env["isp.billing.run"].create({{"target_date": "{DAY}", "invoice_date": "{DAY}"}}).action_run()
env.cr.commit()
"""


@dataclass
class Kill:
    """One kill and how the books stood."""

    case: str
    second: float  # since the run began, or was resumed
    posted: int  # invoices at that moment, all of whole batches
    books: ledger.Books | None = None  # once the run has been resumed to its end


class Provider:
    """A database of subscriptions that are due, and copies of it that are billed."""

    def __init__(self, template, name, subscriptions, batch):
        self.name = name
        self.subscriptions = subscriptions
        self.batch = batch
        self.made = [name]
        databases.drop_database(name)
        databases.copy_database(template, name)
        server.run_shell(name, SEED)
        crowd.multiply_subscriptions(name, subscriptions // FEW)
        self._copies = itertools.count(1)

    def drop(self):
        """Drop the database and what is left of its copies."""
        for name in self.made:
            databases.drop_database(name)

    def copy(self):
        """The name of a fresh copy."""
        name = f"{self.name}_{next(self._copies)}"
        self.made.append(name)
        databases.copy_database(self.name, name)
        return name

    def drop_copy(self, name):
        """Drop a copy that is no longer needed."""
        databases.drop_database(name)
        self.made.remove(name)

    def start(self, database):
        """Start ``odoo isp_bill``; return the process once the run has begun."""
        process = processes.start(
            *("isp_bill", "-d", database, "--date", DAY, "--batch", self.batch)
        )
        process.stdout.readline()
        return process

    def finish(self, database):
        """Bill to the end, and check what must hold in any books; return them."""
        code, output, errors = processes.finish(self.start(database))
        assert code == 0, errors
        assert f": {self.subscriptions} invoices, " in output
        return self.check(database)

    def check(self, database, numbered=True):
        """Check a finished run and return the books."""
        ledger.assert_books_are_whole(database, self.subscriptions)
        assert query(
            database,
            "SELECT state, due_count, finished_at > started_at FROM isp_billing_run",
        ) == [("done", self.subscriptions, True)]
        assert not query(database, "SELECT id FROM isp_billing_run_exception")
        return ledger.read_books(database, numbered)

    def run_undisturbed(self):
        """Bill a copy; return its books, with and without numbers, and how long the run took."""
        database = self.copy()
        process = self.start(database)
        start = time.monotonic()
        code, _output, errors = processes.finish(process)
        seconds = time.monotonic() - start
        assert code == 0, errors
        books = self.check(database), self.check(database, numbered=False)
        self.drop_copy(database)
        return books, seconds

    def kill_once(self, database, case, moment):
        """Let the run of ``database`` go on and kill it after ``moment`` seconds.

        :return: the :class:`Kill`, ``None`` when the run had ended before
        """
        process = self.start(database)
        time.sleep(moment)
        still_ran, lines = processes.kill(process)
        self._wait_for_rollback(database)
        ((posted, charged, drafts, state),) = query(
            database,
            "SELECT count(*) FILTER (WHERE state = 'posted'),"
            " (SELECT count(DISTINCT move_id) FROM isp_charge),"
            " count(*) FILTER (WHERE state <> 'posted'), (SELECT state FROM isp_billing_run)"
            " FROM account_move",
        )
        assert posted == charged and not drafts, "a batch is written whole or not at all"
        if not still_ran:
            return None
        # The process may die between its commit and telling of it.
        told = int(lines[-1].split()[0]) if lines else posted
        assert told in (posted, posted - self.batch) and posted % self.batch == 0
        assert state == ("done" if posted == self.subscriptions else "running")
        # Or between the last commit and its last sentence: there is nothing left to resume.
        return Kill(case, moment, posted) if state == "running" else None

    def _wait_for_rollback(self, database):
        """Wait until PostgreSQL has noticed that its client is gone."""
        clients = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        wait_for(
            lambda: not query(database, clients),
            WAIT_S,
            "a killed client's transaction does not end",
        )

    def kill_and_resume(self, case, rng, seconds, times=1):
        """Kill the run of one copy ``times`` at random moments, resume it, and read the books.

        :param seconds: how long an undisturbed run takes; each kill may come at any moment of it,
            and several together stay within it
        :return: the :class:`Kill` of each
        """
        while True:
            database = self.copy()
            cuts = sorted(rng.uniform(0, seconds) for _kill in range(times))
            pauses = [later - sooner for sooner, later in itertools.pairwise([0, *cuts])]
            kills = [self.kill_once(database, case, pause) for pause in pauses]
            if all(kills):
                break
            self.drop_copy(database)  # it had ended before the kill: another draw
        books = self.finish(database)
        for kill in kills:
            kill.books = books
        self.drop_copy(database)
        return kills

    def kill_server(self, rng, seconds):
        """Kill a server that bills in jobs, and let another one finish; return the :class:`Kill`.

        Several workers may share the jobs, so the books are read without numbers.
        """
        while True:
            database = self.copy()
            moment = rng.uniform(0, seconds)
            kill = self._kill_server_once(database, moment)
            if kill:
                break
            self.drop_copy(database)
            seconds = moment  # the last job had ended before: its batches are larger, so quicker
        processes.let_dead_jobs_be_found(database)
        with server.OdooServer(database):
            self._wait(database, "SELECT 1 FROM isp_billing_run WHERE state = 'done'")
        kill.books = self.check(database, numbered=False)
        self.drop_copy(database)
        return kill

    def _kill_server_once(self, database, moment):
        server.run_shell(database, BEGIN_JOBS)
        with server.OdooServer(database) as running:
            self._wait(database, "SELECT 1 FROM queue_job WHERE state = 'started'")
            time.sleep(moment)
            running.kill()
        self._wait_for_rollback(database)
        ((posted, state),) = query(
            database,
            "SELECT count(*), (SELECT state FROM isp_billing_run) FROM account_move"
            " WHERE state = 'posted'",
        )
        return Kill("server with jobs", moment, posted) if state == "running" else None

    def _wait(self, database, statement):
        wait_for(
            lambda: query(database, statement), WAIT_S, f"still nothing: {statement}", pause_s=0.05
        )


def show(kills, books):
    """A table of kills, with whether the books are those of the undisturbed run."""
    lines = [f"{'case':22} {'second':>7} {'invoices at kill':>17}  same books after resuming"]
    for kill in kills:
        same = "yes" if kill.books in books else "NO"
        lines.append(
            f"{kill.case:22} {kill.second:7.2f} {kill.posted:17,}  {same:3} {kill.books.hash[:12]}"
        )
    return "\n".join(lines)
