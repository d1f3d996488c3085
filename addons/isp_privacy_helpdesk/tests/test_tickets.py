"""P-10: tickets are part of what a person is told, and what they say is in no error report."""

import traceback

import psycopg2

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_privacy.tests.erasure_common import ErasureCase
from odoo.addons.isp_privacy.tests.export_common import ExportCase
from odoo.addons.isp_privacy.tests.request_common import PrivacyRequestCase

CANARY = "Qxticketzwq"
CARD, MASKED = "4111 1111 1111 1111", "4111 11** **** 1111"


class TicketCase(PrivacyRequestCase):
    def open_ticket(self, partner=None, words=CANARY, **vals):
        partner = partner or self.karim
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": f"Slow since Monday {words}1",
                "description": f"<p>My line is slow {words}2</p>",
                "partner_id": partner.id,
                "partner_name": f"Karim {words}3",
                "partner_email": partner.email,
                "company_id": self.company.id,
                **vals,
            }
        )
        ticket.message_post(
            body=f"It is slow again {words}4", author_id=partner.id, message_type="comment"
        )
        return ticket


@tagged("post_install", "-at_install")
class TestTicketExport(TicketCase, ExportCase):
    @proves("P-10")
    def test_the_ticket_is_in_the_package(self):
        self.open_ticket()
        self.open_ticket(self.rahim, words="Rahims")
        contents = self.contents_of(self.make())
        [row] = self.rows_of(contents, "helpdesk.ticket")
        for number, field in enumerate(("name", "description", "partner_name"), 1):
            self.assertIn(f"{CANARY}{number}", row[field])
        self.assertIn(f"{CANARY}4", str(self.rows_of(contents, "mail.message")))
        self.assertNotIn("Rahims", str(contents))


@tagged("post_install", "-at_install")
class TestTicketErasure(TicketCase, ErasureCase):
    @proves("P-10")
    def test_nothing_of_the_ticket_is_left(self):
        ticket = self.open_ticket(description="<p>I am Karim Ranvikson</p>")
        unknown = self.open_ticket(partner_id=False)
        theirs = self.open_ticket(self.rahim, words="Rahims")
        file = self.attach(ticket, b"Picture of the router of Karim Ranvikson")
        self.erase()
        words = [f"{CANARY}{number}" for number in range(1, 5)]
        self.assertEqual(self.search_for("Ranvikson", *words), set())
        self.assertFalse(file.exists())
        for one in (ticket, unknown):
            self.assertEqual(one.name, "(erased)")
            self.assertFalse(one.partner_email or one.partner_name)
        self.assertEqual(theirs.name, "Slow since Monday Rahims1")


@tagged("post_install", "-at_install")
class TestTickets(TicketCase, HttpCase):
    @proves("P-05")
    def test_cards_are_masked(self):
        ticket = self.open_ticket(name=f"Take {CARD}", description=f"<p>From {CARD}</p>")
        self.assertEqual(ticket.name, f"Take {MASKED}")
        self.assertIn(MASKED, ticket.description)
        ticket.description = f"<p>Or {CARD}</p>"
        self.assertNotIn(CARD, ticket.description)

    @proves("P-10")
    def test_no_error_report_says_what_is_in_a_ticket(self):
        """A query that fails is logged by Odoo with all its values, and PostgreSQL repeats them."""
        ticket = self.open_ticket()
        with self.assertLogs("odoo.sql_db", "ERROR") as logged:
            with self.assertRaises(psycopg2.Error) as failed, self.env.cr.savepoint():
                self.env.cr.execute(
                    "UPDATE helpdesk_ticket SET name = %s, description = NULL, company_id = NULL"
                    " WHERE id = %s",
                    [f"New {CANARY}5", ticket.id],
                )
        report = "\n".join([*logged.output, *traceback.format_exception(failed.exception)])
        self.assertIn("UPDATE helpdesk_ticket SET name", report)
        self.assertIn("null value in column", report)
        self.assertNotIn(CANARY, report)

    def test_a_customer_closes_the_own_ticket_only(self):
        new_test_user(
            self.env,
            "ticket_rahim",
            "base.group_portal",
            password="ticket_rahim-password",
            partner_id=self.rahim.id,
        )
        mine, theirs = self.open_ticket(self.rahim), self.open_ticket()
        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        self.authenticate("ticket_rahim", "ticket_rahim-password")
        for ticket in (mine, theirs):
            self.url_open(f"/ticket/close?ticket_id={ticket.id}&stage_id={done.id}")
        self.assertEqual(self.url_open("/ticket/close?ticket_id=x").status_code, 200)
        self.assertEqual(mine.stage_id, done)
        self.assertNotEqual(theirs.stage_id, done)

    def test_the_public_changes_no_stages(self):
        stage = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_new")
        with self.assertRaises(AccessError):
            stage.with_user(self.env.ref("base.public_user")).name = "x"
