"""Files that only their key opens: AES-256-GCM in chunks, written and read as streams.

The clear text is never on the disk, and never whole in memory. Each file begins with a random salt,
from which and from the key its own key is derived. The nonce of a chunk is its number and whether
it is the last one, so chunks can be neither swapped nor left out, and a file cut short is noticed.
"""

import io
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK_BYTES = 1 << 18

_MAGIC = b"ISPSEAL1"
_KEY_BYTES = 32
_SALT_BYTES = 16
_TAG_BYTES = 16
_HEADER_BYTES = len(_MAGIC) + _SALT_BYTES
_SEALED_BYTES = CHUNK_BYTES + _TAG_BYTES


class SealedFileError(Exception):
    """The file cannot be read: damaged, cut short, altered, or the key is another one."""


def new_key():
    """Return a random key, as hex digits."""
    return secrets.token_hex(_KEY_BYTES)


class SealedWriter:
    """Encrypts what is written to it; nothing can be read before :meth:`finish`.

    :param raw: binary file to write to
    :param key: as :func:`new_key` returns it
    :param purpose: text that has to be given again for reading
    """

    def __init__(self, raw, key, purpose):
        self._raw = raw
        salt = secrets.token_bytes(_SALT_BYTES)
        self._cipher = _cipher(key, salt)
        self._purpose = purpose.encode()
        self._buffer = bytearray()
        self._number = 0
        raw.write(_MAGIC + salt)

    def write(self, data):  # pylint: disable=method-required-super
        """Encrypt each chunk as soon as it is known not to be the last."""
        self._buffer += data
        done = 0
        while len(self._buffer) - done > CHUNK_BYTES:
            self._write_chunk(self._buffer[done : done + CHUNK_BYTES], is_last=False)
            done += CHUNK_BYTES
        del self._buffer[:done]
        return len(data)

    def flush(self):
        """Nothing: an incomplete chunk stays in memory."""

    def finish(self):
        """Write the last chunk, and wait until the disk has all of it."""
        self._write_chunk(self._buffer, is_last=True)
        self._buffer.clear()
        self._raw.flush()
        os.fsync(self._raw.fileno())

    def _write_chunk(self, chunk, is_last):
        nonce = _nonce(self._number, is_last)
        self._raw.write(self._cipher.encrypt(nonce, bytes(chunk), self._purpose))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Reads what a :class:`SealedWriter` wrote, from any place.

    :param path: of the file, which is open as long as the reader is
    :raises SealedFileError: also in the middle, as soon as a chunk is not genuine
    """

    def __init__(self, path, key, purpose):
        super().__init__()
        self._raw = open(path, "rb")  # noqa: SIM115 - closed with the reader
        try:
            self._open(key, purpose)
        except BaseException:
            self.close()
            raise

    def _open(self, key, purpose):
        body = os.fstat(self._raw.fileno()).st_size - _HEADER_BYTES
        header = self._raw.read(_HEADER_BYTES)
        if body < _TAG_BYTES or not header.startswith(_MAGIC):
            raise SealedFileError("not a sealed file")
        self._cipher = _cipher(key, header[len(_MAGIC) :])
        self._purpose = purpose.encode()
        self._count = -(-body // _SEALED_BYTES)
        self.size = body - self._count * _TAG_BYTES
        self._place = 0
        self._number, self._chunk = None, b""
        # A file cut short fails here already, before anything of it was used.
        self._read_chunk(self._count - 1)

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._place

    def seek(self, offset, whence=os.SEEK_SET):
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def read(self, size=-1):
        """Read as much as asked for, across chunks: readers of ZIP files take less for the end."""
        if size is None or size < 0:
            return self.readall()
        pieces = []
        while size and (piece := super().read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def readinto(self, buffer):
        if self._place >= self.size:
            return 0
        number, offset = divmod(self._place, CHUNK_BYTES)
        self._read_chunk(number)
        piece = self._chunk[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def close(self):
        self._raw.close()
        return super().close()

    def _read_chunk(self, number):
        if number == self._number:
            return
        self._raw.seek(_HEADER_BYTES + number * _SEALED_BYTES)
        sealed = self._raw.read(_SEALED_BYTES)
        nonce = _nonce(number, number == self._count - 1)
        try:
            self._chunk = self._cipher.decrypt(nonce, sealed, self._purpose)
        except InvalidTag:
            raise SealedFileError("altered, cut short, or sealed with another key") from None
        self._number = number


def _cipher(key, salt):
    derive = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=_MAGIC)
    return AESGCM(derive.derive(bytes.fromhex(key)))


def _nonce(number, is_last):
    return number.to_bytes(11, "big") + bytes([is_last])
