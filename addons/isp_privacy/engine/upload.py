"""Files that people send: told by their first bytes, and pictures drawn anew.

A picture that is drawn anew loses what the camera wrote into it, such as where it was taken, and
whatever else somebody has hidden in the file.
"""

import io
import os
import warnings

from PIL import Image, ImageOps

MAX_BYTES = 8 * 2**20
# More than any phone takes; a small file may claim to be larger, and would fill the memory.
MAX_PIXELS = 50_000_000
MAX_EDGE = 3000
QUALITY = 88

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
_MAGIC = {JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n", PDF: b"%PDF-"}
_PILLOW = {JPEG: "JPEG", PNG: "PNG"}


class UploadError(Exception):
    """A file is refused; ``args[0]`` says why: empty, size, kind, pixels or broken."""


def read(stream):
    """Check a file, and return its media type and a stream of what may be stored.

    :param stream: binary and seekable
    :raises UploadError: when it must not be stored
    """
    stream.seek(0, os.SEEK_END)
    size = stream.tell()
    stream.seek(0)
    if not size:
        raise UploadError("empty")
    if size > MAX_BYTES:
        raise UploadError("size")
    kind = _kind(stream.read(max(map(len, _MAGIC.values()))))
    stream.seek(0)
    if kind == PDF:
        return PDF, stream
    return JPEG, _draw_anew(stream, _PILLOW[kind])


def _kind(head):
    for kind, magic in _MAGIC.items():
        if head.startswith(magic):
            return kind
    raise UploadError("kind")


def _draw_anew(stream, pillow_format):
    """Return a picture as JPEG, upright, with nothing but its pixels."""
    try:
        with warnings.catch_warnings():
            # Of a large one we decide ourselves, by its size.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(stream, formats=(pillow_format,))
            if picture.width * picture.height > MAX_PIXELS:
                raise UploadError("pixels")
            # At most so large: a JPEG of many pixels is decoded at a fraction of them.
            picture.draft("RGB", (MAX_EDGE, MAX_EDGE))
            picture = _flat(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError:
        raise UploadError("pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise UploadError("broken") from None
    picture.thumbnail((MAX_EDGE, MAX_EDGE))
    # Comments would be written again, the rest is only written when it is asked for.
    picture.info.clear()
    clean = io.BytesIO()
    picture.save(clean, "JPEG", quality=QUALITY)
    clean.seek(0)
    return clean


def _flat(picture):
    """Return a picture in colours without transparency: on white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        return white
    return picture.convert("RGB")
