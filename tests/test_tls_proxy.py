"""nginx as an operator installs it, before Odoo with its production settings and two operators' databases.

One Odoo server for all of it. Each test comes from an address of its own, because logins are limited
by address.
"""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import xmlrpc.client
from pathlib import Path

import pytest
import websocket

from harness import databases
from harness.proxy import Nginx, Visitor
from harness.server import OdooServer, read_shell
from harness.settings import REPO

# One begins with the other: a filter without its end would show both to the first.
ALPHA, BETA = HOSTS = "alpha.isp.test", "alpha2.isp.test"
PREFIX = f"isp_test_{os.getpid()}_"
LOGIN, PASSWORD = "proxy.clerk", "proxy.clerk-1"
STRONG = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}

PLANT = f"""
import json
from odoo.tests.common import new_test_user
user = new_test_user(env, {LOGIN!r}, groups="base.group_user", password={PASSWORD!r})
key = env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "Script", None)
env["ir.config_parameter"].set_param("web.web_app_name", "Alpha")
# Whatever the second line of defence says, the proxy is the first.
env["ir.config_parameter"].set_param("isp_base.allow_rpc", "True")
env.cr.commit()
print("RESULT" + json.dumps({{"key": key, "user": user.id}}))
"""


def production_settings(folder):
    """Return deploy/odoo/odoo.conf with the databases of this test."""
    text = (REPO / "deploy/odoo/odoo.conf").read_text()
    path = folder / "odoo.conf"
    path.write_text(text.replace("dbfilter = ^isp_", f"dbfilter = ^{PREFIX}"))
    return {"ODOO_RC": str(path)}


@pytest.fixture(scope="module")
def operators(suite_template):
    """Two databases, in which the same person has the same password, number and API key."""
    names = [PREFIX + host.partition(".")[0] for host in HOSTS]
    databases.copy_database(suite_template, names[0])
    try:
        planted = read_shell(names[0], PLANT)
        databases.copy_database(*names)
        databases.query(
            names[1], "UPDATE ir_config_parameter SET value = 'Beta' WHERE key = 'web.web_app_name'"
        )
        databases.query(
            names[1],
            "UPDATE res_partner SET name = 'Secret of Beta' WHERE name LIKE 'proxy.clerk%'",
        )
        yield {"alpha": names[0], "beta": names[1], **planted}
    finally:
        for name in names:
            databases.drop_database(name)


@pytest.fixture(scope="module")
def odoo(operators, tmp_path_factory):
    env = production_settings(tmp_path_factory.mktemp("odoo"))
    server = OdooServer(operators["alpha"], workers=2, env=env)
    try:
        yield server.start()
    finally:
        server.kill()  # a graceful end waits half a minute for live updates


@pytest.fixture(scope="module")
def proxy(odoo):
    with Nginx(odoo, HOSTS) as running:
        yield running


@pytest.fixture
def visit(proxy, request):
    """Return who comes from an address of this test's own: ``visit(host)``."""
    number = request.session.items.index(request.node)

    def visitor(host=ALPHA, **options):
        return Visitor(proxy, host, f"127.1.{number // 250}.{number % 250 + 1}", **options)

    return visitor


def sign_in(visitor, database, password=PASSWORD):
    params = {"db": database, "login": LOGIN, "password": password}
    return call(visitor, "/web/session/authenticate", params)


def call(visitor, path, params, headers=()):
    """Call a JSON-RPC route; return what it answers."""
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
    headers = {"Content-Type": "application/json", **dict(headers)}
    answer = visitor.ask("POST", path, body, headers)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def read_name(visitor, number, headers=()):
    args = {"model": "res.users", "method": "read", "args": [[number], ["name"]], "kwargs": {}}
    return call(visitor, "/web/dataset/call_kw/res.users/read", args, headers)


# === TLS === #


def client(version, certificate):
    """Return a client that speaks one version of TLS only, with whatever ciphers it has."""
    context = ssl.create_default_context(cafile=certificate)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.proves("P-14")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2"])
@pytest.mark.parametrize("host", [ALPHA, "unknown.isp.test"])
def test_an_older_tls_is_refused(proxy, version, host):
    old = client(ssl.TLSVersion[version], proxy.certificate)
    with pytest.raises(ssl.SSLError) as refused:
        proxy.connect(host, old)
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.proves("P-14")
def test_a_browser_gets_tls_1_3_with_a_key_of_256_bits(proxy):
    with proxy.connect(ALPHA) as connection:
        name, version, bits = connection.cipher()
        assert (connection.version(), version, bits) == ("TLSv1.3", "TLSv1.3", 256)
        assert name in STRONG


@pytest.mark.proves("P-14")
@pytest.mark.parametrize("suite", [*sorted(STRONG), "TLS_AES_128_GCM_SHA256"])
def test_a_key_of_128_bits_is_refused(proxy, suite):
    result = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.https}", "-servername", ALPHA]
        + ["-tls1_3", "-ciphersuites", suite, "-brief"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (f"Ciphersuite: {suite}" in result.stderr) == (suite in STRONG), result.stderr
    if suite not in STRONG:
        assert "alert handshake failure" in result.stderr


@pytest.mark.proves("P-14")
def test_http_leads_to_https(proxy):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=30)
    connection.request("GET", "/my?page=2", headers={"Host": ALPHA})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{ALPHA}/my?page=2")


# === WHAT BROWSERS ARE TOLD === #


@pytest.mark.proves("P-14")
@pytest.mark.parametrize(
    "path", ["/web/login", "/web/database/manager", "/web/static/img/logo.png"]
)
def test_headers(visit, path):
    headers = visit().ask("GET", path).headers
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    # Once each, whether Odoo says it too or not.
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers.get_all("X-Frame-Options")[0] in ("DENY", "SAMEORIGIN")
    assert len(headers.get_all("X-Frame-Options")) == 1
    assert headers["Server"] == "nginx"


@pytest.mark.proves("P-14", "P-44")
def test_the_cookie_of_the_session_is_secure(visit):
    cookies = visit().ask("GET", "/web/login").headers.get_all("Set-Cookie")
    [session] = [cookie for cookie in cookies if cookie.startswith("session_id=")]
    flags = {flag.strip().lower() for flag in session.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax"} <= flags
    assert all("secure" in cookie.lower() for cookie in cookies)


def test_links_stay_on_https(visit):
    page = visit().ask("GET", "/web/login").body.decode()
    assert "http://" + ALPHA not in page
    assert visit().ask("GET", "/my").headers["Location"].startswith((f"https://{ALPHA}/", "/"))


# === LIMITS === #


def test_a_large_upload_is_refused_before_it_is_sent(visit):
    large = {"Content-Length": str(25 * 1024**2 + 1)}
    assert visit().ask("POST", "/web/binary/upload_attachment", headers=large).status == 413


@pytest.mark.parametrize("path", ["/web/login", "/web/session/authenticate", "/bn/web/login"])
def test_fast_guesses_are_refused(visit, path):
    # Each path has an address of its own, as each parameter is a test of its own.
    statuses = [visit().ask("POST", path, "x=1").status for _ in range(8)]
    assert 429 not in statuses[:6]
    assert statuses[6:] == [429, 429]
    assert visit().ask("GET", "/web/login").status == 200, "who only looks is not held up"


@pytest.mark.proves("P-15")
@pytest.mark.parametrize(
    "path",
    [
        *("/web/database/manager", "/web/database/selector", "/web/database/backup"),
        *("/xmlrpc/2/common", "/xmlrpc/2/object", "/xmlrpc/object", "/jsonrpc"),
        *("/queue_job/runjob", "/queue_job/create_test_job"),
        # The same by other spellings.
        *("//xmlrpc/2/common", "/%78mlrpc/2/common", "/web/../xmlrpc/2/common", "/./jsonrpc"),
        *("/bn/xmlrpc/2/common", "/web//database/manager", "/web/database"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_names_a_database_itself_is_closed(visit, method, path):
    answer = visit().ask(method, path)
    assert answer.status == 404
    assert b"<center>nginx</center>" in answer.body, "Odoo is not asked"


# === OTHER HOSTS AND ADDRESSES === #


@pytest.mark.proves("P-15")
def test_another_host_is_hung_up_on(proxy, visit):
    with pytest.raises(ssl.SSLError):
        proxy.connect("other.isp.test")
    for name in ("other.isp.test", "alpha3.isp.test", "127.0.0.1"):
        with pytest.raises(http.client.RemoteDisconnected):
            visit().ask("GET", "/web/login", host=name)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=30)
    with pytest.raises(http.client.RemoteDisconnected):
        connection.request("GET", "/")
        connection.getresponse()


def test_odoo_is_reached_on_this_machine_only(odoo):
    """Elsewhere its port would believe whatever address a client writes down."""
    for port in (odoo.port, odoo.gevent_port):
        hexadecimal = f"{port:04X}"
        bound = [
            line.split()[1].partition(":")[0]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{hexadecimal}") and line.split()[3] == "0A"
        ]
        assert bound == [socket.inet_aton("127.0.0.1")[::-1].hex().upper()]


def test_a_forged_address_does_not_reach_odoo(odoo, operators, visit):
    visitor = visit()
    forged = {
        "X-Forwarded-For": "203.0.113.66",
        "X-Forwarded-Host": "alpha2.isp.test",
        "X-Real-IP": "203.0.113.66",
        "Forwarded": "for=203.0.113.66",
    }
    params = {"db": operators["alpha"], "login": "forger", "password": "wrong"}
    assert "error" in call(visitor, "/web/session/authenticate", params, forged)
    log = odoo.log.read_text()
    [address] = re.findall(r"Login failed for login:forger from (\S+)", log)
    assert address == visitor._address
    assert "203.0.113.66" not in log


# === LIVE UPDATES, GATEWAYS, LOG === #


def test_live_updates_reach_the_port_for_them(proxy, operators, visit):
    visitor = visit()
    assert sign_in(visitor, operators["alpha"])["result"]["uid"] == operators["user"]
    live = websocket.create_connection(
        f"wss://{ALPHA}/websocket?version=",
        socket=proxy.connect(ALPHA, None, visitor._address),
        cookie=f"session_id={visitor.cookies['session_id']}",
        origin=f"https://{ALPHA}",
        timeout=30,
    )
    try:
        assert live.getstatus() == 101
        live.ping("are you there")
        kind, frame = live.recv_data_frame(control_frame=True)
        assert (kind, frame.data) == (websocket.ABNF.OPCODE_PONG, b"are you there")
    finally:
        live.close()


@pytest.mark.parametrize("path", ["/payment/sslcommerz/ipn", "/payment/bkash/notification/999999"])
def test_gateways_reach_their_callbacks(proxy, visit, path):
    for port in (proxy.https, proxy.gateways):
        answer = visit(port=port).ask("POST", path, "forged=1")
        assert answer.status in (403, 404, 200)
        assert b"<center>nginx</center>" not in answer.body, "Odoo has answered"


def test_gateways_may_speak_tls_1_2_and_reach_nothing_else(proxy, visit):
    old = client(ssl.TLSVersion.TLSv1_2, proxy.certificate)
    with proxy.connect(ALPHA, old, port=proxy.gateways) as connection:
        name, version, bits = connection.cipher()
        assert (version, bits) == ("TLSv1.2", 256)
    for version in ("TLSv1", "TLSv1_1"):
        with pytest.raises(ssl.SSLError), pytest.warns(DeprecationWarning):
            proxy.connect(
                ALPHA, client(ssl.TLSVersion[version], proxy.certificate), port=proxy.gateways
            )
    for path in ("/web/login", "/my", "/payment/pay", "/json/2/res.users/search"):
        assert visit(port=proxy.gateways).ask("GET", path).status == 404


def test_the_log_holds_no_token(proxy, visit):
    token = "Zq9TokenOfLinkThatOpensABill"
    visitor = visit()
    visitor.ask("GET", f"/my/invoices/1?access_token={token}", headers={"Referer": f"/x?{token}"})
    visitor.ask("GET", f"/privacy/link/{token}/withdraw")
    log = proxy.log
    assert '"GET /my/invoices/1" ' in log
    assert '"GET /privacy/link/***/withdraw" ' in log
    assert token not in log


# === TWO OPERATORS === #


def app_name(visitor, path="", headers=()):
    """The name that a database calls itself by, to whoever asks."""
    answer = visitor.ask("GET", f"/web/manifest.webmanifest{path}", headers=headers)
    return json.loads(answer.body)["name"] if answer.status == 200 else None


@pytest.mark.proves("P-15")
def test_each_host_shows_its_own_database(operators, visit):
    """The name of one begins with the name of the other, which the filter must tell apart."""
    assert (app_name(visit(ALPHA)), app_name(visit(BETA))) == ("Alpha", "Beta")


@pytest.mark.proves("P-15")
def test_a_session_opens_no_other_database(odoo, operators, visit):
    visitor = visit(BETA)
    assert sign_in(visitor, operators["beta"])["result"]["uid"] == operators["user"]
    own = read_name(visitor, operators["user"])
    assert own["result"] == [{"id": operators["user"], "name": "Secret of Beta"}]
    thief = visit(ALPHA)
    thief.cookies = dict(visitor.cookies)
    for headers in ({}, {"X-Odoo-Database": operators["beta"]}, {"X-Forwarded-Host": BETA}):
        answer = read_name(thief, operators["user"], headers)
        assert answer["error"]["data"]["name"] == "odoo.http.SessionExpiredException"
        thief.cookies = dict(visitor.cookies)


@pytest.mark.proves("P-15")
def test_nobody_signs_in_to_another_database(operators, visit):
    for own, other, host in (("beta", "alpha", ALPHA), ("alpha", "beta", BETA)):
        assert sign_in(visit(host), operators[other])["result"]["uid"] == operators["user"]
        for extra in ({}, {"X-Odoo-Database": operators[own]}):
            answer = call(
                *(visit(host), "/web/session/authenticate"),
                {"db": operators[own], "login": LOGIN, "password": PASSWORD},
                extra,
            )
            assert "Database not found" in str(answer["error"]), answer


@pytest.mark.proves("P-15")
def test_naming_another_database_changes_nothing(operators, visit):
    for name in (operators["beta"], operators["beta"] + "'"):
        visitor = visit(ALPHA)
        visitor.ask("GET", f"/web/login?db={name}")
        assert app_name(visitor) == "Alpha"
        assert app_name(visit(ALPHA), f"?db={name}") in ("Alpha", None)
        assert app_name(visit(ALPHA), headers={"X-Odoo-Database": name}) == "Alpha"
        assert app_name(visit(ALPHA), headers={"X-Forwarded-Host": BETA}) == "Alpha"


@pytest.mark.proves("P-15")
def test_an_api_key_is_asked_of_the_database_of_the_host(operators, visit):
    headers = {
        "Authorization": f"Bearer {operators['key']}",
        "Content-Type": "application/json",
        "X-Odoo-Database": operators["beta"],
    }
    body = json.dumps({"ids": [operators["user"]], "fields": ["name"]})
    names = []
    for host in HOSTS:
        answer = visit(host).ask("POST", "/json/2/res.users/read", body, headers)
        names.append(json.loads(answer.body)[0]["name"])
    assert names[0].startswith("proxy.clerk")
    assert names[1] == "Secret of Beta"


@pytest.mark.proves("P-15")
def test_remote_calls_are_closed_though_odoo_would_answer(odoo, operators, visit):
    """Inside, the same calls read another operator's database: that is why the proxy closes them."""
    call_beta = (operators["beta"], operators["user"], PASSWORD)
    question = ("res.users", "read", [[operators["user"]], ["name"]])
    inside = xmlrpc.client.ServerProxy(f"{odoo.url}/xmlrpc/2/object")
    assert inside.execute_kw(*call_beta, *question)[0]["name"] == "Secret of Beta"
    envelope = xmlrpc.client.dumps((*call_beta, *question), "execute_kw")
    args = {"service": "object", "method": "execute_kw", "args": [*call_beta, *question]}
    for path, body, kind in (
        ("/xmlrpc/2/object", envelope, "text/xml"),
        ("/jsonrpc", json.dumps({"jsonrpc": "2.0", "params": args}), "application/json"),
    ):
        answer = visit(ALPHA).ask("POST", path, body, {"Content-Type": kind})
        assert (answer.status, b"Secret" in answer.body) == (404, False)
