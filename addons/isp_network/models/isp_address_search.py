import time
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..addresses import cgnat
from ..addresses.ranges import covering_prefixes
from .isp_address_request import TRANSITION

MAX_ROWS = 5000
# Routers report every few minutes; a session silent for longer may have ended unnoticed.
SILENCE = timedelta(minutes=20)


class IspAddressRequest(models.Model):
    """Looking up who it was."""

    _inherit = "isp.address.request"

    # === ACTION METHODS === #

    def action_answer(self):
        """Look up who it was, keep the answer and write down that it was looked up.

        :raises UserError: when the question cannot name one person; nothing is looked up then
        """
        self.ensure_one()
        self._check_lawful()
        if self.state != "draft":
            raise UserError(self.env._("The request was answered already."))
        self._check_question()
        begin = time.perf_counter()
        rows, remarks = self._find()
        seconds = time.perf_counter() - begin
        # sudo: answers and the record are written by these methods only.
        self.env["isp.address.answer"].sudo().create(
            [{"request_id": self.id, "company_id": self.company_id.id, **row} for row in rows]
        )
        self.env["isp.address.log"]._record(self, "search", len(rows), seconds=seconds)
        self.with_context(isp_transition=TRANSITION).write(
            {
                "state": "answered",
                "answered_by_id": self.env.uid,
                "answered_on": fields.Datetime.now(),
                "answer_count": len(rows),
                "result": "\n".join(self._describe_result(rows) + remarks),
            }
        )

    # === BUSINESS METHODS === #

    def _check_lawful(self):
        if not self.env.user.has_group("isp_network.group_isp_lawful"):
            raise AccessError(
                self.env._("Only staff with the right “Lawful requests” look addresses up.")
            )

    def _check_question(self):
        """Refuse a question that lacks something.

        :raises UserError: naming what is missing
        """
        if self.kind == "subscription":
            if not (self.subscription_id and self.date_from and self.date_to):
                raise UserError(
                    self.env._("Choose the subscription, and the first and last day asked for.")
                )
            if self.date_to < self.date_from:
                raise UserError(self.env._("The last day comes before the first."))
            return
        self._get_address()
        if not self.moment:
            raise UserError(
                self.env._("Enter the moment as it stands in the letter, and its time zone.")
            )
        if self.moment > fields.Datetime.now():
            raise UserError(
                self.env._(
                    "%s lies in the future. Check the date and the time zone.", self.moment_words
                )
            )

    def _find(self):
        """Values of the answers, and remarks about what could not be told."""
        if self.kind == "subscription":
            return self._find_by_subscription()
        address = self._get_address()
        since = self.moment - timedelta(seconds=self.tolerance_s)
        until = self.moment + timedelta(seconds=self.tolerance_s)
        if address.version == 6:
            prefixes = [str(prefix) for prefix in covering_prefixes(address)]
            source = SQL(
                "radius.sessions_at_prefixes(%s::inet[], %s, %s)",
                prefixes,
                _utc(since),
                _utc(until),
            )
            rows, remarks = self._read_sessions(source)
            return rows + self._find_static(prefixes, since, until, rows), remarks
        rows, remarks = self._find_translated(address, since, until)
        found, more = self._read_sessions(
            SQL("radius.sessions_at(%s::inet, %s, %s)", str(address), _utc(since), _utc(until))
        )
        rows += found
        rows += self._find_static([str(address)], since, until, rows)
        return rows, remarks + more

    def _find_by_subscription(self):
        company = self.company_id
        since = company._get_isp_day_start(self.date_from)
        until = company._get_isp_day_start(self.date_to + timedelta(days=1))
        return self._read_sessions(
            SQL("radius.sessions_of(%s, %s, %s)", self.subscription_id.id, _utc(since), _utc(until))
        )

    def _find_translated(self, address, since, until):
        """Sessions behind a public address that customers shared at that time."""
        blocks = self._get_blocks(address, since, until)
        if not blocks:
            return [], []
        if not self.port:
            raise UserError(
                self.env._(
                    "%(address)s was shared by up to %(number)s customers at that time, each with "
                    "ports of their own. Ask the authority for the source port.",
                    address=address,
                    number=len(blocks),
                )
            )
        rows, remarks = [], []
        matching = blocks.filtered(lambda b: b.port_first <= self.port <= b.port_last)
        if not matching:
            remarks.append(
                self.env._(
                    "The address was shared at that time, but port %s was in no customer's block.",
                    self.port,
                )
            )
        for block in matching:
            numbers = block._get_block()
            private = cgnat.translate(address, numbers.public, numbers.private)
            found, more = self._read_sessions(
                SQL("radius.sessions_at(%s::inet, %s, %s)", str(private), _utc(since), _utc(until)),
                nas=block.nas_id,
            )
            mapping = self.env._(
                "%(public)s ports %(first)s–%(last)s = %(private)s, in force since %(since)s",
                public=address,
                first=block.port_first,
                last=block.port_last,
                private=private,
                since=self._format_moment(block.valid_from),
            )
            rows += [
                {
                    **row,
                    "public_address": str(address),
                    "port_first": block.port_first,
                    "port_last": block.port_last,
                    "mapping": mapping,
                }
                for row in found
            ]
            remarks += more
            if not found:
                remarks.append(
                    self.env._(
                        "The port leads to %(private)s, which nobody had at that time.",
                        private=private,
                    )
                )
        return rows, remarks

    def _get_blocks(self, address, since, until):
        """The port blocks of a public address that were in force then."""
        self.env["isp.cgnat.block"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM isp_cgnat_block
                 WHERE company_id = %s AND public_network::inet >>= %s::inet
                   AND valid_from <= %s AND (valid_to IS NULL OR valid_to >= %s)
                 ORDER BY id
                """,
                self.company_id.id,
                str(address),
                until,
                since,
            )
        )
        # sudo: whoever answers requests need not be network staff.
        return self.env["isp.cgnat.block"].sudo().browse(id_ for (id_,) in rows)

    def _read_sessions(self, source, nas=None):
        """Values of an answer for each session of ``source`` that is the company's.

        :param source: SQL of rows of radius.radacct
        :param nas: the router they must have been at, any when left out
        """
        self.env["isp.subscription"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT a.radacctid, a.username, s.id, host(a.framedipaddress),
                       COALESCE(a.delegatedipv6prefix, a.framedipv6prefix)::text,
                       a.callingstationid, n.name, host(a.nasipaddress), a.acctsessionid,
                       a.acctstarttime AT TIME ZONE 'UTC', a.acctupdatetime AT TIME ZONE 'UTC',
                       a.acctstoptime AT TIME ZONE 'UTC', COALESCE(s.company_id, n.company_id)
                  FROM %(source)s a
                  LEFT JOIN isp_subscription s ON s.id = a.subscription_id
                  LEFT JOIN isp_nas n ON n.id = a.nas_id
                 WHERE %(nas)s IN (0, a.nas_id)
                 ORDER BY a.acctstarttime, a.radacctid
                 LIMIT %(limit)s
                """,
                source=source,
                nas=nas.id if nas else 0,
                limit=MAX_ROWS + 1,
            )
        )
        if len(rows) > MAX_ROWS:
            raise UserError(
                self.env._("There are more than %s sessions. Ask for a shorter period.", MAX_ROWS)
            )
        remarks = []
        if nobody := sum(row[12] is None for row in rows):
            remarks.append(
                self.env._(
                    "%s more sessions belong to no subscription and no router of this database; "
                    "they are not part of the answer. A database administrator finds them in "
                    "radius.radacct.",
                    nobody,
                )
            )
        return [
            {
                "source": "session",
                **self._copy_customer(row[2]),
                "username": row[1],
                "ip_address": row[3],
                "ipv6_prefix": row[4],
                "mac_address": row[5],
                "nas_name": row[6],
                "nas_address": row[7],
                "session_ref": row[8],
                **{
                    name: value and value.replace(microsecond=0)
                    for name, value in zip(
                        ("date_start", "date_update", "date_stop"), row[9:12], strict=True
                    )
                },
            }
            for row in rows
            if row[12] == self.company_id.id
        ], remarks

    def _find_static(self, addresses, since, until, rows):
        """Holders of a static address at that time who are not among the sessions found."""
        # sudo: whoever answers requests may not read all subscriptions, only what is asked.
        assignments = (
            self.env["isp.ip.assignment"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("address", "in", addresses),
                    ("date_from", "<=", until),
                    "|",
                    ("date_to", "=", False),
                    ("date_to", ">=", since),
                ]
            )
        )
        named = {row.get("subscription_id") for row in rows}
        return [
            {
                "source": "assignment",
                **self._copy_customer(one.subscription_id.id),
                "username": one.subscription_id.username,
                "ip_address" if one.family == "ipv4" else "ipv6_prefix": one.address,
                "date_start": one.date_from,
                "date_stop": one.date_to,
            }
            for one in assignments
            if one.subscription_id.id not in named
        ]

    def _copy_customer(self, subscription_id):
        """The customer's particulars as they are now.

        Hook: extend to hand over more, such as an identity number.
        """
        if not subscription_id:
            return {}
        # sudo: whoever answers requests may not read all customers, only the one asked about.
        subscription = self.env["isp.subscription"].sudo().browse(subscription_id)
        partner = subscription.partner_id
        place = subscription.service_address_id or partner
        return {
            "subscription_id": subscription.id,
            "subscription_number": subscription.name,
            "customer_name": partner.name,
            "customer_phone": partner.phone,
            "customer_email": partner.email,
            "customer_address": ", ".join(
                part
                for part in (
                    place.street,
                    place.street2,
                    place.zip,
                    place.city,
                    place.country_id.name,
                )
                if part
            ),
        }

    def _describe_result(self, rows):
        """What was found, in sentences without a name."""
        if not rows:
            return [self.env._("Nobody was found.")]
        lines = [
            self.env._("%s answers were found.", len(rows))
            if len(rows) > 1
            else (self.env._("One answer was found."))
        ]
        silent = [
            row
            for row in rows
            if row["source"] == "session"
            and not row["date_stop"]
            and self.moment
            and row["date_update"]
            and row["date_update"] < self.moment - SILENCE
        ]
        if silent:
            lines.append(
                self.env._(
                    "A session was last reported well before the moment and has not ended on paper: "
                    "compare its last report."
                )
            )
        return lines


def _utc(moment):
    """A naive UTC moment as PostgreSQL's timestamp with time zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S}+00"
