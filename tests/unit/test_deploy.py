"""The files in deploy/ that an operator copies and no other test installs."""

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
UNIT = REPO / "deploy/systemd/isp-odoo.service"


def read(path):
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(path)
    return unit


def verify(paths, folder):
    """Ask systemd for its opinion, with paths and a user that this machine has."""
    if not shutil.which("systemd-analyze"):
        return
    copies = []
    for path in paths:
        text = path.read_text().replace("/opt/isp-suite", str(REPO)).replace("=odoo\n", "=root\n")
        copies.append(folder / path.name)
        copies[-1].write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, copies)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert not result.returncode, result.stderr
    for copy in copies:
        assert copy.name not in result.stderr


def test_odoo_is_started_again_whenever_it_ends(tmp_path):
    unit = read(UNIT)
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    program = unit["Service"]["ExecStart"].split()[0]
    assert (REPO / Path(program).relative_to("/opt/isp-suite")).exists()
    verify([UNIT], tmp_path)


@pytest.mark.proves("P-16")
def test_backups_are_made_by_themselves(tmp_path):
    """Daily, weekly in full, files hourly; a drill monthly; and what fails reaches a person."""
    timers = {}
    for path in UNIT.parent.glob("*.timer"):
        timer = read(path)
        timers[timer["Timer"]["Unit"]] = timer["Timer"]["OnCalendar"]
    assert timers == {
        "isp-backup@full.service": "Sun 01:15",
        "isp-backup@diff.service": "Mon..Sat 01:15",
        "isp-backup@files.service": "*:40",
        "isp-backup@check.service": "*:0/15",
        "isp-backup@verify.service": "Sun 04:15",
        "isp-restore-drill.service": "*-*-01 05:15",
    }
    for name in ("isp-backup@.service", "isp-restore-drill.service"):
        unit = read(UNIT.parent / name)
        assert unit["Unit"]["OnFailure"] == "isp-alarm@%n.service"
        program = REPO / Path(unit["Service"]["ExecStart"].split()[0]).relative_to("/opt/isp-suite")
        assert os.access(program, os.X_OK)
    units = [UNIT.parent / name for name in ("isp-restore-drill.service", "isp-backup@.service")]
    verify([*units, *UNIT.parent.glob("*.timer"), UNIT.parent / "isp-alarm@.service"], tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PGBACKREST_CONFIG", REPO / "deploy/backup/pgbackrest.conf", "repo1-cipher-pass"),
        ("LEDGER_DIR", "/var/lib/isp-suite/data/ledger", "LEDGER_DIR lies in DATA_DIR"),
    ],
)
def test_backups_do_not_begin_with_what_makes_them_worthless(tmp_path, name, value, words):
    settings = (REPO / "deploy/backup/backup.conf").read_text() + f"{name}={value}\n"
    (tmp_path / "backup.conf").write_text(settings)
    result = subprocess.run(
        [REPO / "deploy/backup/isp-backup", "setup"],
        env=os.environ | {"ISP_BACKUP_CONF": str(tmp_path / "backup.conf")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert words in result.stderr


def test_the_alarm_reaches_who_is_named(tmp_path):
    settings = (REPO / "deploy/backup/backup.conf").read_text()
    settings = settings.replace('"/usr/sbin/sendmail root"', f'"cat >{tmp_path}/mail"')
    (tmp_path / "backup.conf").write_text(settings)
    (tmp_path / "journalctl").write_text('#!/bin/sh\necho "its log: $*"\n')
    (tmp_path / "journalctl").chmod(0o755)
    env = os.environ | {"ISP_BACKUP_CONF": str(tmp_path / "backup.conf")}
    env["PATH"] = f"{tmp_path}:{env['PATH']}"
    subprocess.run(
        [REPO / "deploy/backup/isp-alarm", "isp-backup@full.service"],
        env=env,
        check=True,
        timeout=60,
    )
    mail = (tmp_path / "mail").read_text()
    assert mail.startswith("Subject: isp-backup@full.service failed on ")
    assert "its log: " in mail and "--unit=isp-backup@full.service" in mail
