from contextlib import contextmanager
from unittest.mock import patch

from odoo.addons.queue_job.tests.common import trap_jobs

from ..routeros import connection, errors, menus
from .common import IspNetworkCase
from .fake_router import FakeRouter

SECRET = menus.PPP_SECRET


class RouterosCase(IspNetworkCase):
    """A router in memory behind a record, and two customers on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nas = cls.env["isp.nas"].create(
            {
                "name": "Mirpur",
                "ip_address": "10.20.0.9",
                "provisioning": "routeros",
                "routeros_user": "isp",
                "routeros_password": "api-password",
                "routeros_gateway": "10.64.0.1",
            }
        )
        cls.karim = cls.create_subscription(username="karim", password="karim-1", nas_id=cls.nas.id)
        cls.rahim = cls.create_subscription(username="rahim", password="rahim-1", nas_id=cls.nas.id)
        cls.env.cr.flush()
        cls.env["isp.nas.change"].search([]).unlink()

    def setUp(self):
        super().setUp()
        self.router = FakeRouter(connection, errors)
        self.opened = []

        def open_router(nas):
            self.opened.append(nas)
            self.router.before_login()
            return self.router

        self.router.before_login = lambda: None
        patcher = patch.object(type(self.env["isp.nas"]), "_open_router", open_router)
        patcher.start()
        self.addCleanup(patcher.stop)

    # === STEPS === #

    def commit(self):
        """What happens at the end of a transaction; returns the jobs it queued."""
        with trap_jobs() as trap:
            self.env.cr.flush()
        return trap.enqueued_jobs

    def run_job(self, **options):
        """One look at the router, as its job does it."""
        self.env.cr.flush()
        return self.nas._job_routeros_reconcile(**options)

    def fill(self):
        """The router as it should be."""
        self.env["isp.nas.change"]._note_router(self.nas)
        self.run_job()
        self.router.log.clear()

    def secret(self, name):
        return self.router.find(SECRET, name)

    @property
    def shown(self):
        """The router as a screen opened now shows it."""
        self.nas.invalidate_recordset()
        return self.nas

    @property
    def sync(self):
        return self.env["isp.nas.sync"]._of(self.nas)

    @property
    def waiting(self):
        return self.env["isp.nas.change"].search([("nas_id", "=", self.nas.id)])

    def differences(self, **wanted):
        domain = [
            ("nas_id", "=", self.nas.id),
            *((name, "=", value) for name, value in wanted.items()),
        ]
        return self.env["isp.nas.difference"].search(domain)

    @contextmanager
    def away(self, what="No route to host"):
        def fail():
            raise errors.Unreachable(what)

        self.router.before_login = fail
        yield
        self.router.before_login = lambda: None
