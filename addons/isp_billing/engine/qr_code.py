"""QR codes, quickly: the ``qrcode`` library spends more on one than a whole page costs.

The tables of versions and the fixed patterns are the library's; here are only the two loops that
matter, over numbers instead of objects. A test compares the result with the library's own.
"""

from functools import cache

from qrcode import base, constants, util
from qrcode.main import QRCode

# The code is printed large and clean; more correction would only make it finer.
LEVEL = constants.ERROR_CORRECT_L
# Every mask is valid, and finding the prettiest of eight costs eight codes.
MASK = 2


def make(text):
    """The code of ``text``: its ``size`` in modules, and the dark ones as the strokes of an SVG."""
    payload = text.encode()
    version = _get_version(len(payload))
    rows, order = _get_frame(version)
    rows = [row.copy() for row in rows]
    bits = _get_bits(payload, version)
    for (row, column, is_flipped), bit in zip(order, bits, strict=True):
        rows[row][column] = (bit == "1") != is_flipped
    return {"size": len(rows), "path": "".join(_get_runs(rows))}


@cache
def _get_version(length):
    """The smallest version that holds so many bytes."""
    code = QRCode(error_correction=LEVEL)
    code.add_data(util.QRData(b"\0" * length, mode=util.MODE_8BIT_BYTE))
    return code.best_fit()


@cache
def _get_frame(version):
    """The fixed modules of a version, and the places of the bits in their order.

    A place is ``(row, column, whether the mask flips it)``.
    """
    code = QRCode(version, error_correction=LEVEL, mask_pattern=MASK)
    code.data_cache = []
    code.makeImpl(False, MASK)
    # The library fills what is left with zeros, so a blank shows as the bare mask. Which places
    # those are, a code before the data tells.
    blank = _blank_modules(code, version)
    size = len(code.modules)
    flips = util.mask_func(MASK)
    order, row, step = [], size - 1, -1
    for right in range(size - 1, 0, -2):
        column = right - 1 if right <= 6 else right
        while 0 <= row < size:
            for place in (column, column - 1):
                if blank[row][place] is None:
                    order.append((row, place, flips(row, place)))
            row += step
        step = -step
        row += step
    return code.modules, order


def _blank_modules(code, version):
    """Modules of a version with ``None`` wherever data goes."""
    modules, code.modules = code.modules, [[None] * len(code.modules) for _ in code.modules]
    size = len(modules)
    code.setup_position_probe_pattern(0, 0)
    code.setup_position_probe_pattern(size - 7, 0)
    code.setup_position_probe_pattern(0, size - 7)
    code.setup_position_adjust_pattern()
    code.setup_timing_pattern()
    code.setup_type_info(False, MASK)
    if version >= 7:
        code.setup_type_number(False)
    blank, code.modules = code.modules, modules
    return blank


def _get_bits(payload, version):
    """Data and error correction of ``payload``, as text of zeros and ones."""
    blocks = base.rs_blocks(version, LEVEL)
    capacity = sum(block.data_count for block in blocks)
    length_bits = 8 if version < 10 else 16
    bits = f"0100{len(payload):0{length_bits}b}" + "".join(f"{byte:08b}" for byte in payload)
    bits += "0" * min(4, capacity * 8 - len(bits))
    bits += "0" * (-len(bits) % 8)
    data = [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]
    data += [(0xEC, 0x11)[number % 2] for number in range(capacity - len(data))]
    parts, checks, start = [], [], 0
    for block in blocks:
        part = data[start : start + block.data_count]
        start += block.data_count
        parts.append(part)
        checks.append(_get_checks(part, block.total_count - block.data_count))
    mixed = [*_interleave(parts), *_interleave(checks)]
    text = "".join([f"{byte:08b}" for byte in mixed])
    return text.ljust(len(_get_frame(version)[1]), "0")


def _interleave(parts):
    for index in range(max(map(len, parts))):
        for part in parts:
            if index < len(part):
                yield part[index]


def _get_checks(part, count):
    """The Reed-Solomon remainder of ``part``, as ``count`` bytes."""
    table = _get_remainders(count)
    shift, keep = 8 * (count - 1), (1 << 8 * count) - 1
    remainder = 0
    for byte in part:
        remainder = (remainder << 8 & keep) ^ table[byte ^ remainder >> shift]
    return remainder.to_bytes(count, "big")


@cache
def _get_remainders(count):
    """What each leading byte adds to the remainder, by the generator polynomial of ``count``."""
    generator = base.Polynomial([1], 0)
    for power in range(count):
        generator *= base.Polynomial([1, base.gexp(power)], 0)
    factors = list(generator)[1:]
    table = [0]
    for byte in range(1, 256):
        log = base.glog(byte)
        products = [base.gexp((log + base.glog(factor)) % 255) for factor in factors]
        table.append(int.from_bytes(bytes(products), "big"))
    return table


def _get_runs(rows):
    """One stroke of an SVG path, a module thick, for each run of dark modules."""
    for y, row in enumerate(rows):
        text = "".join(["1" if dark else "0" for dark in row])
        start = text.find("1")
        while start >= 0:
            end = text.find("0", start)
            end = len(row) if end < 0 else end
            yield f"M{start} {y}.5h{end - start}"
            start = text.find("1", end)
