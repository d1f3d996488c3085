"""The files in deploy/ that an operator copies and no other test installs."""

import configparser
import shutil
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
UNIT = REPO / "deploy/systemd/isp-odoo.service"


def test_odoo_is_started_again_whenever_it_ends(tmp_path):
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(UNIT)
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    program = unit["Service"]["ExecStart"].split()[0]
    assert (REPO / Path(program).relative_to("/opt/isp-suite")).exists()
    if shutil.which("systemd-analyze"):
        # systemd's own opinion, with paths and a user that this machine has.
        text = UNIT.read_text().replace("/opt/isp-suite", str(REPO)).replace("=odoo\n", "=root\n")
        copy = tmp_path / UNIT.name
        copy.write_text(text)
        command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert not result.returncode, result.stderr
        assert copy.name not in result.stderr
