import csv
import io
from urllib.parse import unquote

from lxml import html

from odoo.tests import HttpCase, tagged

from odoo.addons.isp_billing.tests.common import PortalMixin

from .usage_common import GB, IspUsageCase


@tagged("post_install", "-at_install")
class TestPortalUsage(PortalMixin, IspUsageCase, HttpCase):
    """Karim looks at what he used; Rahim must not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim = cls.create_portal_user("portal_karim", cls.customer)
        cls.rahim = cls.create_portal_user("portal_rahim")
        cls.service = cls.create_subscription(username="karim")

    def setUp(self):
        super().setUp()
        self.use(self.service, "2027-03-10 05:00:00", 3 * GB, GB)
        self.use(self.service, "2027-03-01 06:00:00", 2 * GB)
        self.use(self.service, "2027-02-01 06:00:00", 10 * GB)
        self.use(self.service, "2026-03-31 06:00:00", 100 * GB)
        self.env.flush_all()

    def page(self, query=""):
        response = self.get(f"/my/services/{self.service.id}/usage{query}")
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.content)

    def text(self, tree, name):
        [node] = tree.xpath(f"//main//*[@name='{name}']")
        return " ".join(node.text_content().split())

    def test_the_last_30_days(self):
        self.log_in("portal_karim")
        tree = self.page()
        self.assertEqual(self.text(tree, "usage_download"), "5.0 GB")
        self.assertEqual(self.text(tree, "usage_upload"), "1.0 GB")
        self.assertEqual(self.text(tree, "usage_total"), "6.0 GB")
        self.assertEqual(len(tree.xpath("//*[@name='usage_table']//tbody/tr")), 30)
        [svg] = tree.xpath("//*[@name='usage_chart']")
        self.assertEqual(svg.get("role"), "img")
        heights = [float(rect.get("height")) for rect in svg.xpath(".//*[local-name()='rect']")]
        self.assertEqual(len(heights), 60)
        self.assertEqual(sum(height > 0 for height in heights), 3)

    def test_twelve_months_and_no_day_more(self):
        self.log_in("portal_karim")
        tree = self.page("?period=months")
        self.assertEqual(self.text(tree, "usage_download"), "15.0 GB")
        rows = tree.xpath("//*[@name='usage_table']//tbody/tr")
        self.assertEqual(len(rows), 12)

    def test_today_by_the_hour(self):
        self.env.cr.execute(
            "CREATE TABLE IF NOT EXISTS radius.usage_hour_20270310 PARTITION OF radius.usage_hour "
            "FOR VALUES FROM ('2027-03-10') TO ('2027-03-11')"
        )
        self.env.cr.execute(
            "INSERT INTO radius.usage_hour VALUES (%s, '2027-03-10 11:00', 5000000, 7000000)",
            [self.service.id],
        )
        self.log_in("portal_karim")
        tree = self.page("?period=today")
        self.assertEqual(self.text(tree, "usage_total"), "12.0 MB")
        self.assertEqual(len(tree.xpath("//*[@name='usage_table']//tbody/tr")), 24)

    def test_bengali_has_its_own_digits(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.customer.lang = "bn_IN"
        self.log_in("portal_karim")
        tree = self.page()
        self.assertEqual(self.text(tree, "usage_download"), "৫.০ GB")

    def test_the_file_holds_every_day_in_bytes(self):
        self.log_in("portal_karim")
        response = self.get(f"/my/services/{self.service.id}/usage.csv")
        self.assertIn("text/csv", response.headers["Content-Type"])
        name = f"Usage {self.service.name.replace('/', '-')} 2027-03-10.csv"
        self.assertIn(name, unquote(response.headers["Content-Disposition"]))
        rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
        self.assertEqual(
            rows[1:],
            [
                ["2027-02-01", str(10 * GB), "0", str(10 * GB)],
                ["2027-03-01", str(2 * GB), "0", str(2 * GB)],
                ["2027-03-10", str(3 * GB), str(GB), str(4 * GB)],
            ],
        )

    def test_the_file_speaks_the_language_of_the_page(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.env["ir.module.module"]._load_module_terms(["isp_network"], ["bn_IN"])
        self.log_in("portal_karim")
        self.opener.cookies["frontend_lang"] = "bn_IN"
        response = self.get(f"/my/services/{self.service.id}/usage.csv")
        rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
        self.assertEqual(rows[0][1], "ডাউনলোড (বাইট)")
        self.assertEqual(rows[1][0], "2027-02-01", "for a spreadsheet")

    def test_the_volume_left_is_shown(self):
        self.plan_home.write({"cap_gb": 8})
        self.use(self.service, "2027-03-10 05:30:00", GB)
        self.log_in("portal_karim")
        text = self.text(self.page(), "volume")
        self.assertIn("7.0 GB / 8.0 GB", text)
        self.assertIn("87 %", text)

    def test_somebody_else_sees_nothing(self):
        self.log_in("portal_rahim")
        for suffix in ("usage", "usage.csv"):
            response = self.url_open(
                f"/my/services/{self.service.id}/{suffix}", allow_redirects=False
            )
            self.assertEqual(response.status_code, 303)

    def test_a_visitor_needs_the_token(self):
        url = f"/my/services/{self.service.id}/usage"
        self.assertEqual(self.url_open(url, allow_redirects=False).status_code, 303)
        self.assertEqual(
            self.url_open(f"{url}?access_token=wrong", allow_redirects=False).status_code, 303
        )
        token = self.service._portal_ensure_token()
        self.env.flush_all()
        tree = self.page(f"?access_token={token}")
        self.assertEqual(self.text(tree, "usage_total"), "6.0 GB")
        [link] = tree.xpath("//*[@name='usage_csv']")
        self.assertIn(f"usage.csv?access_token={token}", link.get("href"))
