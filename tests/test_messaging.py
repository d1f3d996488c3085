"""The outbox on a real database against a simulated gateway: killed in a call, and who is on the wire."""

import json

import pytest

from harness import processes
from harness.databases import query
from harness.server import read_shell
from harness.waiting import wait_for
from simulators.sms.ssl_wireless import SID, TOKEN, SslWireless

SEED = """
import json
company = env.company
company.country_id = env.ref("base.bd")
gateway = env["isp.message.gateway"].create({
    "name": "SSL Wireless", "provider": "ssl_wireless", "company_id": company.id,
    "sender": "%s", "api_token": "%s", "test_url": "%s",
})
print(gateway.action_test_connection()["params"]["message"])
messages = [
    env["isp.message"]._queue(
        company, f"event:{number}", body=f"Notice {number}", address=f"0171100000{number}"
    )
    for number in range(3)
]
env.cr.commit()
print("RESULT", json.dumps([message.id for message in messages]))
"""
WORK = 'env["isp.message"]._cron_send()\nenv.cr.commit()\n'
AGAIN = (
    WORK
    + """
import json
unknown = env["isp.message"].search([("state", "=", "unknown")])
unknown.action_ask()
env.cr.commit()
"""
    + WORK
    + """
print("RESULT", json.dumps([[m.state, m.reason] for m in env["isp.message"].search([], order="id")]))
"""
)


def states(database):
    return [state for (state,) in query(database, "SELECT state FROM isp_message ORDER BY id")]


@pytest.mark.proves("P-22")
def test_killed_while_the_gateway_is_called(suite_db):
    with SslWireless() as gateway:
        ids = read_shell(suite_db, SEED % (SID, TOKEN, gateway.url))
        assert states(suite_db) == ["queued"] * 3
        # The second one is taken, and the server dies before the answer comes.
        gateway.faults.add("send")
        gateway.faults.add("send", late_s=15)
        job = processes.start_shell(suite_db, WORK)
        wait_for(lambda: len(gateway.delivered) == 2, 120, "nothing was sent")
        # Committed before the call, so that whoever comes next knows of it.
        assert states(suite_db) == ["accepted", "sending", "queued"]
        still_ran, _lines = processes.kill(job)
        assert still_ran
        wait_for(lambda: states(suite_db)[1] == "sending", 10)
        query(
            suite_db,
            "UPDATE isp_message SET sent_at = sent_at - interval '11 minutes' WHERE id = %s",
            [ids[1]],
        )
        found = read_shell(suite_db, AGAIN)
        assert [state for state, _reason in found] == ["accepted"] * 3
        assert "already" in found[1][1]
        # Asked again with its number: the gateway had it, the customer got it once.
        assert [text for _number, text in gateway.delivered] == [f"Notice {n}" for n in (0, 1, 2)]
        keys = [json.loads(request.body)["csms_id"] for request in gateway.received("send")]
        assert (len(keys), len(set(keys))) == (4, 3)
