"""The export package: a ZIP file with a manifest that names each other file and its hash.

The manifest is signed, so that a package that was changed afterwards is not taken for ours.
"""

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import UTC

SCHEMA_VERSION = "1.0"
GENERATOR = "ISP Suite, isp_privacy"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
# A package is read by people: what is larger than this is none, or means harm.
MAX_FILES = 100_000
MAX_FILE_BYTES = 4 << 30
MAX_MANIFEST_BYTES = 64 << 20

_COPY_BYTES = 1 << 16
# What a ZIP file that is none may raise; ``RuntimeError``: it wants a password, ``ValueError``: its
# JSON is none.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError),
)


class PackageError(Exception):
    """The package cannot be used.

    :ivar code: ``damaged``, ``manifest``, ``unlisted``, ``missing``, ``altered``, ``forged``,
        ``too_large`` or ``version``
    :ivar path: the file of the package it is about, if it is about one
    """

    def __init__(self, code, path=""):
        super().__init__(f"{code}: {path}" if path else code)
        self.code = code
        self.path = path


def file_digest(data):
    """Return the SHA-256 of bytes, as hex digits."""
    return hashlib.sha256(data).hexdigest()


# === WRITING === #


class PackageWriter:
    """Writes a package as a stream: nothing is kept but the list of its files.

    :param raw: object with ``write`` and ``flush``
    :param now: time in UTC that all files get
    """

    def __init__(self, raw, now):
        self._zip = zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._date = max(now.timetuple()[:6], (1980, 1, 1, 0, 0, 0))
        self._now = now
        self._files = []
        self._entry = self._stream = self._hash = None

    def add(self, path, chunks, media_type, **facts):
        """Add pieces of a file; the pieces of one file must follow each other.

        :param facts: what else the manifest says of the file; numbers of rows are added up
        """
        if self._entry is None or self._entry["path"] != path:
            self._close_entry()
            self._open_entry(path, media_type, facts)
        elif "rows" in facts:
            self._entry["rows"] += facts["rows"]
        for chunk in chunks:
            self._stream.write(chunk)
            self._hash.update(chunk)
            self._entry["bytes"] += len(chunk)

    def finish(self, head, sign):
        """Write manifest and signature, and end the package.

        :param head: what the manifest says of the package
        :param sign: function of the manifest's digest that returns the signature, a dictionary
        :return: the digest of the manifest
        """
        self._close_entry()
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "generator": GENERATOR,
            "generated_at": self._now.replace(tzinfo=UTC).isoformat(),
            **head,
            "files": self._files,
        }
        data = _json_bytes(manifest)
        digest = file_digest(data)
        for path, content in ((MANIFEST, data), (SIGNATURE, _json_bytes(sign(digest)))):
            with self._zip.open(self._info(path), "w") as stream:
                stream.write(content)
        self._zip.close()
        return digest

    def _open_entry(self, path, media_type, facts):
        self._entry = {"path": path, "media_type": media_type, "bytes": 0, **facts}
        self._hash = hashlib.sha256()
        self._stream = self._zip.open(self._info(path), "w", force_zip64=True)

    def _close_entry(self):
        if self._entry is None:
            return
        self._stream.close()
        self._entry["sha256"] = self._hash.hexdigest()
        self._files.append(self._entry)
        self._entry = None

    def _info(self, path):
        info = zipfile.ZipInfo(path, self._date)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return info


def _json_bytes(value):
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def copy_chunks(stream):
    """Yield the content of a binary stream."""
    while chunk := stream.read(_COPY_BYTES):
        yield chunk


# === READING === #


@dataclass
class Package:
    """A package that was checked.

    :ivar manifest: what it says of itself
    :ivar is_ours: signed by this installation; one of another one cannot be judged
    """

    archive: zipfile.ZipFile
    manifest: dict
    is_ours: bool = False
    files: dict = field(default_factory=dict)

    def read_json(self, path, max_bytes=64 << 20):
        """Return the content of a JSON file."""
        if self.files[path]["bytes"] > max_bytes:
            raise PackageError("too_large", path)
        with self.archive.open(path) as stream:
            return json.load(stream)

    def read_bytes(self, path, max_bytes=32 << 20):
        """Return the content of a file."""
        if self.files[path]["bytes"] > max_bytes:
            raise PackageError("too_large", path)
        return self.archive.read(path)


def open_package(stream, verify, look=None):
    """Check every file of a package against its manifest, and the manifest against its signature.

    :param stream: seekable binary file
    :param verify: function of the manifest's digest and of the signature: True when it is ours,
        None when it is another installation's, False when it is forged
    :param look: called with the path and the stream of each text file
    :raises PackageError: when something does not fit
    """
    try:
        archive = zipfile.ZipFile(stream)
        package = Package(archive, _read_manifest(archive))
        package.files = {entry["path"]: entry for entry in package.manifest["files"]}
        package.is_ours = _check_signature(archive, verify)
        _check_names(archive, package.files)
        for path, entry in package.files.items():
            _check_file(archive, path, entry)
        if look:
            _look_at_texts(archive, look)
    except _DAMAGED as error:
        raise PackageError("damaged") from error
    return package


def _read_manifest(archive):
    if len(archive.infolist()) > MAX_FILES:
        raise PackageError("too_large")
    try:
        manifest = json.loads(_read_small(archive, MANIFEST))
        entries = manifest["files"]
        for entry in entries:
            if not isinstance(entry["path"], str) or not isinstance(entry["sha256"], str):
                raise PackageError("manifest")
            if not 0 <= int(entry["bytes"]) <= MAX_FILE_BYTES:
                raise PackageError("too_large", entry["path"])
    except (KeyError, TypeError, json.JSONDecodeError):
        raise PackageError("manifest") from None
    if str(manifest.get("schema_version", "")).partition(".")[0] != "1":
        raise PackageError("version")
    return manifest


def _read_small(archive, path):
    if archive.getinfo(path).file_size > MAX_MANIFEST_BYTES:
        raise PackageError("too_large", path)
    with archive.open(path) as stream:
        # The size that the archive claims is not to be trusted.
        return stream.read(MAX_MANIFEST_BYTES)


def _check_signature(archive, verify):
    try:
        signature = json.loads(_read_small(archive, SIGNATURE))
    except (KeyError, json.JSONDecodeError):
        raise PackageError("forged", MANIFEST) from None
    answer = verify(file_digest(_read_small(archive, MANIFEST)), signature)
    if answer is False:
        raise PackageError("forged", MANIFEST)
    return bool(answer)


def _check_names(archive, files):
    listed = {MANIFEST, SIGNATURE, *files}
    seen = set()
    for name in archive.namelist():
        if name not in listed or name in seen:
            raise PackageError("unlisted", name)
        seen.add(name)
    for name in sorted(listed - seen):
        raise PackageError("missing", name)


def _check_file(archive, path, entry):
    digest, size = hashlib.sha256(), 0
    with archive.open(path) as stream:
        for chunk in copy_chunks(stream):
            digest.update(chunk)
            size += len(chunk)
            if size > entry["bytes"]:
                raise PackageError("altered", path)
    if size != entry["bytes"] or digest.hexdigest() != entry["sha256"]:
        raise PackageError("altered", path)


def _look_at_texts(archive, look):
    for name in archive.namelist():
        if name.endswith((".json", ".csv", ".txt")):
            with archive.open(name) as stream:
                look(name, stream)
