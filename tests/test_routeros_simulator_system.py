"""The RouterOS simulator as a whole router: versions, export and files, sessions, reboot."""

import time

import pytest
from librouteros.exceptions import ConnectionClosed, TrapError

from simulators.routeros_clients import SECRETS, connect

# === VERSIONS === #


def test_differences_between_versions(new_router):
    old, new = connect(new_router(version="6.49.10")), connect(new_router(version="7.16"))
    assert set(next(old("/system/health/print"))) == {"voltage", "temperature"}
    assert {row["name"] for row in new("/system/health/print")} == {"voltage", "temperature"}
    assert next(old("/system/clock/print"))["date"][3] == "/"
    assert next(new("/system/clock/print"))["date"][4] == "-"
    assert next(old("/system/resource/print"))["version"] == "6.49.10 (long-term)"
    assert next(new("/system/resource/print"))["version"] == "7.16 (stable)"
    assert next(old("/system/package/print"))["version"] == "6.49.10"
    old.path(SECRETS).add(name="ram")
    assert "ipv6-routes" not in next(iter(old.path(SECRETS)))
    with pytest.raises(TrapError) as error:
        old.path(SECRETS).add(name="x", speed="1M")
    assert error.value.message == "unknown parameter"
    with pytest.raises(TrapError) as error:
        old.path(SECRETS).remove("*FF")
    assert error.value.message == "no such item"


# === BACKUP === #


def export_of(api, options=""):
    return next(api("/execute", script=f"/export {options}", **{"as-string": ""}))["ret"]


def test_export_over_the_api(router):
    api = connect(router)
    api.path(SECRETS).add(name="ram", password='a "b" $c', comment="house 7")
    text = export_of(api, "show-sensitive")
    joined = text.replace(" \\\r\n    ", " ")
    assert text.startswith("# 20") and "by RouterOS 7.16\r\n" in text
    assert '/ppp secret\r\nadd name=ram password="a \\"b\\" \\$c" comment="house 7"\r\n' in joined
    assert all(len(line) <= 80 for line in text.split("\r\n"))
    assert "default-encryption" not in text, "nothing that every router has"
    assert "password" not in export_of(api)
    assert list(api("/export")) == []


def test_what_an_export_hides(new_router):
    old = new_router(version="6.49.10")
    old.load_secrets(1)
    old.faults.file_delay_s = 0
    old.add_user("viewer", "v", ["api", "read", "ftp"])
    for user, options, shown in (
        ("isp", {}, True),
        ("isp", {"hide-sensitive": ""}, False),
        ("viewer", {}, False),
    ):
        tuple(
            connect(old, user, "v" if user == "viewer" else "secret")(
                "/export", file="x", **options
            )
        )
        row = next(connect(old)("/file/print"))
        assert row["name"] == "x.rsc"
        assert ("pw-000000" in row["contents"]) is shown
    with pytest.raises(TrapError):
        export_of(connect(old))


def test_a_long_export_is_cut_off_and_read_from_its_file_in_chunks(router):
    router.load_secrets(2000, comment="x" * 40)
    api = connect(router)
    whole = router.export()
    text = export_of(api, "show-sensitive")
    assert len(text) == 65536 < len(whole), "nobody says that it was cut off"
    tuple(api("/execute", script="/export show-sensitive file=night"))
    row = next(api("/file/print"))
    assert row["name"] == "night.rsc" and row["size"] == 0, "the name comes before the contents"
    time.sleep(0.15)
    row = next(api("/file/print"))
    assert row["size"] == len(whole) and "contents" not in row
    parts, offset = [], 0
    while chunk := next(
        api("/file/read", file="night.rsc", offset=offset, **{"chunk-size": "32768"})
    )["data"]:
        parts.append(chunk)
        offset += len(chunk)
    assert len(parts) == 1 + len(whole) // 32768
    assert "".join(parts).split("\r\n", 1)[1] == whole.split("\r\n", 1)[1]
    api.path("/file").remove("night.rsc")
    with pytest.raises(TrapError):
        tuple(api("/file/read", file="night.rsc"))


def test_a_binary_backup_is_a_file_without_readable_contents(router):
    api = connect(router)
    router.faults.file_delay_s = 0
    tuple(api("/system/backup/save", name="night", password="p"))
    row = next(api("/file/print"))
    assert (row["name"], row["type"]) == ("night.backup", "backup") and row["size"] > 100
    assert "contents" not in row


# === SESSIONS AND REBOOT === #


def test_a_session_comes_and_is_kicked(router):
    router.load_secrets(2, **{"profile": "gold"})
    router.tree["/ip/pool"].append({"name": "p", "ranges": "10.5.0.2-10.5.0.3"})
    router.tree["/ppp/profile"].append(
        {"name": "gold", "remote-address": "p", "rate-limit": "2M/4M"}
    )
    assert router.connect_subscriber("nobody") is None
    router.connect_subscriber("user0")
    router.connect_subscriber("user1")
    api = connect(router)
    rows = list(api("/ppp/active/print"))
    assert [row["address"] for row in rows] == ["10.5.0.2", "10.5.0.3"]
    assert rows[0]["uptime"] == "0s"
    assert len(list(api("/ip/pool/used/print"))) == 2
    assert "<pppoe-user0>" in {row["name"] for row in api("/interface/print")}
    api.path("/ppp/active").remove(rows[0][".id"])
    assert [row["name"] for row in router.tree["/ppp/active"]] == ["user1"]
    assert [row["name"] for row in router.tree["/queue/simple"]] == ["<pppoe-user1>"]
    assert [row["address"] for row in router.tree["/ip/pool/used"]] == ["10.5.0.3"]
    assert router.tree[SECRETS][0]["last-disconnect-reason"] == "admin-reset"


def test_a_reboot_forgets_sessions_and_keeps_the_configuration(router):
    router.load_secrets(3)
    router.connect_subscriber("user0")
    api = connect(router)
    api.path("/ip/firewall/address-list").add(list="a", address="10.0.0.1", timeout="1h")
    api.path("/ip/firewall/address-list").add(list="a", address="10.0.0.2")
    assert tuple(api("/system/reboot")) == ()
    with pytest.raises((ConnectionClosed, OSError)):
        list(api.path(SECRETS))
    api = connect(router)
    assert not list(api("/ppp/active/print"))
    assert [row["address"] for row in api("/ip/firewall/address-list/print")] == ["10.0.0.2"]
    assert len(list(api.path(SECRETS))) == 3
    assert next(api("/system/resource/print"))["uptime"] == "0s"


def test_a_reboot_without_a_time_server_is_in_1970(router):
    router.reboot(clock_1970=True)
    clock = next(connect(router)("/system/clock/print"))
    assert clock["date"] == "1970-01-02"
