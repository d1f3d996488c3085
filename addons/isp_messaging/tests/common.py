"""A company with a gateway that is no more than a list; nothing leaves this process."""

from unittest.mock import patch

from odoo.addons.isp_billing.tests.dunning_common import IspDunningCase

from ..gateways import CLIENTS
from ..gateways.common import Accepted


class FakeClient:
    """Stands for a gateway: what it was given, and what it answers next."""

    deduplicates = True

    def __init__(self):
        self.orders, self.answers, self.left = [], [], 1000

    def __call__(self, token, sender, test_url):
        self.account = token, sender
        return self

    def send(self, order):
        self.orders.append(order)
        answer = self.answers.pop(0) if self.answers else Accepted(f"ref{len(self.orders)}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def balance(self):
        if isinstance(self.left, Exception):
            raise self.left
        return self.left


class MessagingCase(IspDunningCase):
    """Padma Net sends by SSL Wireless; it is noon of Wednesday, 10 March 2027, in Dhaka."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.bd")
        cls.customer.country_id = cls.env.ref("base.bd")
        cls.outbox = cls.env["isp.message"]
        cls.gateway = cls.create_gateway()

    @classmethod
    def create_gateway(cls, **vals):
        return cls.env["isp.message.gateway"].create(
            {
                "name": "SSL Wireless",
                "company_id": cls.company.id,
                "provider": "ssl_wireless",
                "sender": "PADMANET",
                "api_token": "secret-token-0001",
                "price": 0.25,
                **vals,
            }
        )

    @classmethod
    def create_template(cls, body, message_class="service", lang="en", **vals):
        template = cls.env["isp.message.template"].create(
            {"name": "Template", "message_class": message_class}
        )
        cls.env["isp.message.text"].create(
            {"template_id": template.id, "lang": lang, "body": body, **vals}
        )
        return template

    def setUp(self):
        super().setUp()
        self.client = FakeClient()
        clients = patch.dict(CLIENTS, {"ssl_wireless": self.client, "msg91": self.client})
        clients.start()
        self.addCleanup(clients.stop)

    def queue(self, event="event:1", body="Hello", message_class="service", **vals):
        vals = {"partner_id": self.customer.id, **vals}
        return self.outbox._queue(
            self.company, event, body=body, message_class=message_class, **vals
        )

    def send(self, moment=None):
        """Let the job run, now or at ``moment`` (UTC)."""
        with self.at(moment or "2027-03-10 06:00:00"), self.enter_registry_test_mode():
            self.env.ref("isp_messaging.isp_message_cron_send").method_direct_trigger()
        self.env.invalidate_all()
