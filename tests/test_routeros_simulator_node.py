"""The RouterOS simulator and a client that is not ours: node-routeros; and started by hand."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import librouteros
import pytest

from harness import settings
from simulators.routeros_clients import SECRETS

NODE = Path(__file__).parent / "simulators/node"

# === A CLIENT THAT IS NOT OURS === #


@pytest.fixture(scope="session")
def node_modules():
    """Folder with node-routeros as locked in tests/simulators/node, installed when it changes."""
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node and npm, "node or npm is missing: run scripts/bootstrap"
    folder = Path(settings.environment()["STATE"]) / "cache/node"
    lock = (NODE / "package-lock.json").read_bytes()
    stamp = folder / "installed"
    wanted = hashlib.sha256(lock).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE / name, folder)
        result = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", folder / "cache"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert result.returncode == 0, f"npm could not install node-routeros: {result.stderr}"
        stamp.write_text(wanted)
    return folder / "node_modules"


def test_the_lock_pins_and_names_no_registry():
    lock = json.loads((NODE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert "node_modules/node-routeros" in packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())


@pytest.mark.parametrize("version", ["6.42.12", "6.49.10", "7.16"])
def test_node_routeros(new_router, node_modules, version):
    router = new_router(version=version)
    router.load_secrets(120)
    router.faults.jitter_s = 0.02
    result = subprocess.run(
        ["node", NODE / "client.js", node_modules, "127.0.0.1", str(router.port), "isp", "secret"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    assert seen["wrong_password"]
    assert seen["loaded"] == seen["left"] == 120
    assert seen["added"] == [{"ret": "*79"}]
    row = seen["row"]
    assert (row["password"], row["comment"], row["disabled"]) == ("p=q w", "house 7", "true")
    assert seen["or"] == [{"name": "user0"}, {"name": "user1"}]
    assert seen["in_flight"] == [f"user{number}" for number in range(50)]
    assert seen["listened"]["comment"].startswith("heard ")
    gone = "no such item (4)" if version.startswith("7") else "no such item"
    assert seen["errors"] == [
        "failure: secret with the same name already exists",
        "input does not match any value of profile",
        gone,
    ]
    assert router.violations == []


# === BY HAND === #


def test_started_by_hand():
    program = [settings.environment()["VENV"] + "/bin/python", NODE.parent / "routeros"]
    process = subprocess.Popen(
        [*program, "--port", "0", "--secrets", "3"], stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        api = librouteros.connect("127.0.0.1", "isp", "secret", port=port, timeout=5)
        assert len(list(api.path(SECRETS))) == 3
        api.close()
    finally:
        process.terminate()
        process.wait(10)
    assert process.returncode == 0
