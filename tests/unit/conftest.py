"""The engines are plain Python: their tests import them without Odoo, by their own name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons/isp_billing"))
sys.path.append(str(Path(__file__).parents[2] / "addons/isp_base"))
sys.path.append(str(Path(__file__).parents[2] / "addons/isp_network"))
sys.path.append(str(Path(__file__).parents[2] / "addons/isp_payments_bd"))
