"""The router in memory of addons/isp_network/tests, for plain Python."""

import importlib.util
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "addons/isp_network"))

from routeros import connection, errors

_PATH = Path(__file__).parents[2] / "addons/isp_network/tests/fake_router.py"
_SPEC = importlib.util.spec_from_file_location("fake_router", _PATH)
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)


def fake_router(version="7.16"):
    return _MODULE.FakeRouter(connection, errors, version)
