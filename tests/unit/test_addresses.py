"""Ranges, free addresses, port blocks and moments: what the address models reckon with."""

import ipaddress
import random
import sys
from datetime import datetime

import pytest

from harness.settings import ADDONS

sys.path.insert(0, str(ADDONS / "isp_network"))

from addresses import cgnat, moment, ranges
from addresses.problem import AddressProblem


def numbers(text):
    return ranges.parse_ipv4_ranges(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("103.10.0.0/24", "103.10.0.0", "103.10.0.255"),
        (" 103.10.0.5 - 103.10.0.9 ", "103.10.0.5", "103.10.0.9"),
        ("103.10.0.5–103.10.0.9", "103.10.0.5", "103.10.0.9"),
        ("103.10.0.5", "103.10.0.5", "103.10.0.5"),
    ],
)
def test_a_range_is_read(text, first, last):
    assert tuple(map(str, ranges.parse_ipv4_range(text))) == (first, last)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "range"),
        ("103.10.0.300", "range"),
        ("2001:db8::/32", "range"),
        ("103.10.0.1-103.10.0.2-103.10.0.3", "range"),
        ("103.10.0.1/24", "host_bits"),
        ("103.10.0.9-103.10.0.5", "range_order"),
    ],
)
def test_what_is_no_range_is_refused_with_its_reason(text, code):
    with pytest.raises(AddressProblem) as caught:
        ranges.parse_ipv4_range(text)
    assert caught.value.code == code


def test_several_ranges_are_merged_and_counted():
    found = numbers("10.0.0.0/30, 10.0.0.4-10.0.0.5\n10.0.0.5 10.0.1.0")
    assert ranges.merge(found) == [(167772160, 167772165), (167772416, 167772416)]
    assert ranges.count(found) == 7


@pytest.mark.parametrize(
    ("text", "code"),
    [("2001:db8::", "prefix"), ("10.0.0.0/8", "prefix"), ("2001:db8::1/40", "host_bits")],
)
def test_a_prefix_needs_its_length_and_nothing_behind_it(text, code):
    with pytest.raises(AddressProblem) as caught:
        ranges.parse_ipv6_network(text)
    assert caught.value.code == code


def test_free_blocks_are_exactly_those_that_touch_nothing_taken():
    dice = random.Random(7)
    for _round in range(300):
        size = dice.choice([1, 1, 2, 4, 8])
        first = dice.randrange(50)
        last = first + dice.randrange(80)
        taken = ranges.merge(
            (begin, begin + dice.randrange(12))
            for begin in (dice.randrange(-10, 140) for _one in range(dice.randrange(9)))
        )
        expected = [
            start
            for start in range(first, last - size + 2, size)
            if not any(begin <= start + size - 1 and end >= start for begin, end in taken)
        ]
        assert list(ranges.free_starts(first, last, size, taken)) == expected


def test_the_first_free_address_of_a_huge_range_is_found_at_once():
    assert next(ranges.free_starts(0, 2**128, 2**72, [(0, 2**100)])) > 2**100


def test_covering_prefixes_hold_the_address():
    address = ipaddress.IPv6Address("2001:db8:12:3456::7")
    found = ranges.covering_prefixes(address)
    assert ipaddress.IPv6Network("2001:db8:12:3400::/56") in found
    assert ipaddress.IPv6Network("2001:db8:12:3456::7/128") in found
    assert all(address in network for network in found)


@pytest.mark.parametrize(
    "text", ["aa:bb:cc:dd:ee:ff", "AABB.CCDD.EEFF", "aa-bb-cc-dd-ee-ff", "aabbccddeeff"]
)
def test_a_device_is_known_in_any_notation(text):
    assert ranges.normalise_mac(text) == "AA-BB-CC-DD-EE-FF"


@pytest.mark.parametrize("text", ["aabbccddeef", "gg:bb:cc:dd:ee:ff", "01711000001", ""])
def test_other_texts_are_no_device(text):
    assert ranges.normalise_mac(text) is None


# === CGNAT === #


def test_one_public_address_serves_32_private_ones():
    blocks, left_over = cgnat.layout(
        numbers("100.64.0.0/27"), numbers("203.0.113.9"), ports_per_block=2016, port_first=1024
    )
    assert left_over == 0
    assert len(blocks) == 32
    assert blocks[0] == cgnat.Block(
        ipaddress.IPv4Network("100.64.0.0/32"), ipaddress.IPv4Network("203.0.113.9/32"), 1024, 3039
    )
    assert blocks[-1].port_last == 65535


def test_a_network_needs_one_rule_a_block_not_one_an_address():
    blocks, left_over = cgnat.layout(
        numbers("100.64.0.0/19"), numbers("203.0.113.0/24"), ports_per_block=2016, port_first=1024
    )
    assert (len(blocks), left_over) == (32, 0)
    assert {block.private.prefixlen for block in blocks} == {24}


@pytest.mark.parametrize(
    ("private", "public"),
    [
        ("100.64.0.0/22", "203.0.113.0/27"),
        ("100.64.0.0/24, 100.65.0.0-100.65.2.17", "203.0.113.3-203.0.113.61"),
        ("100.64.0.1-100.64.1.254", "203.0.113.1-203.0.113.17, 198.51.100.8/30"),
    ],
)
def test_every_private_address_has_one_block_and_no_two_share_a_port(private, public):
    blocks, left_over = cgnat.layout(
        numbers(private), numbers(public), ports_per_block=2016, port_first=1024
    )
    assert left_over == 0
    seen, ports = [], set()
    for block in blocks:
        assert block.private.num_addresses == block.public.num_addresses
        for address in block.private:
            seen.append(int(address))
            outside = cgnat.translate(address, block.private, block.public)
            assert cgnat.translate(outside, block.public, block.private) == address
            assert (outside, block.port_first) not in ports
            ports.add((outside, block.port_first))
    wanted = [n for first, last in numbers(private) for n in range(first, last + 1)]
    assert sorted(seen) == wanted
    public_numbers = {n for first, last in numbers(public) for n in range(first, last + 1)}
    assert {int(outside) for outside, _port in ports} <= public_numbers


def test_too_few_public_addresses_are_said():
    _blocks, left_over = cgnat.layout(
        numbers("100.64.0.0/24"), numbers("203.0.113.1"), ports_per_block=2016, port_first=1024
    )
    assert left_over == 256 - 32


def test_router_commands_name_network_ports_and_block():
    block = cgnat.Block(
        ipaddress.IPv4Network("100.64.0.0/24"), ipaddress.IPv4Network("203.0.113.0/24"), 1024, 3039
    )
    lines = cgnat.routeros_commands([(7, block)]).splitlines()
    assert lines[0] == "/ip firewall nat"
    assert lines[1] == (
        "add chain=srcnat action=netmap src-address=100.64.0.0/24 out-interface-list=WAN "
        'to-addresses=203.0.113.0/24 protocol=tcp to-ports=1024-3039 comment="isp:cgnat:7"'
    )
    assert "protocol=udp" in lines[2]
    assert "protocol" not in lines[3]


# === MOMENTS === #


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-03 21:14:05", "Asia/Dhaka", datetime(2026, 11, 3, 15, 14, 5)),
        ("2026-11-03 21:14:05", "Asia/Kolkata", datetime(2026, 11, 3, 15, 44, 5)),
        ("2026-11-03T21:14:05Z", "Asia/Dhaka", datetime(2026, 11, 3, 21, 14, 5)),
        ("2026-11-03 21:14:05+05:30", "Asia/Dhaka", datetime(2026, 11, 3, 15, 44, 5)),
    ],
)
def test_a_moment_is_read_in_its_zone(text, zone, expected):
    assert moment.parse_moment(text, zone) == expected


@pytest.mark.parametrize(
    ("text", "zone", "code"),
    [
        ("yesterday", "Asia/Dhaka", "moment"),
        ("2026-11-03", "Asia/Dhaka", "moment"),
        ("2026-13-03 10:00:00", "Asia/Dhaka", "moment"),
        ("2026-11-03 10:00:00", "Mars/Base", "zone"),
        ("2026-10-25 02:30:00", "Europe/Berlin", "moment_twice"),
        ("2026-03-29 02:30:00", "Europe/Berlin", "moment_twice"),
    ],
)
def test_a_moment_that_names_nobody_for_sure_is_refused(text, zone, code):
    with pytest.raises(AddressProblem) as caught:
        moment.parse_moment(text, zone)
    assert caught.value.code == code
