"""The wire format of the RouterOS API: words with a length before them, sentences of words.

Written from MikroTik's manual and shared with no client on purpose: a mistake here must not be
hidden by the same mistake in what is tested.
"""

LONGEST_WORD = 64 * 1024 * 1024  # nobody sends more; a wrong length must not eat the memory


class ProtocolViolation(Exception):
    """The client sent what no client may send; the router hangs up."""


def encode_length(length):
    """Length of a word in the shortest of the five forms (1 to 5 bytes)."""
    if length < 0x80:
        return length.to_bytes(1, "big")
    if length < 0x4000:
        return (length | 0x8000).to_bytes(2, "big")
    if length < 0x200000:
        return (length | 0xC00000).to_bytes(3, "big")
    if length < 0x10000000:
        return (length | 0xE0000000).to_bytes(4, "big")
    return b"\xf0" + length.to_bytes(4, "big")


def encode_word(word):
    """One word, text or bytes, with its length."""
    raw = word if isinstance(word, bytes) else word.encode()
    return encode_length(len(raw)) + raw


def encode_sentence(*words):
    """Words and the empty word that ends them."""
    return b"".join(map(encode_word, words)) + b"\0"


def encode_attributes(pairs):
    """``=name=value`` words of (name, value) pairs, not ended: a tag may follow."""
    parts = []
    for name, value in pairs:
        raw = f"={name}={value}".encode("utf-8", "surrogateescape")
        size = len(raw)
        parts.append((bytes((size,)) if size < 0x80 else encode_length(size)) + raw)
    return b"".join(parts)


def read_length(data, start):
    """Return (length of the word, where it begins), or None while bytes are missing.

    Raises ProtocolViolation for the reserved first bytes (0xF1 to 0xFF; MikroTik reserves 0xF8
    and above, and 0xF1 to 0xF7 encode nothing).
    """
    if start >= len(data):
        return None
    first = data[start]
    if first < 0x80:
        return first, start + 1
    if first > 0xF0:
        raise ProtocolViolation(f"reserved control byte 0x{first:02X}")
    if first == 0xF0:
        extra, mask = 4, 0
    elif first >= 0xE0:
        extra, mask = 3, 0x1F
    elif first >= 0xC0:
        extra, mask = 2, 0x3F
    else:
        extra, mask = 1, 0x7F
    begin = start + 1 + extra
    if begin > len(data):
        return None
    length = ((first & mask) << 8 * extra) | int.from_bytes(data[start + 1 : begin], "big")
    if length > LONGEST_WORD:
        raise ProtocolViolation(f"word of {length} bytes")
    return length, begin


class Decoder:
    """Cuts a byte stream that arrives in any pieces into sentences (lists of bytes)."""

    def __init__(self):
        self._data = bytearray()
        self._words = []

    def feed(self, data):
        """Add bytes and return the sentences that are complete now; empty ones are left out."""
        self._data += data
        buffer, position, sentences = self._data, 0, []
        while (found := read_length(buffer, position)) is not None:
            length, begin = found
            if begin + length > len(buffer):
                break
            position = begin + length
            if length:
                self._words.append(bytes(buffer[begin:position]))
            elif self._words:
                sentences.append(self._words)
                self._words = []
        del buffer[:position]
        return sentences


def split_words(data):
    """Yield (start, begin, end) of each word in encoded sentences: length, content, end."""
    position = 0
    while (found := read_length(data, position)) is not None:
        length, begin = found
        yield position, begin, begin + length
        position = begin + length
