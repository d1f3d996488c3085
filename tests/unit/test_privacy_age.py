"""engine/age.py of isp_privacy: coming of age."""

import importlib.util
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "addons/isp_privacy/engine/age.py"


def load_source():
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location("isp_privacy_age", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


age = load_source()


@pytest.mark.parametrize(
    "born, years, expected",
    [
        (date(2009, 3, 10), 18, date(2027, 3, 10)),
        (date(2008, 2, 29), 18, date(2026, 3, 1)),
        (date(2008, 2, 29), 16, date(2024, 2, 29)),
        (date(2012, 2, 29), 88, date(2100, 3, 1)),
        (date(2008, 12, 31), 18, date(2026, 12, 31)),
    ],
)
def test_the_day_before_is_a_minor_and_the_day_is_not(born, years, expected):
    assert age.of_age_on(born, years) == expected
    assert not age.is_of_age(born, years, expected - timedelta(days=1))
    assert age.is_of_age(born, years, expected)
