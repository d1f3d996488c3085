"""No password and no secret can be read from a dump, from the files beside it, or from the log."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from harness import databases
from harness.rpc import Rpc, RpcError
from harness.server import OdooServer, read_shell
from harness.settings import environment

# Put in through the models that people use. The words are such that nothing else is like them.
PLANT = """
import json
from odoo.tests.common import new_test_user

passwords = {"staff": "Zq1StaffPasswordXv", "customer": "Zq2CustomerPasswordXv"}
staff = new_test_user(
    env, "dump.staff", groups="base.group_system,isp_base.group_isp_manager,isp_base.group_isp_network",
    password=passwords["staff"],
)
customer = new_test_user(
    env, "dump.customer", groups="base.group_portal", password=passwords["customer"]
)
key = env["res.users.apikeys"].with_user(staff).sudo()._generate("rpc", "Script", None)
passwords["API key"] = key

secrets = {
    "router secret": "Zq3RouterSecretXv",
    "router API password": "Zq4RouterPasswordXv",
    "router backup": "Zq5SecretOfBackupXv",
    "PPPoE password": "Zq6PppoePasswordXv",
    "bKash password": "Zq7BkashPasswordXv",
    "bKash app secret": "Zq8BkashAppSecretXv",
    "SSLCommerz password": "Zq9SslPasswordXv",
    "bKash token": "ZqAtokenOfBkashXv",
    "bKash token for a new login": "ZqBrefreshOfBkashXv",
    "outgoing mail password": "ZqHoutgoingMailXv",
    "incoming mail password": "ZqIincomingMailXv",
}
nas = env["isp.nas"].create({
    "name": "Mirpur", "ip_address": "10.20.0.9", "secret": secrets["router secret"],
    "routeros_user": "isp", "routeros_password": secrets["router API password"],
})
backup = env["isp.nas.backup"]._store(
    nas, "/ppp secret\\nadd name=ZqGnameInBackupXv password=" + secrets["router backup"], "7.16"
)
plan = env["isp.plan"].create({"name": "Home 20", "price": 500.0, "tax_ids": [(5,)]})
subscription = env["isp.subscription"].create({
    "partner_id": customer.partner_id.id, "plan_id": plan.id, "date_start": "2026-01-01",
    "username": "karim", "password": secrets["PPPoE password"],
})
subscription._activate()
subscription._bill(subscription.date_start, subscription.date_start)

def provider(code):
    return env["payment.provider"].search([("code", "=", code)], limit=1)

provider("bkash").write({
    "bkash_password": secrets["bKash password"], "bkash_app_secret": secrets["bKash app secret"],
})
provider("sslcommerz").write({"sslcommerz_store_passwd": secrets["SSLCommerz password"]})
env["isp.bkash.login"].create({
    "provider_id": provider("bkash").id, "id_token": secrets["bKash token"],
    "refresh_token": secrets["bKash token for a new login"],
})

outgoing = env["ir.mail_server"].create({
    "name": "Out", "smtp_host": "127.0.0.1", "smtp_user": "padma",
    "smtp_pass": secrets["outgoing mail password"],
})
incoming = env["fetchmail.server"].create({
    "name": "In", "server": "127.0.0.1", "user": "padma",
    "password": secrets["incoming mail password"],
})
incoming.active = outgoing.active = False

# What is no secret, so that a search that finds nothing proves something.
env["ir.attachment"].create({
    "name": "plain.txt", "raw": b"ZqPlainWordOfFileXv", "res_model": "isp.nas", "res_id": nas.id,
})
nas.name = "ZqPlainWordXv"
env.flush_all()
assert nas.secret == secrets["router secret"] and secrets["router backup"] in backup.content
assert outgoing.smtp_pass == secrets["outgoing mail password"]
env.cr.commit()
print("RESULT" + json.dumps({
    "passwords": passwords, "secrets": secrets, "nas": nas.id, "staff": staff.id,
    "backup": backup.id, "mail": [outgoing.id, incoming.id],
}))
"""
PLAIN, PLAIN_IN_FILE = "ZqPlainWordXv", "ZqPlainWordOfFileXv"
# Entered while the server runs; the second and third time something is wrong with the request.
TYPED = ["ZqCtypedSecretXv", "ZqDtypedSecretXv", "ZqEtypedSecretXv", "ZqFtypedPasswordXv"]


def forms_of(word):
    """Return how a word may stand in a dump: as it is, as hexadecimal of bytes, in base64."""
    raw = word.encode()
    encoded = [base64.b64encode(b"\0" * offset + raw).rstrip(b"=") for offset in range(3)]
    # The first and last letters depend on what stands before and behind the word.
    middles = [text[2 + 2 * (offset > 0) : -3] for offset, text in enumerate(encoded)]
    return {raw, raw.hex().encode(), *middles}


def found_in(content, words):
    """Return those of ``{what: word}`` that stand in bytes."""
    return {what for what, word in words.items() if any(form in content for form in forms_of(word))}


@pytest.fixture(scope="module")
def planted(new_database):
    database = new_database()
    return database, read_shell(database, PLANT)


@pytest.fixture(scope="module")
def log(planted):
    """Sign in and type secrets, right and wrong, on a running server; return its log."""
    database, made = planted
    nas = [made["nas"]]
    with OdooServer(database) as server:
        rpc = Rpc(server.url).sign_in(database, "dump.staff", made["passwords"]["staff"])
        rpc.call("isp.nas", "write", nas, {"secret": TYPED[0]})
        with pytest.raises(RpcError):
            rpc.call("isp.nas", "write", nas, {"secret": TYPED[1], "ip_address": "nonsense"})
        with pytest.raises(RpcError):
            rpc.call("isp.nas", "write", nas, {"routeros_password": TYPED[2], "no_such_field": 1})
        with pytest.raises(RpcError):
            Rpc(server.url).sign_in(database, "dump.staff", TYPED[3])
        path = server.log
    return path.read_bytes()


@pytest.fixture(scope="module")
def dump(planted, log):
    """What pg_dump writes, when all has been entered."""
    database, _made = planted
    env = os.environ | environment()
    command = ["pg_dump", "--no-owner", "--compress=0", database]
    return subprocess.run(command, env=env, check=True, capture_output=True, timeout=300).stdout


def typed():
    return {f"typed {number}": word for number, word in enumerate(TYPED)}


def test_the_search_sees_what_is_there():
    word = "Zq1StaffPasswordXv"
    for content in (
        word.encode(),
        word.encode().hex().encode(),
        *(base64.b64encode(b"x" * offset + word.encode() + b"tail") for offset in range(4)),
    ):
        assert found_in(b"before " + content, {"it": word}) == {"it"}
    assert found_in(b"Zq1StaffPassword", {"it": word}) == set()


@pytest.mark.proves("P-01")
def test_no_password_is_in_a_dump(planted, dump):
    _database, made = planted
    assert found_in(dump, {"plain": PLAIN}) == {"plain"}
    assert found_in(dump, made["passwords"] | typed()) == set()
    assert dump.count(b"$pbkdf2-sha512$") >= 2, "what is there instead are hashes"


@pytest.mark.proves("P-01")
def test_no_password_is_read_by_rpc(planted, odoo_server):
    database, made = planted
    server = odoo_server(database)
    rpc = Rpc(server.url).sign_in(database, "dump.staff", made["passwords"]["staff"])
    user = [made["staff"]]
    assert not rpc.call("res.users", "read", user, ["password"])[0]["password"]
    for domain in ([("password", "=like", "$pbkdf2%")], [("password", "!=", False)]):
        with pytest.raises(RpcError):
            rpc.call("res.users", "search", domain)
    for method, args in (
        ("search_read", [[("id", "=", made["staff"])], ["login", "password", "new_password"]]),
        ("copy_data", [user]),
    ):
        answer = str(rpc.call("res.users", method, *args))
        assert "pbkdf2" not in answer and made["passwords"]["staff"] not in answer


@pytest.mark.proves("P-13")
def test_no_password_of_a_mail_server_is_read_by_rpc(planted, odoo_server):
    database, made = planted
    rpc = Rpc(odoo_server(database).url).sign_in(database, "dump.staff", made["passwords"]["staff"])
    mails = zip(("ir.mail_server", "fetchmail.server"), made["mail"], strict=True)
    for (model, number), name in zip(mails, ("smtp_pass", "password"), strict=True):
        [values] = rpc.call(model, "read", [number], [name])
        assert values[name] == "•" * 8
        with pytest.raises(RpcError):
            rpc.call(model, "action_reveal", [number], name)


@pytest.mark.proves("P-13")
def test_no_secret_is_in_a_dump(planted, dump):
    _database, made = planted
    assert found_in(dump, made["secrets"] | typed()) == set()


@pytest.mark.proves("P-13")
def test_no_secret_is_in_a_file(planted):
    database, made = planted
    folder = Path(environment()["ODOO_DATA_DIR"]) / "filestore" / database
    content = b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert found_in(content, {"plain": PLAIN_IN_FILE}) == {"plain"}
    assert found_in(content, made["secrets"] | made["passwords"] | typed()) == set()


@pytest.mark.proves("P-13")
def test_no_secret_is_in_the_log(planted, log):
    _database, made = planted
    assert b"dump.staff" in log
    assert found_in(log, made["secrets"] | made["passwords"] | typed()) == set()


@pytest.mark.proves("P-08")
def test_the_configuration_of_a_router_is_stored_as_ciphertext(planted, dump):
    database, made = planted
    [(stored,)] = databases.query(
        database, "SELECT content_enc FROM isp_nas_backup WHERE id = %s", [made["backup"]]
    )
    assert stored.startswith("v1:")
    words = {"its secret": made["secrets"]["router backup"], "its words": "ZqGnameInBackupXv"}
    assert found_in(dump, words) == set()
