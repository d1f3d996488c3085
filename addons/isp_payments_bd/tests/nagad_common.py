"""Nagad for tests inside Odoo: the client is real, its HTTP calls end here."""

import itertools
import json
from unittest.mock import patch

from ..gateways import nagad, nagad_crypto
from .http_common import GatewayHttpCase

MERCHANT = "683000000000001"
SERVER_IP = "203.0.113.7"
PRIVATE, PUBLIC = nagad_crypto.new_key_pair()
NAGAD_PRIVATE, NAGAD_PUBLIC = nagad_crypto.new_key_pair()


class FakeNagad:
    """What Nagad knows; ``tests/simulators/gateways/nagad.py`` is the strict one."""

    def __init__(self):
        self.payments = {}  # payment id: the answer of verify
        self.calls = []  # (method, the path's words, headers, what was sealed)
        self.changes = {}  # call: fields of its answer to overwrite
        self.texts = {}  # call: (HTTP status, text) to answer instead; what was asked is done
        self.errors = {}  # call: exception to raise; what was asked is done
        self._numbers = itertools.count(1)
        self._envelope = nagad_crypto.Envelope(
            nagad_crypto.load_private_key(NAGAD_PRIVATE), nagad_crypto.load_public_key(PUBLIC)
        )

    def exchange(self, method, url, headers, json, params):
        """Stand in for ``NagadClient._exchange``."""
        path = url.split("/api/dfs/")[1].split("/")
        call = path[1] if path[0] != "verify" else "verify"
        body = json or {}
        sealed = body.get("sensitiveData") or body.get("sensitiveDataCancelRequest")
        values = self._envelope.open(sealed, body["signature"]) if sealed else {}
        self.calls.append((call, path[2:], headers, {**values, **(params or {})}, body))
        status, answer = getattr(self, f"_{call}")(path, values, body, params)
        if call in self.errors:
            raise self.errors[call]
        if call in self.texts:
            return self.texts[call]
        return status, _text({**answer, **self.changes.get(call, {})})

    def asked(self, call):
        return [one for one in self.calls if one[0] == call]

    def _initialize(self, path, values, _body, _params):
        payment_id = f"REF{next(self._numbers)}="
        self.payments[payment_id] = {
            "merchantId": path[2],
            "orderId": path[3],
            "paymentRefId": payment_id,
            "status": "Initiated",
            "statusCode": "999",
        }
        sealed, signature = self._envelope.seal(
            {"paymentReferenceId": payment_id, "challenge": values["challenge"]}
        )
        return 200, {"sensitiveData": sealed, "signature": signature}

    def _complete(self, path, values, body, _params):
        payment = self.payments[path[2].replace("%3D", "=")]
        payment.update(amount=values["amount"], status="Ready")
        payment["callback"] = body["merchantCallbackURL"]
        url = f"https://pay.example/check-out?ref={payment['paymentRefId']}&lang=bn"
        return 200, {"status": "Success", "callBackUrl": url}

    def _verify(self, path, _values, _body, _params):
        payment = self.payments.get(path[2].replace("%3D", "="))
        if not payment:
            return 400, {"reason": "InvalidReferenceId", "message": "Invalid reference"}
        return 200, {name: value for name, value in payment.items() if name != "callback"}

    def _cancel(self, _path, values, _body, params):
        payment = self.payments[params["paymentRefId"]]
        reference = f"BACK{next(self._numbers)}"
        all_of_it = values["cancelAmount"] == payment["amount"]
        payment.update(
            status="Cancelled" if all_of_it else "PartialCancelled", cancelIssuerRefNo=reference
        )
        sealed, signature = self._envelope.seal(
            {
                "status": payment["status"],
                "cancelAmount": values["cancelAmount"],
                "cancelTrxId": reference,
            }
        )
        return 200, {"sensitiveData": sealed, "signature": signature}

    def choose(self, tx, status="Success", **changes):
        """What the customer does on the page; return the address the browser is sent to."""
        payment = self.payments[tx.gateway_payment_id]
        payment["status"] = status
        if status == "Success":
            number = next(self._numbers)
            payment.update(
                statusCode="000",
                issuerPaymentRefNo=f"MONEY{number}",
                issuerPaymentDateTime="2026-11-27 12:01:10.0",
                clientMobileNo="017****5678",
            )
        payment.update(changes)
        return returning(payment)


def returning(payment, **changes):
    """Return the address that Nagad sends the browser to, with fields overwritten."""
    values = {
        "merchant": payment["merchantId"],
        "order_id": payment["orderId"],
        "payment_ref_id": payment["paymentRefId"],
        "status": payment["status"],
        "status_code": "00_0000_000" if payment["status"] == "Success" else "00_0000_999",
        "issuer_payment_ref": payment.get("issuerPaymentRefNo") or "",
        **changes,
    }
    query = "&".join(f"{name}={value}" for name, value in values.items() if value is not None)
    return f"{payment['callback']}?{query}"


def _text(answer):
    return json.dumps(answer)


class NagadCommon(GatewayHttpCase):
    """A company that takes Nagad."""

    code = "nagad"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls.prepare_provider(cls.company)
        cls.method = cls.provider.payment_method_ids

    @classmethod
    def prepare_provider(cls, company, merchant=MERCHANT):
        return cls.open_provider(
            company,
            nagad_merchant_id=merchant,
            nagad_private_key=PRIVATE,
            nagad_public_key=NAGAD_PUBLIC,
            nagad_server_ip=SERVER_IP,
            nagad_refunds=True,
        )

    def setUp(self):
        super().setUp()
        self.nagad = FakeNagad()
        self.startPatcher(
            patch.object(
                nagad.NagadClient,
                "_exchange",
                lambda _client, *args, **kwargs: self.nagad.exchange(*args, **kwargs),
            )
        )

    def come(self, channel, tx, url):
        """Let news of a payment come; return the HTTP response, if there is one."""
        if channel == "job":
            tx._bd_settle("job")
            return None
        path = "/payment/" + url.split("/payment/", 1)[1]
        response = self.url_open(path, allow_redirects=False, timeout=120)
        tx.invalidate_recordset()
        return response

    assertPaidOnce = GatewayHttpCase.assertBookedOnce

    def secrets(self):
        """The merchant's key and the signatures that were sent."""
        signatures = [call[4].get("signature") for call in self.nagad.calls]
        return [PRIVATE[100:140], *filter(None, signatures)]
