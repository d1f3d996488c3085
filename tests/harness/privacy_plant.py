"""Runs in ``odoo shell``: a customer with what a year of business leaves, and a word of their own in
every column that the data map knows."""

import itertools
import json

import psycopg2

from odoo import fields
from odoo.tools import SQL
from odoo.tools.sql import table_columns

from odoo.addons.isp_privacy.eraser import Eraser

EMAIL, PHONE, NAME = "zw.karim@canary.example", "+8801799887701", "Zwillich Ranvikson"
# What records are found by stays as it is: it is unique as well.
FOUND_BY = {
    ("res.partner", "email"),
    ("res.partner", "email_normalized"),
    ("res.partner", "phone"),
    ("res.partner", "phone_sanitized"),
    ("res.partner", "name"),
    ("res.users", "login"),
    ("mail.blacklist", "email"),
    ("phone.blacklist", "number"),
    ("mail.guest", "email"),
    ("sms.sms", "number"),
    ("res.device.log", "session_identifier"),
}
TEXTS = ("char", "text", "html", "json", "binary")


class Plant:
    """A customer, another one, and what there is of them.

    ``planted`` is ``{word: "model.field"}``, ``missing`` the models of which no record could be made.
    """

    def __init__(self, env):
        self.env = env
        self.numbers = itertools.count(1)
        self.planted = {EMAIL: "found by", NAME: "found by", "1799887701": "found by"}
        self.covered, self.missing, self.skipped = [], [], []
        self.columns = 0
        self.customer, self.other = self.make_people()
        self.subscriptions, self.bills = self.make_service()
        self.make_words()
        self.make_sessions()
        env.flush_all()
        self.plant_words()
        env.invalidate_all()

    def report(self):
        """Return what a test has to know, as plain data."""
        return {
            "planted": self.planted,
            "customer": self.customer.id,
            "other": self.other.id,
            "models": len(self.covered),
            "missing": self.missing,
            "columns": self.columns,
            "skipped": self.skipped,
        }

    # === A YEAR OF BUSINESS === #

    def make_people(self):
        people = self.env["res.partner"].create(
            [
                {"name": NAME, "email": EMAIL, "phone": PHONE, "street": "House 4711, Road 99"},
                {
                    "name": "Rahim Aliquist",
                    "email": "rahim@canary.example",
                    "phone": "+8801799887702",
                },
            ]
        )
        self.user = self.env["res.users"].create(
            {
                "name": NAME,
                "login": EMAIL,
                "partner_id": people[0].id,
                "group_ids": [(6, 0, self.env.ref("base.group_portal").ids)],
            }
        )
        return people

    def make_service(self):
        """Services and bills of both; the bills are sealed, and one is paid in part."""
        plan = self.env["isp.plan"].create({"name": "Home 20", "price": 500.0, "tax_ids": [(5,)]})
        subscriptions = self.env["isp.subscription"].create(
            [
                {"partner_id": partner.id, "plan_id": plan.id, "date_start": "2026-01-01"}
                for partner in self.customer | self.other
            ]
        )
        subscriptions._activate()
        journals = self.env["account.journal"].search([("type", "=", "sale")])
        journals.restrict_mode_hash_table = True
        day = fields.Date.to_date("2026-01-01")
        bills = self.env["account.move"]
        for subscription in subscriptions:
            bills |= subscription._bill(day, day)
        for bill in bills.filtered(lambda bill: not bill.inalterable_hash)[-1:]:
            bill.button_hash()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bills[:1].ids
        ).create({"amount": 200.0})._create_payments()
        return subscriptions, bills

    def make_words(self):
        """Messages, conversations, files and lists."""
        env = self.env
        for partner in self.customer | self.other:
            partner.message_post(body=f"{NAME} called about the line")
            partner.message_subscribe(partner.ids)
        ticket = env["helpdesk.ticket"].create(
            {
                "name": f"Line of {NAME}",
                "description": f"<p>{NAME} has no light on the router</p>",
                "partner_id": self.customer.id,
                "partner_name": NAME,
                "partner_email": EMAIL,
            }
        )
        ticket.message_post(body=f"Call {NAME}", author_id=self.customer.id, message_type="comment")
        for record in (self.customer, self.bills[:1], ticket):
            env["ir.attachment"].create(
                {
                    "name": "contract.txt",
                    "raw": f"Contract of {NAME}, {record._name}",
                    "res_model": record._name,
                    "res_id": record.id,
                }
            )
        env["mail.blacklist"]._add(EMAIL)
        env["phone.blacklist"].sudo().add(PHONE)
        self.channel = env["discuss.channel"].create(
            {
                "name": f"Line of {NAME}",
                "channel_type": "group",
                "channel_member_ids": [
                    (0, 0, {"partner_id": partner.id}) for partner in self.customer | self.other
                ],
            }
        )
        env["discuss.channel"].create(
            {
                "name": f"Only {NAME}",
                "channel_type": "group",
                "channel_member_ids": [(0, 0, {"partner_id": self.customer.id})],
            }
        )
        for author, body in (
            (self.customer, "I am not at home"),
            (self.other, f"{NAME} has the key"),
        ):
            self.channel.message_post(body=body, author_id=author.id, message_type="comment")

    def make_sessions(self):
        cr = self.env.cr
        cr.execute(
            "SELECT radius.make_partition('radacct', '2026-06-01'),"
            " radius.make_partition('radpostauth', '2026-06-01')"
        )
        subscription = self.subscriptions[0]
        login = subscription.username
        cr.execute(
            """
            INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress,
                subscription_id, acctstarttime, acctupdatetime, acctstoptime, callingstationid)
            VALUES ('s1', 'u1', %s, '10.0.0.1', %s, '2026-06-01', '2026-06-02', '2026-06-02',
                'AA:BB:CC:00:47:11')
            """,
            [login, subscription.id],
        )
        cr.execute(
            "INSERT INTO radius.radpostauth (username, reply, authdate, subscription_id)"
            " VALUES (%s, 'Access-Accept', '2026-06-01', %s)",
            [login, subscription.id],
        )
        self.planted[login] = "login of the connection"

    # === A WORD IN EVERY COLUMN === #

    def plant_words(self):
        env = self.env
        entries = env["privacy.map.entry"]
        datamap = entries._get_map()
        eraser = Eraser(env, self.customer, "planted")
        self.known = {
            "res_partner": self.customer.id,
            "res_users": self.user.id,
            "isp_subscription": self.subscriptions[0].id,
            "account_move": self.bills[0].id,
            "mail_message": self.customer.message_ids[:1].id,
            "discuss_channel": self.channel.id,
        }
        for model in datamap.subject_models():
            if not env[model]._auto or env[model]._transient or model.startswith("privacy."):
                continue
            found = entries._get_records(self.customer, model)
            own = found - eraser.shared(found)  # what is others' as well is not erased as a whole
            record_id = own[:1].id or self.insert(model)
            if not record_id:
                self.missing.append(model)
                continue
            self.known.setdefault(env[model]._table, record_id)
            self.covered.append(model)
            for entry in datamap.entries(model):
                if entry.status == "mapped" and entry.erasure != "keep":
                    self.write_word(env[model], record_id, entry.field)

    def write_word(self, model, record_id, name):
        """Write a word of its own into a column of a record, by SQL, past every guard."""
        info = table_columns(self.env.cr, model._table).get(name)
        if (model._name, name) in FOUND_BY or not info or model._fields[name].type not in TEXTS:
            return
        word = f"Qx{next(self.numbers)}zwq"
        values = {
            "jsonb": json.dumps({"en_US": word, "1": word}),
            "text": word,
            "varchar": word,
            "bytea": word.encode(),
        }
        query = SQL(
            "UPDATE %s SET %s = %s WHERE id = %s",
            SQL.identifier(model._table),
            SQL.identifier(name),
            values.get(info["udt_name"]),
            record_id,
        )
        if info["udt_name"] in values and self.try_query(query):
            self.planted[word] = f"{model._name}.{name}"
            self.columns += 1
        else:
            self.skipped.append(f"{model._name}.{name}")

    def try_query(self, query):
        """Run a query that a rule of the table's own may refuse; return the id of its row."""
        try:
            with self.env.cr.savepoint():
                self.env.cr.execute(SQL("%s RETURNING id", query))
                return self.env.cr.fetchone()[0]
        except psycopg2.Error:
            return None

    def insert(self, model):
        """Insert a record of the customer with what the database requires, and no more.

        :return: its id, None if that could not be done
        """
        table = self.env[model]._table
        links = self.get_links(table)
        values = self.get_subject_values(model, links)
        if not values or None in values.values():
            return None
        for column, info in table_columns(self.env.cr, table).items():
            if column != "id" and column not in values and info["is_nullable"] == "NO":
                values[column] = self.get_required(model, column, info, links.get(column))
        query = SQL(
            "INSERT INTO %s (%s) VALUES (%s)",
            SQL.identifier(table),
            SQL(", ").join(map(SQL.identifier, values)),
            SQL(", ").join(SQL("%s", value) for value in values.values()),
        )
        return self.try_query(query)

    def get_links(self, table):
        """Return ``{column: table it refers to}``."""
        self.env.cr.execute(
            """
            SELECT a.attname, r.relname FROM pg_constraint c
            JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            WHERE c.contype = 'f' AND t.relname = %s
            """,
            [table],
        )
        return dict(self.env.cr.fetchall())

    def get_subject_values(self, model, links):
        """Return what makes a record the customer's."""
        values = {}
        for path in self.env["privacy.map.entry"]._get_map().models[model].subject:
            if "/" in path:
                model_column, id_column = path.split("/")
                values |= {model_column: "res.partner", id_column: self.customer.id}
            elif "=" not in path:
                column = path.removesuffix(".*").split(".")[0]
                if column in links:
                    values[column] = self.known.get(links[column])
        return values

    def get_required(self, model, column, info, target):
        if column == "session_identifier":
            return "a" * 42
        if target:
            return self.known.get(target) or self.get_first_id(target)
        field = self.env[model]._fields.get(column)
        if field is not None and field.type == "selection":
            return field.get_values(self.env)[-1]  # of states the one at the end
        kind = info["udt_name"]
        if kind in ("varchar", "text"):
            return f"Required {next(self.numbers)}"
        if kind == "jsonb":
            return json.dumps({"en_US": "x"})
        return {"bool": False, "date": "2026-06-01", "timestamp": "2026-06-01"}.get(kind, 1)

    def get_first_id(self, table):
        self.env.cr.execute(SQL("SELECT min(id) FROM %s", SQL.identifier(table)))
        return self.env.cr.fetchone()[0]
