import itertools

from odoo.addons.queue_job.tests.common import trap_jobs

from ..radius import coa
from .common import IspNetworkCase

_transactions = itertools.count(1)


class FakeRouters:
    """Stands in for the network: keeps what was sent, answers as told."""

    def __init__(self):
        self.sent = []
        self.answer = lambda request: coa.Answer(request.key, coa.ACK, sends=1)

    def __call__(self, _nas, requests):
        self.sent += requests
        return [self.answer(request) for request in requests]

    def refuse(self, cause):
        """Answer everything with a NAK."""
        self.answer = lambda request: coa.Answer(request.key, coa.NAK, cause, sends=1)

    def fall_silent(self):
        """Answer nothing."""
        self.answer = lambda request: coa.Answer(request.key, coa.SILENCE, sends=3)


class NetworkOrderCase(IspNetworkCase):
    """A subscriber who is online at a router, and time that passes between transactions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Order = cls.env["isp.network.order"]
        cls.nas = cls.env["isp.nas"].create(
            {"name": "Core", "ip_address": "10.20.0.1", "secret": "core-secret", "coa_port": 3799}
        )
        cls.plan_home.write({"throttle_download_kbps": 2048, "throttle_upload_kbps": 1024})
        cls.subscription = cls.create_subscription(username="karim")
        cls.env.cr.flush()
        cls.next_transaction()
        cls.uid = cls.log_in(cls.subscription)

    def setUp(self):
        super().setUp()
        self.routers = FakeRouters()
        self.patch(type(self.nas), "_send_coa", lambda nas, requests: self.routers(nas, requests))

    @classmethod
    def next_transaction(cls):
        """Make what happened so far look committed."""
        mark = -next(_transactions)
        cls.env.cr.execute("UPDATE radius.change SET xact = %s WHERE xact > 0", [mark])
        cls.env.cr.execute(
            "UPDATE isp_network_order SET xact = %s WHERE xact NOT LIKE '-%%'", [str(mark)]
        )
        cls.env.invalidate_all()

    @classmethod
    def log_in(cls, subscription, nas=None, number=1, since="now()"):
        """Put a session on record; return its unique number."""
        nas = nas or cls.nas
        uid = f"uid-{subscription.id}-{number}"
        cls.env.cr.execute(
            f"""
            INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, nas_id,
                subscription_id, acctstarttime, acctupdatetime, framedipaddress)
            VALUES (%s, %s, %s, %s, %s, %s, {since}, {since}, '10.0.0.5')
            """,
            [
                f"8100000{number}",
                uid,
                subscription.username,
                nas.ip_address,
                nas.id,
                subscription.id,
            ],
        )
        return uid

    def log_out(self, uid=None):
        self.env.cr.execute(
            "UPDATE radius.radacct SET acctstoptime = now() WHERE acctuniqueid = %s",
            [uid or self.uid],
        )

    def hear(self, moment, uid=None):
        """An accounting packet of the session comes in, at a moment in UTC."""
        self.env.cr.execute(
            "UPDATE radius.radacct SET acctupdatetime = %s::timestamp AT TIME ZONE 'UTC'"
            " WHERE acctuniqueid = %s",
            [moment, uid or self.uid],
        )

    def orders_of(self, change):
        """Orders that a transaction makes, as it commits."""
        before = self.Order.search([])
        change()
        self.env.cr.flush()
        orders = self.Order.search([]) - before
        self.next_transaction()
        return orders

    def run_job(self, nas=None):
        """Let the job of the router run; return what was sent."""
        self.routers.sent.clear()
        with trap_jobs() as self.trap:
            (nas or self.nas)._job_send_orders()
        self.env.flush_all()
        return [(request.kind, request.attributes) for request in self.routers.sent]

    def follow_up(self):
        self.env.flush_all()
        with trap_jobs() as self.trap:
            self.Order._cron_follow_up()

    def order_suspension(self):
        return self.orders_of(lambda: self.subscription._suspend("overdue", "Unpaid"))

    def order_speed(self, kbps=20480):
        return self.orders_of(lambda: self.plan_home.write({"upload_kbps": kbps}))

    IDENTITY = {
        "User-Name": "karim",
        "Acct-Session-Id": "81000001",
        "Framed-IP-Address": "10.0.0.5",
    }
