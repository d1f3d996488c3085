from odoo.tests import HttpCase, new_test_user, tagged

START = (
    "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
    ".startClickEverywhere('isp_billing.menu_isp_root')"
)


@tagged("post_install", "-at_install")
class TestClickEverywhere(HttpCase):
    """Every menu of the app, every view of it, every filter, as those who work with it."""

    allow_end_on_form = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls.env["isp.plan"].create({"name": "Home", "price": 500.0})
        subscription = cls.env["isp.subscription"].create(
            {
                "partner_id": cls.env["res.partner"].create({"name": "Karim"}).id,
                "plan_id": plan.id,
                "date_start": cls.env.company._get_isp_today().replace(day=1),
            }
        )
        subscription._activate()
        today = cls.env.company._get_isp_today()
        run = cls.env["isp.billing.run"].create({"target_date": today, "invoice_date": today})
        run._run_to_end()
        subscription._suspend("request", "Travelling")
        cls.env["isp.nas"].create({"name": "Router", "ip_address": "192.0.2.1"})

    def click_as(self, role):
        user = new_test_user(
            self.env, f"click_{role}", groups=f"base.group_user,isp_base.group_isp_{role}"
        )
        if "tour_enabled" in user._fields:
            user.tour_enabled = False
        self.browser_js(
            "/odoo",
            START,
            "odoo.isReady === true",
            login=user.login,
            # Both lanes of the tests share the machine.
            timeout=900,
            success_signal="clickbot test succeeded",
        )

    def test_as_manager(self):
        self.click_as("manager")

    def test_as_support(self):
        self.click_as("support")
