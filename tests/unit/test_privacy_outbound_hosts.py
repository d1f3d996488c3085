"""Every host that the code of the suite names is declared, with its purpose and its processor.

The declaration is outbound_hosts.csv of isp_privacy; docstrings, comments, tests, manifests
and the names kept for examples (RFC 2606) do not count.
"""

import ast
import csv
import re
from pathlib import Path

import pytest
from lxml import etree

ADDONS = Path(__file__).parents[2] / "addons"
DECLARED = ADDONS / "isp_privacy/outbound_hosts.csv"
DRAFTS = ADDONS / "isp_privacy/data/privacy_processor_data.xml"

_IN_URL = re.compile(r"https?://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)")
# A name without its scheme, as in a check such as `host.endswith(".odoo.com")`.
_BARE = re.compile(r"(?:[A-Za-z0-9*-]*\.)+(?:com|net|org|io|sh|cloud|dev)(?![\w.-])")
_EXAMPLE = re.compile(r"(.*\.)?(example|test|invalid|localhost)(\.(com|org|net))?")


def hosts_of(source):
    """Yield each host named in the strings of Python code."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if is_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings:
                continue
            # A name inside a regular expression has its dots escaped.
            text = node.value.replace("\\.", ".")
            names = {*_IN_URL.findall(text), *(_BARE.findall(text) if " " not in text else ())}
            names = {name.lower().lstrip("*.") for name in names}
            yield from (name for name in names if not _EXAMPLE.fullmatch(name))


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def named_hosts(addons):
    """Return ``{(host, addon)}`` of the code of all addons."""
    found = set()
    for path in sorted(addons.rglob("*.py")):
        addon, *rest = path.relative_to(addons).parts
        if addon.startswith("test_") or "tests" in rest or path.name == "__manifest__.py":
            continue
        found |= {(host, addon) for host in hosts_of(path.read_text())}
    return found


def declared():
    with DECLARED.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.proves("P-21")
def test_each_host_in_code_is_declared_and_each_declared_one_is_in_code():
    rows = {(row["host"], row["addon"]) for row in declared()}
    named = named_hosts(ADDONS)
    assert not named - rows, "say in outbound_hosts.csv what these hosts are for"
    assert not rows - named, "these hosts are gone from the code: remove them"


def test_each_declared_host_has_a_purpose():
    assert [row["host"] for row in declared() if not row["purpose"].strip()] == []


def test_each_processor_of_a_declared_host_ships_as_a_draft_with_its_hosts():
    drafts = {
        record.findtext("field[@name='name']"): record.findtext("field[@name='hosts']").split()
        for record in etree.parse(DRAFTS).iter("record")
    }
    hosts = {}
    for row in declared():
        if row["processor"]:
            hosts.setdefault(row["processor"], []).append(row["host"])
    assert {name: sorted(names) for name, names in drafts.items()} == {
        name: sorted(names) for name, names in hosts.items()
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('URL = "https://api.gateway.net/v1"', {"api.gateway.net"}),
        ('URL = f"http://sms.{region}.gateway.net:8080/{path}"', {"sms", "gateway.net"}),
        ('url = "HTTPS://" + host', set()),
        ('post("https://Api.Gateway.net", b"")', {"api.gateway.net"}),
        ('ok = host.endswith(".gateway.net")', {"gateway.net"}),
        (r'HOST = re.compile(r"sns\.[a-z]+\.gateway\.net")', {"gateway.net"}),
        ("# https://api.gateway.net", set()),
        ('def f():\n    """See https://api.gateway.net."""', set()),
        ('link = "https://shop.example.com/pay"', set()),
        ('message = "Ask support at gateway.net about it"', set()),
    ],
)
def test_what_counts_as_a_host(code, expected):
    assert set(hosts_of(code)) == expected


def test_an_undeclared_host_is_found_and_a_stale_one_too(tmp_path):
    code = tmp_path / "isp_new/models/sms.py"
    code.parent.mkdir(parents=True)
    code.write_text('URL = "https://sms.unknown.net/send"\n')
    tests = tmp_path / "isp_new/tests/test_sms.py"
    tests.parent.mkdir(parents=True)
    tests.write_text('URL = "https://only-in-a-test.net"\n')
    assert named_hosts(tmp_path) == {("sms.unknown.net", "isp_new")}
