# pylint: disable=print-used
# A command talks to the person who typed it.
"""``odoo isp_import``: import a file of subscribers from the command line."""

import base64
import sys
from datetime import date
from pathlib import Path

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.exceptions import AccessError, UserError
from odoo.modules.registry import Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import config

INTERRUPTED = 1
UNREADABLE = 2


class IspImport(Command):
    """Import subscribers from a CSV or XLSX file.

    Each batch is committed by itself. An import that was interrupted goes on when the command is
    given again: rows that are in the system already are left alone.

    Ends with 0 when the file was read, also when rows were rejected, with 2 when nothing could be
    read, and with 1 when another process was in the way.
    """

    name = "isp_import"

    def run(self, args):
        options = self._parse(args)
        config.parse_config(["-d", options.database, "--no-http"], setup_logging=False)
        try:
            registry = Registry(options.database)
        except psycopg2.OperationalError as error:
            self._fail(f"Cannot open database {options.database}: {str(error).splitlines()[0]}")
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            if "isp.import" not in env:
                self._fail(f"isp_billing is not installed in database {options.database}.")
            try:
                self._import(env, options)
            except (UserError, AccessError) as error:
                self._fail(str(error))
            except OSError as error:
                self._fail(f"{error.strerror}: {error.filename}")
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                self._fail(
                    "Somebody changed the same records meanwhile. Give the command again: what is "
                    "imported stays.",
                    INTERRUPTED,
                )

    def _parse(self, args):
        parser = self.parser
        parser.add_argument("file", help="CSV or XLSX with one heading row")
        parser.add_argument("-d", "--database", required=True)
        parser.add_argument("--mapping", help="name of the mapping (default: by the headings)")
        parser.add_argument("--company", help="name of the company (default: the first one)")
        parser.add_argument("--user", help="login to import as (default: the system)")
        parser.add_argument("--dry-run", action="store_true", help="count only, change nothing")
        parser.add_argument("--rejected", metavar="FILE", help="write rejected rows to this file")
        parser.add_argument("--create-plans", action="store_true", help="make unknown plans")
        parser.add_argument("--plan", help="plan, by code or name, of rows that name none")
        parser.add_argument(
            "--bill-from", type=date.fromisoformat, metavar="DATE",
            help="first day that Odoo bills, YYYY-MM-DD (default: the first of this month)",
        )  # fmt: skip
        parser.add_argument(
            "--start", type=date.fromisoformat, metavar="DATE", help="start of rows without one"
        )
        parser.add_argument("--country", help="two letters: country of the phone numbers")
        parser.add_argument("--batch", type=int, default=500, help="rows per commit")
        return parser.parse_args(args)

    def _import(self, env, options):
        company = self._find(env, "res.company", options.company, "company")
        env = env(context={"allowed_company_ids": company.ids})
        if options.user:
            user = env["res.users"].search([("login", "=", options.user)])
            if not user:
                self._fail(f"There is no user {options.user!r}.")
            env = env(user=user)
        record = env["isp.import"]._run_file(
            options.file,
            options.mapping,
            company=company,
            dry_run=options.dry_run,
            batch_size=max(options.batch, 1),
            after_batch=lambda record: self._commit_and_tell(record, options.dry_run),
            **self._get_values(env, options),
        )
        print(record.summary)
        for warning in (record.warnings or "").splitlines():
            print(f"  {warning}")
        if not options.dry_run:
            env.cr.commit()  # pylint: disable=invalid-commit
        self._write_rejected(record, options)
        if options.dry_run:
            env.cr.rollback()

    def _get_values(self, env, options):
        """Values of the import that were given as options."""
        values = {"create_plans": options.create_plans}
        if options.bill_from:
            values["bill_from"] = options.bill_from
        if options.start:
            values["default_date_start"] = options.start
        if options.country:
            country = env["res.country"].search([("code", "=", options.country.upper())])
            if not country:
                self._fail(f"There is no country {options.country!r}.")
            values["country_id"] = country.id
        if options.plan:
            plans = env["isp.plan"].search(
                [
                    ("company_id", "=", env.company.id),
                    "|", ("code", "=ilike", options.plan), ("name", "=ilike", options.plan),
                ]
            )  # fmt: skip
            if not plans:
                self._fail(f"There is no plan {options.plan!r}.")
            values["default_plan_id"] = plans[0].id
        return values

    def _commit_and_tell(self, record, dry_run):
        if not dry_run:
            record.env.cr.commit()  # pylint: disable=invalid-commit
        print(
            f"{record.processed_count} rows: {record.new_count} new, {record.changed_count} "
            f"changed, {record.unchanged_count} unchanged, {record.rejected_count} rejected",
            flush=True,
        )

    def _write_rejected(self, record, options):
        if not record.rejected_count:
            return
        if options.rejected:
            Path(options.rejected).write_bytes(base64.b64decode(record.rejected_file))
            print(f"Rejected rows: {options.rejected}")
            return
        rows = record.row_ids.filtered(lambda row: row.kind == "rejected")
        for row in rows[:10]:
            print(f"  line {row.number}: {row.details}")
        if len(rows) > 10:
            print(f"  ... and {len(rows) - 10} more; write them all with --rejected FILE")

    def _find(self, env, model, name, what):
        found = env[model].search([("name", "=", name)] if name else [], limit=1)
        if not found:
            self._fail(f"There is no {what} named {name!r}.")
        return found

    def _fail(self, message, code=UNREADABLE):
        print(message, file=sys.stderr)
        sys.exit(code)
