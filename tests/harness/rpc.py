"""A person who works with a running Odoo: signs in, calls routes and methods as the browser does."""

import http.cookiejar
import itertools
import json
import urllib.request

_numbers = itertools.count(1)


class RpcError(Exception):
    """What Odoo answered instead of a result."""


class Rpc:
    """A session of its own at an Odoo server.

    :param url: such as ``http://127.0.0.1:8069``
    """

    def __init__(self, url, timeout=60):
        self.url = url
        self.timeout = timeout
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def sign_in(self, db, login, password):
        """Sign in; return self."""
        vals = {"db": db, "login": login, "password": password}
        self.uid = self.post("/web/session/authenticate", vals)["uid"]
        return self

    def post(self, route, params):
        """Call a JSON-RPC route and return its result.

        :raises RpcError: with what the server says
        """
        body = {"jsonrpc": "2.0", "method": "call", "id": next(_numbers), "params": params}
        request = urllib.request.Request(
            self.url + route, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with self._opener.open(request, timeout=self.timeout) as answer:
            reply = json.load(answer)
        if "error" in reply:
            error = reply["error"]
            raise RpcError(error.get("data", error).get("message") or error.get("message"))
        return reply.get("result")

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model; the first argument of a record's method is its ids."""
        return self.post(
            "/web/dataset/call_kw",
            {"model": model, "method": method, "args": list(args), "kwargs": kwargs},
        )

    def pay(self, move_ids):
        """Register the payment of bills in full, as an accountant does."""
        context = {"active_model": "account.move", "active_ids": move_ids}
        wizard = self.call(
            "account.payment.register", "create", {"group_payment": True}, context=context
        )
        self.call("account.payment.register", "action_create_payments", [wizard], context=context)
