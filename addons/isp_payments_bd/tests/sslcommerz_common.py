"""SSLCommerz for tests inside Odoo: the client is real, its HTTP calls end here."""

import itertools
from decimal import Decimal
from unittest.mock import patch

from ..gateways import sslcommerz, sslcommerz_sign
from ..gateways.common import Unknown
from .http_common import GatewayHttpCase

STORE_ID, STORE_PASSWD = "teststore", "teststore@ssl"


class FakeSslcommerz:
    """What the gateway knows; ``tests/simulators/gateways/sslcommerz.py`` is the strict one."""

    def __init__(self):
        self.questions = []  # (method, fields), the password included
        self.attempts = {}  # order id: [fields]
        self.orders = {}  # session key: order id
        self.ended = {}  # order id: status of a page that is over
        self.refunds = {}  # reference: fields
        self.down = False
        self.lose_answer = False
        self._numbers = itertools.count(1)

    def call(self, method, path, fields):
        """Stand in for ``SslcommerzClient._call``."""
        self.questions.append((method, fields))
        if self.down:
            raise Unknown("SSLCommerz cannot be reached.")
        if "total_amount" in fields:
            key = f"SESSION{next(self._numbers)}"
            self.orders[key] = fields["tran_id"]
            self.attempts[fields["tran_id"]] = []
            url = f"https://pay.example/checkout?key={key}&lang=bn"
            return {"status": "SUCCESS", "sessionkey": key, "GatewayPageURL": url}
        return {"APIConnect": "DONE", **self._answer(fields)}

    def _answer(self, fields):
        if "val_id" in fields:
            known = itertools.chain.from_iterable(self.attempts.values())
            found = [one for one in known if one.get("val_id") == fields["val_id"]]
            return found[0] if found else {"status": "INVALID_TRANSACTION"}
        if "sessionkey" in fields:
            return self._session(fields["sessionkey"])
        if "bank_tran_id" in fields:
            return self._refund(fields)
        if "refund_ref_id" in fields:
            return self.refunds[fields["refund_ref_id"]]
        found = self.attempts.get(fields["tran_id"], [])
        return {"no_of_trans_found": str(len(found)), "element": found}

    def _session(self, key):
        order_id = self.orders[key]
        attempts = self.attempts[order_id]
        paid = [one for one in attempts if one["status"] == "VALID"]
        last = (paid or attempts or [{"status": "PENDING", "tran_id": order_id}])[-1]
        status = last["status"] if paid else self.ended.get(order_id, last["status"])
        return {**last, "status": status, "sessionkey": key}

    def _refund(self, fields):
        reference = f"REF{next(self._numbers)}"
        self.refunds[reference] = {
            "refund_ref_id": reference,
            "bank_tran_id": fields["bank_tran_id"],
            "amount": fields["refund_amount"],
            "status": "processing",
        }
        if self.lose_answer:
            raise Unknown("SSLCommerz did not answer in time.")
        return {"refund_ref_id": reference, "status": "success"}

    def choose(self, tx, status="VALID", **changes):
        """What the payer does on the pay page; return the message the gateway posts of it."""
        number = next(self._numbers)
        amount = f"{tx.amount:.2f}"
        fields = {
            "status": status,
            "tran_id": tx.gateway_order_id,
            "tran_date": f"2026-11-27 10:00:{number % 60:02}",
            "amount": amount,
            "store_amount": str(Decimal(amount) - Decimal("12.50")),
            "currency": "BDT",
            "currency_type": "BDT",
            "currency_amount": amount,
            "bank_tran_id": f"BANK{number}" if status in ("VALID", "FAILED") else "",
            "card_type": "BKASH-BKash",
            "card_no": "01770000000",
            "risk_level": "0",
            "risk_title": "Safe",
            "store_id": STORE_ID,
            **({"val_id": f"VAL{number}"} if status == "VALID" else {}),
            **changes,
        }
        self.attempts[tx.gateway_order_id].append(fields)
        return message(fields)


def message(fields, password=STORE_PASSWD, keys=None):
    """Sign what the gateway posts."""
    keys = keys or sorted(fields)
    signed = {**fields, "verify_key": ",".join(keys)}
    signed["verify_sign"] = sslcommerz_sign.sign(fields, keys, password, "md5")
    signed["verify_sign_sha2"] = sslcommerz_sign.sign(fields, keys, password, "sha256")
    return signed


class SslcommerzCommon(GatewayHttpCase):
    """A company with a store at SSLCommerz."""

    code = "sslcommerz"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"email": "accounts@isp.example", "phone": "+8809612000000"})
        cls.fee_account = cls.env["account.account"].create(
            {"name": "Gateway fees", "code": "509990", "account_type": "expense"}
        )
        cls.provider = cls.prepare_provider(cls.company)
        cls.method = cls.provider.payment_method_ids

    @classmethod
    def prepare_provider(cls, company, store_id=STORE_ID, password=STORE_PASSWD):
        provider = cls.open_provider(
            company, sslcommerz_store_id=store_id, sslcommerz_store_passwd=password
        )
        if company == cls.company:
            provider.bd_fee_account_id = cls.fee_account
        return provider

    def setUp(self):
        super().setUp()
        self.gateway = FakeSslcommerz()
        self.startPatcher(
            patch.object(
                sslcommerz.SslcommerzClient,
                "_call",
                lambda _client, *args: self.gateway.call(*args),
            )
        )

    def come(self, channel, tx, posted):
        """Let news of a payment come; return the HTTP response, if there is one."""
        if channel == "job":
            tx._bd_settle("job")
            return None
        response = self.url_open(
            f"/payment/sslcommerz/{channel}", data=posted, timeout=60, allow_redirects=False
        )
        tx.invalidate_recordset()
        return response

    def assertPaidOnce(self, tx, bill):
        """One payment, posted, reconciled with the bill, its fee booked once."""
        self.assertBookedOnce(tx, bill)
        self.assertEqual(tx.gateway_fee, 12.5)
        self.assertEqual(tx.gateway_fee_move_id.state, "posted")
        fees = self.env["account.move"].search([("ref", "=", tx.gateway_fee_move_id.ref)])
        self.assertEqual(len(fees), 1)

    def secrets(self):
        """The store's password, also as an address has it."""
        return [STORE_PASSWD, STORE_PASSWD.replace("@", "%40")]
