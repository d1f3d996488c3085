"""The chart of usage: nothing is cut off, labels do not run into each other, sizes in words."""

import importlib.util
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "addons/isp_network/usage/usage_chart.py"
spec = importlib.util.spec_from_file_location("isp_usage_chart", PATH)
usage_chart = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = usage_chart
spec.loader.exec_module(usage_chart)

# Widest signs of a text of 16, as browsers set it.
SIGN = 9


@pytest.mark.parametrize(
    ("count", "label"), [(24, "23"), (30, "27 Nov"), (12, "Sept 26"), (1, "27 Nov"), (31, "২৭ নভে")]
)
def test_labels_are_whole_and_apart(count, label):
    chart = usage_chart.draw([(label, 1, 2)] * count)
    middles = [bar.x + bar.width / 2 for bar in chart.bars if bar.is_labelled]
    half = len(label) * SIGN / 2
    assert middles
    assert middles[-1] == chart.bars[-1].x + chart.bars[-1].width / 2, "the latest has its label"
    assert min(middles) - half >= 0
    # A label may reach into the margin, and a little less than a sign over it.
    assert max(middles) + half <= chart.width + SIGN / 2
    gaps = [right - left for left, right in zip(middles, middles[1:], strict=False)]
    assert all(gap >= 2 * half - SIGN for gap in gaps), gaps


def test_bars_stand_on_the_floor_and_below_the_top():
    chart = usage_chart.draw([("a", 10**9, 3 * 10**9), ("b", 0, 0)])
    bar = chart.bars[0]
    assert bar.download_y + bar.download_height == pytest.approx(chart.floor)
    assert bar.upload_y + bar.upload_height == pytest.approx(bar.download_y)
    assert bar.upload_y >= usage_chart.TOP
    assert chart.bars[1].download_height == 0
    assert usage_chart.draw([]).bars == ()


class Plain:
    """Writes numbers as Python does."""

    def number(self, value, decimals):
        return f"{value:.{decimals}f}"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (10**9, "1.0 GB"),
        (2_640_000_000_000, "2.6 TB"),
    ],
)
def test_sizes_in_words(octets, text):
    assert usage_chart.spell(Plain(), octets) == text
