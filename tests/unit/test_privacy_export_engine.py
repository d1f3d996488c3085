"""The parts of an export package that need no Odoo: sealed files, cells, search for secrets, ZIP."""

import csv
import importlib.util
import io
import json
import os
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "addons/isp_privacy/engine"


def load(name):
    spec = importlib.util.spec_from_file_location(f"privacy_{name}", ENGINE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sealed_file = load("sealed_file")
values = load("export_values")
secret_scan = load("secret_scan")
package = load("package")

CHUNK = sealed_file.CHUNK_BYTES
KEY = sealed_file.new_key()
NOW = datetime(2027, 3, 10, 6, 0, 0)


# === SEALED FILES === #


def seal(path, *pieces, key=KEY, purpose="test"):
    with open(path, "wb") as raw:
        writer = sealed_file.SealedWriter(raw, key, purpose)
        for piece in pieces:
            writer.write(piece)
        writer.finish()
    return path


def unseal(path, key=KEY, purpose="test"):
    with sealed_file.SealedReader(path, key, purpose) as reader:
        return reader.readall()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_what_was_sealed_is_read_again(tmp_path, size):
    content = os.urandom(size)
    path = seal(tmp_path / "file", content[: size // 3], content[size // 3 :])
    assert unseal(path) == content
    with sealed_file.SealedReader(path, KEY, "test") as reader:
        assert reader.size == size
        for place in (0, size // 2, size - 1, size + 5):
            reader.seek(max(0, place))
            assert reader.read(10) == content[max(0, place) : max(0, place) + 10]


def test_nothing_is_in_clear(tmp_path):
    path = seal(tmp_path / "file", b"Karim Uddin " * 100_000)
    assert b"Karim" not in path.read_bytes()


def test_two_files_of_one_key_share_nothing(tmp_path):
    one, two = (seal(tmp_path / name, b"the same").read_bytes() for name in ("one", "two"))
    assert one[8:24] != two[8:24]
    assert one[24:] != two[24:]


def damage(data, how):
    body = bytearray(data)
    if how == "bit":
        body[CHUNK // 2] ^= 1
    elif how == "last bit":
        body[-1] ^= 1
    elif how == "salt":
        body[10] ^= 1
    elif how == "cut":
        body = body[:-5]
    elif how == "cut at a chunk":
        body = body[: 24 + 2 * (CHUNK + 16)]
    elif how == "swapped":
        first, second = slice(24, 24 + CHUNK + 16), slice(24 + CHUNK + 16, 24 + 2 * (CHUNK + 16))
        body[first], body[second] = body[second], body[first]
    elif how == "longer":
        body += b"\x00" * 40
    elif how == "empty":
        body = b""
    elif how == "header only":
        body = body[:24]
    elif how == "no seal":
        body[:8] = b"PK\x03\x04aaaa"
    return bytes(body)


@pytest.mark.parametrize(
    "how",
    [
        *("bit", "last bit", "salt", "cut", "cut at a chunk", "swapped", "longer", "empty"),
        *("header only", "no seal"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, how):
    path = seal(tmp_path / "file", os.urandom(3 * CHUNK - 7))
    path.write_bytes(damage(path.read_bytes(), how))
    with pytest.raises(sealed_file.SealedFileError):
        unseal(path)


def test_another_key_or_purpose_opens_nothing(tmp_path):
    path = seal(tmp_path / "file", b"secret")
    for key, purpose in ((sealed_file.new_key(), "test"), (KEY, "other")):
        with pytest.raises(sealed_file.SealedFileError):
            unseal(path, key, purpose)


def test_a_file_that_was_not_finished_is_refused(tmp_path):
    path = tmp_path / "file"
    with open(path, "wb") as raw:
        sealed_file.SealedWriter(raw, KEY, "test").write(os.urandom(3 * CHUNK))
    with pytest.raises(sealed_file.SealedFileError):
        unseal(path)


def test_a_large_file_needs_little_memory(tmp_path):
    path = tmp_path / "file"
    piece = os.urandom(1 << 16)
    tracemalloc.start()
    with open(path, "wb") as raw:
        writer = sealed_file.SealedWriter(raw, KEY, "test")
        for _ in range(640):  # 40 MiB
            writer.write(piece)
        writer.finish()
    with sealed_file.SealedReader(path, KEY, "test") as reader:
        while reader.read(1 << 16):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


# === CELLS === #


def test_cells():
    for value, cell in (
        (None, ""),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (-5, "-5"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000.000000"),
        (["VIP", "Home"], "VIP; Home"),
        (["=1", "b"], "=1; b"),
        ({"a": "খ"}, '{"a": "খ"}'),
    ):
        assert values.csv_cell(value) == cell


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example/my/1?access_token=abcdef-123456&a=1",
        'href="/my/1?a=1&amp;access_token=abcdef-123456"',
        "/web/signup?token=abcdef-123456",
        "/mail/view?pid=5&hash=abcdef-123456",
        "/web/login?redirect=%2Fmy%3Faccess_token%3Dabcdef-123456%26x",
    ],
)
def test_links_lose_their_tokens(text):
    clean = values.without_tokens(text)
    assert "abcdef" not in clean
    assert values.REMOVED in clean
    assert values.without_tokens(clean) == clean


def test_words_about_tokens_stay():
    for text in ("token=5", "The token is abcdef-123456", "?page=2&sort=name"):
        assert values.without_tokens(text) == text


def test_secrets_are_found_as_whole_words():
    pattern = values.secrets_pattern({"hunter", "hunter22", "a.c"})
    assert pattern.sub("X", "hunter hunter22 hunters (hunter) abc a.c") == "X X hunters (X) abc X"
    assert values.secrets_pattern(set()) is None


# === SEARCH FOR SECRETS === #


def scan(text, secrets=(), **options):
    data = text if isinstance(text, bytes) else text.encode()
    return secret_scan.SecretScanner(secrets, **options).scan(io.BytesIO(data))


@pytest.mark.parametrize(
    "text",
    [
        "$pbkdf2-sha512$600000$abcdefghijklmnop",
        "$2b$12$abcdefghijklmnopqrstuv",
        "v1:k1:" + "A" * 40 + "=",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        "/my/1?access_token=abcdef-123456",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
    ],
)
def test_what_looks_like_a_secret_is_found(text):
    assert scan(f'{{"a": "{text}"}}')


def test_ordinary_words_are_not():
    for text in ("Karim", "token=5", "v1:k1", "?access_token=[removed]", "eyJ", "$5", "1" * 200):
        assert scan(text) is None


@pytest.mark.parametrize("secret", ['a"b\\c&d', "পাসওয়ার্ড", "p@ss.word"])
def test_known_secrets_are_found_however_they_are_written(secret):
    cell = io.StringIO()
    csv.writer(cell).writerow([f"It is {secret}, yes"])
    for text in (secret, json.dumps({"x": secret}, ensure_ascii=False), cell.getvalue()):
        assert scan(text, {secret}) == "secret of the person"
    assert scan("nothing", {secret}) is None


@pytest.mark.parametrize("offset", [-20, -6, -1, 0, 3])
def test_a_secret_between_two_windows_is_found(offset):
    data = b"." * (secret_scan.WINDOW_BYTES + offset) + b"hunter22 " + b"." * 100_000
    assert scan(data, {"hunter22"}) == "secret of the person"


def test_keys_of_the_installation_are_found():
    assert scan("a KEY b", is_leaked_in=lambda text: "KEY" in text) == "key of this installation"


# === PACKAGE === #


def write_package(files=None, sign=None):
    stream = io.BytesIO()
    writer = package.PackageWriter(Unseekable(stream), NOW)
    for path, pieces in (files or {"data/a.json": [b"[1,", b"2]"], "README.txt": [b"Hi"]}).items():
        for piece in pieces:
            writer.add(path, [piece], "text/plain", rows=1)
    writer.finish({"request": "PR-1"}, sign or (lambda digest: {"hmac": digest}))
    return stream.getvalue()


class Unseekable:
    """As a sealed file: it can only be written."""

    def __init__(self, stream):
        self.write, self.flush = stream.write, stream.flush


def read(data, answer=None, look=None):
    def verify(digest, signature):
        return signature.get("hmac") == digest if answer is None else answer

    return package.open_package(io.BytesIO(data), verify, look)


def change(data, edit):
    """Return the package with ``{name: content}`` as ``edit`` left it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    edit(entries)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_a_package_is_read_as_it_was_written():
    found = read(write_package())
    assert found.is_ours
    assert found.manifest["request"] == "PR-1"
    assert found.manifest["schema_version"] == "1.0"
    assert found.manifest["generated_at"] == "2027-03-10T06:00:00+00:00"
    assert found.read_json("data/a.json") == [1, 2]
    assert found.files["data/a.json"] == {
        "path": "data/a.json",
        "media_type": "text/plain",
        "rows": 2,
        "bytes": 5,
        "sha256": package.file_digest(b"[1,2]"),
    }


def test_each_text_is_shown_to_who_looks():
    seen = {}
    read(write_package(), look=lambda path, stream: seen.update({path: stream.read()}))
    assert set(seen) == {"data/a.json", "README.txt", "manifest.json"}


def test_a_package_of_somebody_else_is_read_and_said_so():
    assert read(write_package(), answer=lambda: None).is_ours
    stream = write_package()
    found = package.open_package(io.BytesIO(stream), lambda _digest, _signature: None)
    assert not found.is_ours


def edit_manifest(**changes):
    def edit(entries):
        manifest = json.loads(entries["manifest.json"]) | changes
        entries["manifest.json"] = json.dumps(manifest).encode()

    return edit


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda entries: entries.update({"README.txt": b"Ho"}), "altered"),
        (lambda entries: entries.update({"README.txt": b"Hi there"}), "altered"),
        (lambda entries: entries.update({"README.txt": b""}), "altered"),
        (lambda entries: entries.pop("README.txt"), "missing"),
        (lambda entries: entries.update({"data/b.json": b"[]"}), "unlisted"),
        (lambda entries: entries.update({"../../etc/passwd": b""}), "unlisted"),
        (lambda entries: entries.pop("manifest.json"), "manifest"),
        (lambda entries: entries.pop("manifest.json.sig"), "forged"),
        (lambda entries: entries.update({"manifest.json": b"{"}), "manifest"),
        (lambda entries: entries.update({"manifest.json": b"[]"}), "manifest"),
        (lambda entries: entries.update({"manifest.json": b"\xff\xfe"}), "manifest"),
        (lambda entries: entries.update({"manifest.json.sig": b"x"}), "forged"),
        (edit_manifest(request="PR-2"), "forged"),
        (edit_manifest(schema_version="2.0"), "version"),
        (edit_manifest(schema_version=None), "version"),
        (edit_manifest(files=[{"path": 5, "sha256": "", "bytes": 1}]), "manifest"),
        (edit_manifest(files=[{"path": "a", "sha256": "", "bytes": 1 << 50}]), "too_large"),
        (edit_manifest(files=None), "manifest"),
    ],
)
def test_a_package_that_was_changed_is_refused(edit, code):
    with pytest.raises(package.PackageError) as raised:
        read(change(write_package(), edit))
    assert raised.value.code == code


def test_what_is_no_package_is_refused():
    good = write_package()
    for data in (b"", b"no zip", good[:-30], good[: len(good) // 2], b"PK\x05\x06" + b"\x00" * 18):
        with pytest.raises(package.PackageError):
            read(data)


def test_a_name_given_twice_is_refused():
    stream = io.BytesIO(write_package())
    with pytest.warns(UserWarning), zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("README.txt", b"Hi")
    with pytest.raises(package.PackageError) as raised:
        read(stream.getvalue())
    assert raised.value.code == "unlisted"


def test_a_file_that_grows_while_it_is_read_is_refused():
    """A ZIP bomb: far more than the manifest says."""

    def edit(entries):
        entries["README.txt"] = b"\x00" * (64 << 20)

    tracemalloc.start()
    with pytest.raises(package.PackageError):
        read(change(write_package(), edit))
    tracemalloc.stop()


def test_a_large_file_of_json_is_not_loaded():
    found = read(write_package())
    with pytest.raises(package.PackageError) as raised:
        found.read_json("data/a.json", max_bytes=4)
    assert raised.value.code == "too_large"
