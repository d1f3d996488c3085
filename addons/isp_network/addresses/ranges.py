"""Ranges of addresses: reading them, and finding what is free in them."""

import ipaddress
import re

from .problem import AddressProblem


def parse_ipv4_range(text):
    """``(first, last)`` of a network, ``first-last`` or a single IPv4 address.

    :raises AddressProblem: when it is none of these, or the last address comes before the first
    """
    words = re.sub(r"\s*[-–]\s*", "-", text.strip()).split("-")
    try:
        if len(words) == 2:
            first, last = map(ipaddress.IPv4Address, words)
        else:
            [word] = words
            network = ipaddress.IPv4Network(word, strict=False)
            if "/" in word and word.split("/")[0] != str(network.network_address):
                raise AddressProblem("host_bits", word)
            first, last = network[0], network[-1]
    except AddressProblem:
        raise
    except ValueError:
        raise AddressProblem("range", text.strip()) from None
    if last < first:
        raise AddressProblem("range_order", text.strip())
    return first, last


def parse_ipv4_ranges(text):
    """Sorted ``[(first, last), …]`` as numbers, from ranges parted by blanks, commas or lines."""
    plain = re.sub(r"\s*[-–]\s*", "-", text or "")
    words = [word for word in re.split(r"[\s,;]+", plain) if word]
    return sorted(tuple(map(int, parse_ipv4_range(word))) for word in words)


def parse_ipv6_network(text):
    """An IPv6 prefix such as ``2001:db8::/40``.

    :raises AddressProblem: without a length, or with bits set behind it
    """
    word = text.strip()
    try:
        network = ipaddress.IPv6Network(word, strict=False)
    except ValueError:
        raise AddressProblem("prefix", word) from None
    if "/" not in word:
        raise AddressProblem("prefix", word)
    if ipaddress.IPv6Address(word.split("/")[0]) != network.network_address:
        raise AddressProblem("host_bits", word)
    return network


def merge(ranges):
    """Sorted ranges without overlap that hold the same numbers as ``ranges``."""
    merged = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def count(ranges):
    """How many numbers the ranges hold."""
    return sum(last - first + 1 for first, last in merge(ranges))


def free_starts(first, last, size, taken):
    """Yield the start of each block of ``size`` in ``[first, last]`` that touches no taken range.

    Blocks lie at multiples of ``size`` from ``first``. The work grows with the taken ranges and
    with what is asked for, not with the width of the range: a /8 costs no more than a /24.

    :param taken: ranges as :func:`merge` returns them
    """
    position = first
    for begin, end in taken:
        while position + size - 1 < begin and position + size - 1 <= last:
            yield position
            position += size
        if end >= position:
            position = first + -(-(end + 1 - first) // size) * size
    while position + size - 1 <= last:
        yield position
        position += size


def covering_prefixes(address, lengths=(*range(32, 65), 128)):
    """The IPv6 networks that hold ``address``: what a session's prefix would have to be.

    Asking for each by equality uses an ordinary index; asking "which prefixes contain it" needs one
    that costs much more to keep. Providers delegate /32 to /64, and 128 is a single address.
    """
    return [ipaddress.IPv6Network((int(address), length), strict=False) for length in lengths]


def normalise_mac(text):
    """A MAC address in any usual notation as ``AA-BB-CC-DD-EE-FF``, None for anything else."""
    word = text.strip()
    digits = re.sub(r"[-:.\s]", "", word).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", digits) or not re.fullmatch(r"[\s0-9a-fA-F:.-]+", word):
        return None
    return "-".join(digits[i : i + 2] for i in range(0, 12, 2))
