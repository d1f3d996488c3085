"""Many clerks press “Next free” in the same second: everybody gets an address of their own."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar

from harness.server import read_shell

SUBSCRIPTIONS = 24
CLERKS = 4

SETUP = f"""
import json
env = env(context=dict(env.context, tracking_disable=True, no_reset_password=True))
group = env.ref("isp_base.group_isp_clerk")
env["res.users"].create([
    {{"name": f"Clerk {{n}}", "login": f"clerk{{n}}", "password": f"clerk{{n}}-secret",
      "group_ids": [(6, 0, group.ids)]}} for n in range({CLERKS})
])
plan = env["isp.plan"].create({{"name": "Home", "price": 500, "tax_ids": [(5,)]}})
partner = env["res.partner"].create({{"name": "Karim"}})
subscriptions = env["isp.subscription"].create(
    [{{"partner_id": partner.id, "plan_id": plan.id}} for _n in range({SUBSCRIPTIONS})]
)
env["isp.ip.pool"].create({{
    "name": "Static", "purpose": "static", "gateway": "103.10.0.1",
    "range_ids": [(0, 0, {{"name": "103.10.0.0/24"}})],
}})
env.cr.commit()
print("RESULT" + json.dumps(subscriptions.ids))
"""


class Clerk:
    """A session of one clerk, as a browser would hold it."""

    def __init__(self, url, db, login):
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._post(
            "/web/session/authenticate",
            {"db": db, "login": login, "password": f"{login}-secret"},
        )

    def _post(self, path, params):
        request = urllib.request.Request(
            self.url + path,
            json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode(),
            {"Content-Type": "application/json"},
        )
        answer = json.load(self.opener.open(request, timeout=60))
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def press_next_free(self, subscription_id):
        """Press the button on the form of the subscription."""
        self._post(
            "/web/dataset/call_button/isp.subscription/action_next_free_ipv4",
            {
                "model": "isp.subscription",
                "method": "action_next_free_ipv4",
                "args": [[subscription_id]],
                "kwargs": {},
            },
        )


def test_clerks_at_once_get_different_addresses(suite_db, odoo_server, pg):
    ids = read_shell(suite_db, SETUP)
    server = odoo_server(suite_db, workers=2)
    clerks = [Clerk(server.url, suite_db, f"clerk{n}") for n in range(CLERKS)]

    def work(number):
        for subscription_id in ids[number::CLERKS]:
            clerks[number].press_next_free(subscription_id)

    with ThreadPoolExecutor(CLERKS) as crowd:
        list(crowd.map(work, range(CLERKS)))
    with pg(suite_db).cursor() as cr:
        cr.execute("SELECT ipv4_address FROM isp_subscription ORDER BY ipv4_address::inet")
        given = [row[0] for row in cr.fetchall()]
        cr.execute("SELECT count(*) FROM isp_ip_assignment WHERE date_to IS NULL")
        assert cr.fetchone() == (SUBSCRIPTIONS,)
    # The lowest free ones, without a gap but for the gateway: nobody's attempt cost an address.
    numbers = [0, *range(2, SUBSCRIPTIONS + 1)]
    assert given == [f"103.10.0.{number}" for number in numbers]
