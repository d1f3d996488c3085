"""A bar chart as numbers for an SVG: no ORM, no drawing library.

Measures are in units of the picture, which grows and shrinks with the screen.
"""

from dataclasses import dataclass

# On a phone it is shown at three quarters, so its text of 16 is still read.
WIDTH, HEIGHT = 480, 280
LEFT, RIGHT, TOP, BOTTOM = 68, 26, 12, 36
LABEL_WIDTH = 64
UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Bar:
    """One moment: download below, upload on top of it."""

    label: str
    x: float
    width: float
    download_y: float
    download_height: float
    upload_y: float
    upload_height: float
    is_labelled: bool


@dataclass(frozen=True)
class Line:
    """A line of the scale, with its text."""

    y: float
    value: float
    unit: str


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def unit_of(octets: float) -> tuple[int, str]:
    """``(factor, name)`` of the decimal unit to write ``octets`` in."""
    for factor, name in UNITS:
        if octets >= factor:
            return factor, name
    return UNITS[-1]


def spell(writer, octets: int) -> str:
    """``octets`` in the decimal unit that suits them.

    :param writer: writes numbers in its language, like :class:`Writer` of the billing engine
    """
    factor, unit = unit_of(octets)
    return f"{writer.number(octets / factor, 1 if factor > 1 else 0)} {unit}"


def scale(highest: float, parts: int = 4) -> float:
    """A round number not below ``highest``, which divides into ``parts`` round steps."""
    if highest <= 0:
        return float(parts)
    step = highest / parts
    power = 1.0
    while power * 10 <= step:
        power *= 10
    while power > step:
        power /= 10
    return next(power * factor for factor in STEPS if power * factor >= step * 0.999999) * parts


def draw(rows: list[tuple[str, int, int]]) -> Chart:
    """The chart of ``rows`` of ``(label, upload, download)`` in octets."""
    highest = max((upload + download for _label, upload, download in rows), default=0)
    top = scale(highest)
    factor, unit = unit_of(top)
    room = HEIGHT - TOP - BOTTOM
    pitch = (WIDTH - LEFT - RIGHT) / max(len(rows), 1)
    every = max(1, -(-LABEL_WIDTH // int(pitch)) if pitch >= 1 else len(rows))
    floor = HEIGHT - BOTTOM
    bars = []
    for number, (label, upload, download) in enumerate(rows):
        down = room * download / top
        up = room * upload / top
        bars.append(
            Bar(
                label=label,
                x=round(LEFT + number * pitch + pitch * 0.1, 2),
                width=round(pitch * 0.8, 2),
                download_y=round(floor - down, 2),
                download_height=round(down, 2),
                upload_y=round(floor - down - up, 2),
                upload_height=round(up, 2),
                is_labelled=(len(rows) - 1 - number) % every == 0,
            )
        )
    lines = tuple(
        Line(round(floor - room * part / 4, 2), top * part / 4 / factor, unit) for part in range(5)
    )
    return Chart(tuple(bars), lines)
