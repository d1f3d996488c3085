"""The engines are plain Python: their tests import them without Odoo, by their own name."""

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons/isp_billing"))
sys.path.append(str(Path(__file__).parents[2] / "addons/isp_base"))
sys.path.append(str(Path(__file__).parents[2] / "addons/isp_network"))
sys.path.append(str(Path(__file__).parents[2] / "addons/isp_payments_bd"))


def _import_folder(name, folder):
    """Import a package under a name of its own: there is an ``engine`` already."""
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


_MESSAGING = Path(__file__).parents[2] / "addons/isp_messaging"
_import_folder("messaging_engine", _MESSAGING / "engine")
_import_folder("sms_gateways", _MESSAGING / "gateways")
