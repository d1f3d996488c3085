"""The menus of queues."""

from .errors import Trap
from .schema import (
    COMMENT,
    DISABLED,
    DYNAMIC,
    NAME,
    NAMED,
    ORDERED,
    ROWS,
    Menu,
    Property,
    Unique,
    printed,
)
from .values import (
    duration,
    number,
    one_of,
    pair,
    queue_target,
    rate,
    reference,
    text,
)

SAME_NAME = "failure: already have such name"


def check_limits(values):
    """A simple queue guarantees no more than it allows."""
    limits = zip(values["limit-at"].split("/"), values["max-limit"].split("/"), strict=True)
    for direction, (least, most) in zip(("upload", "download"), limits, strict=True):
        if 0 < int(most) < int(least):
            raise Trap(f"failure: {direction}-max-limit less than {direction}-limit")


QUEUE = {
    "/queue/simple": Menu(
        {
            "name": NAME,
            "target": Property(queue_target, ""),
            "dst": Property(text),
            "parent": Property(reference("/queue/simple", "none"), "none"),
            "packet-marks": Property(text, ""),
            "priority": Property(pair(number(1, 8)), "8/8"),
            "queue": Property(pair(reference("/queue/type")), "default-small/default-small"),
            "limit-at": Property(pair(rate), "0/0"),
            "max-limit": Property(pair(rate), "0/0"),
            "burst-limit": Property(pair(rate), "0/0"),
            "burst-threshold": Property(pair(rate), "0/0"),
            "burst-time": Property(pair(duration), "0s/0s"),
            "bucket-size": Property(text, "0.1/0.1"),
            "rate": printed("0/0"),
            "bytes": printed("0/0"),
            "packets": printed("0/0"),
            "dropped": printed("0/0"),
            "invalid": printed("false"),
            "dynamic": DYNAMIC,
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("name",), SAME_NAME),),
        commands=ORDERED | {"reset-counters"},
        check=check_limits,
    ),
    "/queue/tree": Menu(
        {
            "name": NAME,
            "parent": Property(text, required=True),
            "packet-mark": Property(text, ""),
            "limit-at": Property(rate, "0"),
            "queue": Property(reference("/queue/type"), "default-small"),
            "priority": Property(number(1, 8), "8"),
            "max-limit": Property(rate, "0"),
            "burst-limit": Property(rate, "0"),
            "burst-threshold": Property(rate, "0"),
            "burst-time": Property(duration, "0s"),
            "rate": printed("0"),
            "bytes": printed("0"),
            "invalid": printed("false"),
            "disabled": DISABLED,
            "comment": COMMENT,
        },
        unique=(Unique(("name",), SAME_NAME),),
        commands=NAMED | {"reset-counters"},
    ),
    "/queue/type": Menu(
        {
            "name": NAME,
            "kind": Property(
                one_of(
                    "pfifo", "bfifo", "red", "sfq", "pcq", "mq-pfifo", "none", "fq-codel", "cake"
                ),
                required=True,
            ),
            "pcq-rate": Property(rate),
            "pcq-limit": Property(text),
            "pcq-classifier": Property(text),
            "default": printed("false"),
        },
        unique=(Unique(("name",), SAME_NAME),),
        commands=ROWS,
        first=(
            {"name": "default", "kind": "pfifo", "default": "true"},
            {"name": "ethernet-default", "kind": "pfifo", "default": "true"},
            {"name": "default-small", "kind": "pfifo", "default": "true"},
        ),
    ),
}
