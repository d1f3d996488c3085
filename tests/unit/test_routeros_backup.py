"""Exports: the same text for the same configuration, and no secret in what people read."""

import pytest
from routeros import backup

EXPORT = """# 2026-11-27 03:10:11 by RouterOS 7.16
# software id = ABCD-EFGH
/ppp secret
add comment="isp:subscription:7" name=karim password=s3cret\\
    Word profile=isp-1 service=pppoe
add name=rahim password="with \\"quotes\\" and = signs" service=pppoe
/radius
add address=10.0.0.2 secret=shared-one service=ppp
/interface wireless security-profiles
set [ find default=yes ] wpa2-pre-shared-key=house-key supplicant-identity=MikroTik
/snmp community
set [ find default=yes ] authentication-password=auth1 encryption-password=enc1
/interface wireguard
add name=wg private-key="abc="
"""


@pytest.mark.proves("P-08")
def test_no_secret_is_left_in_what_people_read():
    masked = backup.mask(EXPORT)
    for secret in ("s3cret", "Word", "quotes", "signs", "shared-one", "house-key", "auth1", "enc1",
                   "abc"):  # fmt: skip
        assert secret not in masked, secret
    for kept in ("name=karim", "profile=isp-1", "address=10.0.0.2", "service=ppp", "/ppp secret"):
        assert kept in masked


def test_the_date_of_an_export_is_no_change():
    later = EXPORT.replace("2026-11-27 03:10:11", "nov/28/2026 03:10:12").replace("\n", "\r\n")
    assert backup.normalise(EXPORT) == backup.normalise(later)
    assert backup.normalise(EXPORT).startswith("# RouterOS 7.16\n")


def test_a_changed_password_shows_as_changed_without_being_shown():
    after = EXPORT.replace("shared-one", "shared-two").replace("name=rahim", "name=rahima")

    def sign(secret):
        return f"({len(secret)}{secret[-3]})"  # anything that differs

    shown = backup.difference(EXPORT, after, sign)
    assert "shared-one" not in shown and "shared-two" not in shown
    assert "-add address=10.0.0.2 secret=***(10o)" in shown
    assert "+add name=rahima" in shown
    assert backup.difference(EXPORT, EXPORT) == ""
