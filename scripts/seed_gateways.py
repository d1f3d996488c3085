"""bKash, Nagad and SSLCommerz of the sample provider, for the simulators that `make run` starts.

Loaded through `odoo shell`. ISP_GATEWAY_PORT is the port of the simulated bKash; the other two are
on the next ones. Test mode: no address outside of this machine is called.
"""

import json
import os
import urllib.request

from simulators.gateways.bkash import Bkash
from simulators.gateways.sns import TOPIC
from simulators.gateways.sslcommerz import STORE_ID, STORE_PASSWD

MERCHANT = "683000000000001"


def main(env):
    port = int(os.environ["ISP_GATEWAY_PORT"])
    bkash, nagad, sslcommerz = (f"http://127.0.0.1:{port + n}" for n in range(3))
    set_up(
        env,
        "bkash",
        bkash_test_url=bkash,
        bkash_sns_topic=TOPIC,
        allow_tokenization=True,
        **{f"bkash_{name}": value for name, value in Bkash().credentials.items()},
    )
    set_up_nagad(env, nagad)
    set_up(
        env,
        "sslcommerz",
        sslcommerz_store_id=STORE_ID,
        sslcommerz_store_passwd=STORE_PASSWD,
        sslcommerz_test_url=sslcommerz,
    )
    env["ir.config_parameter"].set_param("web.base.url", os.environ["ISP_ADDRESS"])
    env.cr.commit()


def set_up_nagad(env, url):
    """Exchange keys with the simulated Nagad, as a merchant does with the real one."""
    state = call(f"{url}/_control")["state"]
    provider = provider_of(env, "nagad")
    provider.action_nagad_new_keys()
    call(
        f"{url}/_control/do/add_merchant",
        {"merchant_id": MERCHANT, "public_key": provider.nagad_own_public_key},
    )
    set_up(
        env,
        "nagad",
        nagad_merchant_id=MERCHANT,
        nagad_public_key=state["public_key"],
        nagad_server_ip="203.0.113.7",
        nagad_test_url=state["api_url"],
        nagad_refunds=True,
    )


def set_up(env, code, **settings):
    provider = provider_of(env, code)
    provider.write({**settings, "state": "test", "is_published": True})
    provider.action_test_connection()
    print(code, provider.bd_connection_text)
    assert provider.bd_connection_state == "ok", provider.bd_connection_text


def provider_of(env, code):
    return env["payment.provider"].search(
        [("code", "=", code), ("company_id", "=", env.company.id)], limit=1
    )


def call(url, values=None):
    data = None if values is None else json.dumps(values).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=10) as answer:
        return json.loads(answer.read())


main(env)  # noqa: F821  # pylint: disable=undefined-variable; `odoo shell` defines it
