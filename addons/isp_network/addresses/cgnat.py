"""Deterministic address translation: which private address uses which public one and which ports.

Private and public networks of a block have the same size and translate bit for bit: the n-th
private address is the n-th public one. So one row, and one pair of rules on the router, serves a
whole network, and the answer to "who was it" is a subtraction.
"""

import ipaddress
from dataclasses import dataclass

LAST_PORT = 65535


@dataclass(frozen=True)
class Block:
    """A private network, the public one it becomes, and the source ports it may use."""

    private: ipaddress.IPv4Network
    public: ipaddress.IPv4Network
    port_first: int
    port_last: int


def sharing(ports_per_block, port_first):
    """How many private addresses share a public one."""
    return max(0, (LAST_PORT + 1 - port_first) // ports_per_block)


def networks(ranges):
    """The networks that ranges of numbers consist of, largest first."""
    found = []
    for first, last in ranges:
        found += ipaddress.summarize_address_range(
            ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
        )
    return sorted(found, key=lambda network: (network.prefixlen, int(network[0])))


def layout(private, public, ports_per_block, port_first):
    """Blocks for all private addresses, and how many of these found none.

    :param private: ranges of numbers, as is ``public``
    :return: ``([Block, …], left_over)``
    """
    free = networks(private)
    blocks = []
    for piece in networks(public):
        for step in range(sharing(ports_per_block, port_first)):
            begin = port_first + step * ports_per_block
            _take(free, piece, begin, begin + ports_per_block - 1, blocks)
    blocks.sort(key=lambda block: int(block.private[0]))
    return blocks, sum(network.num_addresses for network in free)


def _take(free, piece, port_first, port_last, blocks):
    """Give ``piece`` the next private network of its size, or two halves where none is as large."""
    if not free:
        return
    chunk = free[0]
    if chunk.num_addresses < piece.num_addresses:
        for half in piece.subnets(1):
            _take(free, half, port_first, port_last, blocks)
        return
    taken = ipaddress.IPv4Network((int(chunk[0]), piece.prefixlen))
    # What remains is sorted by size, smallest first, so it is used up before the next chunk.
    free[:1] = sorted(chunk.address_exclude(taken), key=lambda network: int(network[0]))
    blocks.append(Block(taken, piece, port_first, port_last))


def translate(address, source, target):
    """``address`` of network ``source`` at the same place in ``target``."""
    return target[int(address) - int(source[0])]


def routeros_commands(blocks, interface_list="WAN"):
    """The NAT rules of a MikroTik as lines for its terminal.

    :param blocks: ``[(id, Block), …]``
    """
    lines = ["/ip firewall nat"]
    for number, block in blocks:
        action = "netmap" if block.private.num_addresses > 1 else "src-nat"
        common = (
            f"add chain=srcnat action={action} src-address={block.private} "
            f"out-interface-list={interface_list} to-addresses={block.public}"
        )
        comment = f'comment="isp:cgnat:{number}"'
        lines += [
            f"{common} protocol={protocol} to-ports={block.port_first}-{block.port_last} {comment}"
            for protocol in ("tcp", "udp")
        ]
        # Ping and tunnels have no ports; they are translated and cannot be told apart later.
        lines.append(f"{common} {comment}")
    return "\n".join(lines) + "\n"
