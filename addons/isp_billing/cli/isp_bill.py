# pylint: disable=print-used
# A command talks to the person who typed it.
"""``odoo isp_bill``: run the billing of one day from the command line."""

import logging
import sys
import time
from datetime import date

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.modules.registry import Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import config

_logger = logging.getLogger(__name__)

MAX_RETRIES = 30
RETRY_SECONDS = 1


class IspBill(Command):
    """Bill every subscription that is due on a day.

    Each batch is committed by itself. A run that was interrupted goes on when the command is given
    again; nothing is billed twice.
    """

    name = "isp_bill"

    def run(self, args):
        self.parser.add_argument("-d", "--database", required=True)
        self.parser.add_argument(
            "--date", type=date.fromisoformat, help="day to bill for, YYYY-MM-DD (default: today)"
        )
        self.parser.add_argument("--company", help="name of the company (default: the first one)")
        self.parser.add_argument("--batch", type=int, help="invoices per commit (default: as fits)")
        options = self.parser.parse_args(args)
        config.parse_config(["-d", options.database, "--no-http"], setup_logging=False)
        try:
            registry = Registry(options.database)
        except psycopg2.OperationalError as error:
            sys.exit(f"Cannot open database {options.database}: {str(error).splitlines()[0]}")
        with registry.cursor() as cr:
            sys.exit(self._bill(api.Environment(cr, SUPERUSER_ID, {}), options))

    def _bill(self, env, options):
        """Run to the end and print where it stands; 0 when all is billed, 1 with exceptions."""
        company = env["res.company"].search(
            [("name", "=", options.company)] if options.company else [], limit=1
        )
        if not company:
            print(f"There is no company named {options.company!r}.", file=sys.stderr)
            return 2
        env = env(context={"allowed_company_ids": company.ids})
        target = options.date or company._get_isp_today()
        run = env["isp.billing.run"].search(
            [
                ("state", "=", "running"),
                ("target_date", "=", target),
                ("company_id", "=", company.id),
            ],
            limit=1,
        ) or env["isp.billing.run"].create({"target_date": target, "invoice_date": target})
        run._start()
        env.cr.commit()  # pylint: disable=invalid-commit
        print(f"{run.name}: {run.due_count} subscriptions due on {target}", flush=True)

        def commit_and_tell(run):
            run.env.cr.commit()  # pylint: disable=invalid-commit
            run.env.invalidate_all()
            print(f"{run.done_count} of {run.due_count} billed", flush=True)

        finished = self._run_to_end(run, options.batch, commit_and_tell)
        print(
            f"{run.name}: {run.invoice_count} invoices, {run.amount_total:.2f} "
            f"{run.currency_id.name}, {run.exception_count} not billed"
        )
        for exception in run.exception_ids:
            print(f"  {exception.subscription_id.name}: {exception.reason}")
        if not finished:
            print("Another run is billing the rest.", file=sys.stderr)
        return 0 if finished and not run.exception_count else 1

    def _run_to_end(self, run, batch, after_batch):
        """Run to the end beside other runs: what collides with them is tried again."""
        for _attempt in range(MAX_RETRIES):
            try:
                if run._run_to_end(batch, after_batch):
                    return True
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
                _logger.info("%s: collided with another run, trying again: %s", run, error)
            run.env.cr.rollback()
            run.env.invalidate_all()
            time.sleep(RETRY_SECONDS)
        return False
