"""MSG91, API v5, as far as the suite calls it: it sends registered texts and knows no key of ours."""

import itertools
import re

from ..gateways.base import Answer, GatewaySimulator, main, refuse, route

AUTHKEY = "msg91-test-key-0000000000"
_NUMBER = re.compile(r"91[6-9]\d{9}")
_FIELDS = {"template_id", "short_url", "realTimeResponse", "recipients"}
_VARIABLE = 30


class Msg91(GatewaySimulator):
    """``templates`` are the registered texts, by id; ``delivered`` is what customers got."""

    name = "msg91"

    def __init__(self, port=0, host="127.0.0.1", balance="420", templates=None):
        super().__init__(port, host)
        self.balance_left, self.delivered = balance, []
        self.templates = templates or {"tpl-due": "Dear ##VAR1##, please pay ##VAR2##. Padma Net"}
        self._numbers = itertools.count(1)

    @route("POST", "/api/v5/flow", call="send")
    def send(self, request):
        self._check_key(request.headers.get("authkey"))
        order = request.json()
        if set(order) != _FIELDS:
            self._no("Missing or unknown field")
        text = self.templates.get(order["template_id"])
        if text is None:
            self._no("template id missing or invalid")
        if not isinstance(order["recipients"], list) or len(order["recipients"]) != 1:
            self._no("recipients must be a list of one")
        values = dict(order["recipients"][0])
        number = values.pop("mobiles", "")
        if not _NUMBER.fullmatch(number):
            self._no(f"Invalid mobile number {number}")
        wanted = set(re.findall(r"##(\w+)##", text))
        if set(values) != wanted or any(len(value) > _VARIABLE for value in values.values()):
            self._no("Variables do not fit the template")
        for name, value in values.items():
            text = text.replace(f"##{name}##", value)
        self.delivered.append((number, text))
        return {"type": "success", "message": f"{next(self._numbers):024x}"}

    @route("POST", "/api/balance.php", call="balance")
    def balance(self, request):
        self._check_key(request.form().get("authkey"))
        return Answer(self.balance_left, headers={"Content-Type": "text/plain"})

    def _check_key(self, key):
        if key != AUTHKEY:
            refuse(401, {"status": "fail", "message": "Unauthorized", "code": "401"})

    def _no(self, words):
        refuse(400, {"type": "error", "message": words})

    def snapshot(self):
        return {"delivered": self.delivered}


if __name__ == "__main__":
    main(Msg91)
