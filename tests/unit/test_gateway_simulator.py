"""The base of the gateway simulators: faults do what they say."""

import json
import time

import pytest
import requests

from simulators.gateways.base import GatewaySimulator, redirect, refuse, route
from simulators.gateways.notifier import Notifier


class Counter(GatewaySimulator):
    """Counts; its notifications go to itself."""

    actions = ("set",)

    def __init__(self, *args):
        super().__init__(*args)
        self.value = 0
        self.heard = []
        self.refusals = 0

    @route("POST", "/count/<step>", call="count")
    def count(self, request, step):
        if not step.isdigit():
            refuse(400, {"message": "not a number"})
        self.value += int(step)
        return {"value": self.value, "forged": request.fault.forge}

    @route("POST", "/hear")
    def hear(self, request):
        if self.refusals:
            self.refusals -= 1
            refuse(500, {"message": "busy"})
        self.heard.append(request.json())
        return {}

    @route("GET", "/go")
    def go(self, _request):
        return redirect("/count/1")

    def set(self, value):
        self.value = value
        return value

    def snapshot(self):
        return {"value": self.value}

    def notify(self, **message):
        self.notifier.send(
            f"{self.url}/hear",
            lambda fields, fault: (
                json.dumps({**fields, **fault.change, "forged": fault.forge}),
                {"Content-Type": "application/json"},
            ),
            message,
        )


@pytest.fixture
def counter():
    with Counter() as simulator:
        yield simulator


def post(counter, path="/count/1", timeout=5, **values):
    return requests.post(counter.url + path, json=values, timeout=timeout)


def test_a_call_is_done_and_logged(counter):
    assert post(counter).json() == {"value": 1, "forged": False}
    assert post(counter, "/count/x").status_code == 400
    assert post(counter, "/nothing").status_code == 404
    assert [one.status for one in counter.received("count")] == [200, 400]


def test_an_answer_after_the_time_out_leaves_the_call_done(counter):
    counter.faults.add("count", late_s=0.6)
    with pytest.raises(requests.Timeout):
        post(counter, timeout=0.2)
    assert counter.value == 1
    assert post(counter).json()["value"] == 2, "the fault happens once"


@pytest.mark.parametrize(("fault", "done"), [("lose", 1), ("drop", 0)])
def test_a_connection_closed_without_an_answer(counter, fault, done):
    counter.faults.add("count", **{fault: True})
    with pytest.raises(requests.ConnectionError):
        post(counter)
    assert counter.value == done


def test_down_html_changed_and_made_up_answers(counter):
    counter.faults.add("count", status=503)
    assert post(counter).status_code == 503
    counter.faults.add("count", html="undone")
    assert "<html" in post(counter).text
    assert counter.value == 0
    counter.faults.add("count", html=True)
    assert post(counter).headers["Content-Type"].startswith("text/html")
    assert counter.value == 1
    counter.faults.add("count", change={"value": 99, "forged": None})
    assert post(counter).json() == {"value": 99}
    counter.faults.add("count", answer={"other": 1})
    assert post(counter).json() == {"other": 1}
    counter.faults.add(forge=True)
    assert post(counter).json() == {"value": 3, "forged": True}


def test_a_slow_call_and_a_fault_that_stays(counter):
    counter.faults.add("count", slow_s=0.2, times=None)
    start = time.monotonic()
    post(counter)
    post(counter)
    assert time.monotonic() - start >= 0.4
    counter.faults.clear()
    start = time.monotonic()
    post(counter)
    assert time.monotonic() - start < 0.2


def test_refused_connections_and_the_same_port_afterwards(counter):
    post(counter)
    port = counter.port
    counter.refuse_connections(True)
    with pytest.raises(requests.ConnectionError):
        post(counter)
    counter.refuse_connections(False)
    assert (counter.port, post(counter).json()["value"]) == (port, 2)


def test_a_connection_kept_open_ends_when_the_gateway_goes_down(counter):
    with requests.Session() as session:
        session.post(counter.url + "/count/1", timeout=5)
        counter.refuse_connections(True)
        with pytest.raises(requests.ConnectionError):
            session.post(counter.url + "/count/1", timeout=5)
    assert counter.value == 1


def test_the_control_surface_over_http(counter):
    assert post(counter, "/_control/faults", call="count", status=500).ok
    assert post(counter, "/_control/faults", wrong=1).status_code == 400
    assert post(counter).status_code == 500
    post(counter, "/_control/advance", seconds=100)
    assert counter.clock() > time.time() + 99
    assert post(counter, "/_control/do/set", value=7).json() == {"result": 7}
    assert post(counter, "/_control/do/stop").status_code == 404
    control = requests.get(counter.url + "/_control", timeout=5).json()
    assert control["state"] == {"value": 7}
    assert {one["status"] for one in control["requests"] if one["call"] == "count"} == {500}
    assert requests.get(counter.url + "/go", timeout=5, allow_redirects=False).status_code == 302


def test_notifications_are_tried_again_until_they_are_heard(counter):
    counter.notifier = Notifier(counter.faults, retry_after_s=(0, 0, 0))
    counter.refusals = 2
    counter.notify(number=1)
    (delivery,) = counter.notifier.wait(1)
    assert delivery.attempts == [500, 500, 200]
    assert counter.heard == [{"number": 1, "forged": False}]


def test_notifications_repeat_reorder_change_forge_and_get_lost(counter):
    for fault in ({"repeat": 2}, {"hold": True}, {"change": {"number": 30}, "forge": True}):
        counter.faults.add("notify", **fault)
    counter.faults.add("notify", lose=True)
    for number in (1, 2, 3, 4):
        counter.notify(number=number)
        if number == 1:
            counter.notifier.wait(2)
    counter.notifier.wait(4)
    heard = [(one["number"], one["forged"]) for one in counter.heard]
    assert heard == [(1, False), (1, False), (30, True), (2, False)]
