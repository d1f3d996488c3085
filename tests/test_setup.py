"""The private PostgreSQL cluster and the set-up script: what a crash or a mistake leaves behind."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.cluster import TIMEOUT_S, Cluster
from harness.settings import REPO, environment


def ask(cluster, sql):
    return cluster.bash(f'scripts/pg psql -XAtc "{sql}"').strip()


@pytest.fixture(params=["short path", "path too long for a socket"])
def cluster(request):
    parent = Path(tempfile.mkdtemp(prefix="isp-setup-", dir="/var/tmp"))
    state = parent / "state"
    if request.param != "short path":
        parent.chmod(0o755)
        state = parent / ("long" * 20) / "state"
    made = Cluster(state).create()
    yield made
    made.remove()
    shutil.rmtree(parent)


def test_a_killed_server_does_not_block_the_next_start(cluster):
    cluster.bash("scripts/pg start")
    cluster.bash('scripts/pg psql -c "CREATE DATABASE kept"')
    cluster.kill_postmaster()
    # After a crash the number in the pid file may belong to another program: here, this one.
    lines = cluster.pid_file.read_text().splitlines()
    cluster.pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    cluster.bash("scripts/pg start")

    assert ask(cluster, "SELECT 1 FROM pg_database WHERE datname = 'kept'") == "1"
    cluster.bash("scripts/pg start")  # repeating is harmless
    cluster.bash("scripts/pg stop")
    cluster.bash("scripts/pg stop")


def test_the_cluster_is_private(cluster):
    cluster.bash("scripts/pg start")
    assert ask(cluster, "SHOW listen_addresses") == ""
    assert ask(cluster, "SHOW data_checksums") == "on"
    assert ask(cluster, "SHOW server_encoding") == "UTF8"
    assert ask(cluster, "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
    roles = "SELECT rolname, rolsuper, rolcreatedb, rolconnlimit FROM pg_roles WHERE rolcanlogin"
    assert set(ask(cluster, roles + " AND rolname <> 'postgres'").splitlines()) == {
        "isp|f|t|-1",
        "radius_ro|f|f|40",
    }
    password = cluster.state / "keys/radius_ro.password"
    assert password.stat().st_mode & 0o077 == 0
    owner = (cluster.folder / "pg").stat()
    assert owner.st_uid != 0 and owner.st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("odoo", "sentence"),
    [
        (None, "There is no Odoo in"),
        ("version_info = (18, 0, 0, 'final', 0, '')", "holds Odoo 18.0, and the suite needs 19.0"),
    ],
)
def test_a_wrong_odoo_home_is_told_in_one_sentence(tmp_path, odoo, sentence):
    if odoo:
        (tmp_path / "odoo").mkdir()
        (tmp_path / "odoo/release.py").write_text(odoo)
    result = subprocess.run(
        [REPO / "scripts/bootstrap"],
        env=environment() | {"ODOO_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    assert len(errors) == 1 and sentence in errors[0]
    assert "Traceback" not in result.stderr and "line " not in result.stderr


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("E: Could not resolve 'deb.debian.org'", "No network"),
        ("pip: [Errno 111] Connection refused", "No network"),
        ("dpkg-deb: error: No space left on device", "The disk is full"),
        ("E: Unable to locate package chromium", "A package is not offered"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", "Another package manager is running"),
        ("KeyError: 'isp.import'", "failed: KeyError"),
    ],
)
def test_a_failed_step_is_told_in_one_sentence_with_what_to_do(output, sentence):
    code = '. scripts/lib.sh; work() { echo "$OUTPUT"; false; echo "not reached"; }; step "Some work" work'
    result = subprocess.run(
        ["bash", "-c", code],
        cwd=REPO,
        env=environment() | {"OUTPUT": output},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert result.returncode == 1
    told = result.stderr.split("\n", 1)[1].strip().splitlines()
    assert len(told) == 2 and told[0].startswith("Error: ") and sentence in told[0]
