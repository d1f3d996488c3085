import base64
import shutil
import tempfile
from contextlib import closing

from odoo.tests import new_test_user

from .. import sweep
from ..engine import identifiers
from .request_common import PrivacyRequestCase

BEGIN = "2027-03-01 06:00:00"
END = "2027-03-31 06:00:00"


class ErasureCase(PrivacyRequestCase):
    """Karim and Rahim with what customers leave behind; Karim wants to be erased."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim.write(
            {
                "name": "Karim Ranvikson",
                "email": "karim.ranvikson@customer.example",
                "phone": "+8801799887701",
                "street": "House 4711, Road 99",
                "comment": "<p>Rings twice</p>",
                "vat": "NID1990123400017",
                "image_1920": _picture(),
            }
        )
        cls.rahim.write({"name": "Rahim Aliquist", "phone": "+8801799887702"})

    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="isp-ledger-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.env["ir.config_parameter"].set_param("isp_privacy.ledger_dir", self.folder)
        self.sent = []
        server = type(self.env["ir.mail_server"])

        def send(_server, message, **_options):
            text = message.get_body(("html",)).get_content()
            self.sent.append((message["To"], f"{message['Subject']} {text}"))
            return message["Message-Id"]

        # As if there was a mail server: in tests Odoo leaves mails in the queue.
        self.patch(server, "_disable_send", lambda _server: False)
        self.patch(server, "_connect__", lambda *_args, **_options: None)
        self.patch(server, "send_email", send)

    # === THE WAY OF AN ERASURE === #

    def begin(self, partner=None, **vals):
        """Bring an erasure into its window, on the first of March 2027."""
        with self.at(BEGIN):
            request = self.create_request("erasure", partner, **vals)
            self.bring(request, "in_review").with_user(self.farid).action_approve()
        self.assertEqual(request.state, "recovery")
        return request

    def go_on(self, request, moment=END):
        """Let the jobs run when the window has closed."""
        with self.at(moment):
            self.run_cron("recovery")
            self.run_job("privacy_erasure_cron_work")
        return request.erasure_ids.sudo()

    def erase(self, partner=None, **vals):
        """Erase a person (Karim); return the run, which must be through."""
        request = self.begin(partner, **vals)
        run = self.go_on(request)
        self.assertEqual(
            (run.state, run.step, run.problem), ("done", "close", False), self.left(run)
        )
        self.assertEqual(request.state, "done")
        return run

    def left(self, run):
        return [(f.table_name, f.column_name, f.rows, f.reason) for f in run.finding_ids]

    def run_job(self, xmlid):
        with self.enter_registry_test_mode():
            self.env.ref(f"isp_privacy.{xmlid}").method_direct_trigger()
        self.env.invalidate_all()

    # === WHAT IS THERE === #

    def customer(self, partner, login):
        return new_test_user(
            self.env,
            login,
            groups="base.group_portal",
            password=f"{login}-password",
            name=partner.name,
            email=partner.email,
            partner_id=partner.id,
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    def attach(self, record, content, name="letter.txt", **vals):
        return self.env["ir.attachment"].create(
            {
                "name": name,
                "raw": content,
                "res_model": record._name,
                "res_id": record.id,
                **vals,
            }
        )

    def file_of(self, attachment):
        return attachment._full_path(attachment.store_fname)

    def search_for(self, *texts):
        """Return where any of the texts stands in the database: ``{(table, column)}``."""
        self.env.flush_all()
        patterns = identifiers.Patterns([identifiers.Identifier("login", t) for t in texts])
        return {(f.table, f.column) for f in sweep.search_database(self.env.cr, patterns)}

    def column(self, record, name):
        """What the database itself holds."""
        self.env.flush_all()
        with closing(self.env.cr._cnx.cursor()) as cr:
            cr.execute(f'SELECT "{name}" FROM "{record._table}" WHERE id = %s', (record.id,))
            return cr.fetchone()[0]


def _picture():
    return base64.b64encode(
        b"GIF89a\x01\x00\x01\x00\x80\x01\x00\x00\x00\x00ccc,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02"
        b"\x02L\x01\x00;"
    )
