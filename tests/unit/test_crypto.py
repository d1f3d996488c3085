"""crypto.py without Odoo: encryption, blind index, key files and the command."""

import base64
import importlib.util
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[2] / "addons/isp_base/crypto.py"


def load_source():
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location("isp_crypto", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


crypto = load_source()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
AAD = crypto.record_aad("isp.nas", "secret", 7)


def document(active="k1", key_ids=("k1",)):
    def key(number):
        return base64.b64encode(bytes([number]) * 32).decode()

    return {
        "active": active,
        "keys": {key_id: key(int(key_id[1:])) for key_id in key_ids},
        "index": key(200),
        "radius": "ab" * 32,
    }


def keyring(*args, **kwargs):
    return crypto.Keyring.from_json(json.dumps(document(*args, **kwargs)), "test")


RING = keyring()


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "keys" / "isp.keys"
    crypto.generate_key_file(path)
    return path


class TestEncryption:
    @given(texts)
    def test_round_trip(self, text):
        token = RING.encrypt(text, AAD)
        assert RING.decrypt(token, AAD) == text
        assert crypto.token_key_id(token) == "k1"

    @given(texts, texts)
    def test_additional_data_must_be_the_same(self, text, other):
        token = RING.encrypt(text, AAD)
        if other != AAD:
            with pytest.raises(crypto.DecryptError):
                RING.decrypt(token, other)

    @given(texts, st.data())
    @settings(max_examples=300)
    def test_any_changed_byte_is_noticed(self, text, data):
        token = RING.encrypt(text, AAD)
        prefix, blob = token.rsplit(":", 1)
        raw = bytearray(base64.b64decode(blob))
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position] ^= data.draw(st.integers(1, 255))
        with pytest.raises(crypto.DecryptError):
            RING.decrypt(f"{prefix}:{base64.b64encode(raw).decode()}", AAD)

    @given(st.one_of(texts, texts.map("v1:k1:{}".format)))
    def test_anything_else_is_refused_with_one_exception(self, text):
        with pytest.raises(crypto.DecryptError):
            RING.decrypt(text, AAD)

    def test_equal_texts_give_different_tokens_of_the_stated_form(self):
        tokens = {RING.encrypt("same", AAD) for _ in range(1000)}
        assert len(tokens) == 1000
        blob = base64.b64decode(tokens.pop().removeprefix("v1:k1:"), validate=True)
        assert len(blob) == 12 + len("same") + 16

    def test_a_known_token_is_still_read(self):
        """The stored format: changing it makes every database unreadable."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = bytes(range(12))
        sealed = AESGCM(bytes([1]) * 32).encrypt(nonce, "গোপন".encode(), b"isp.nas|secret|7")
        token = "v1:k1:" + base64.b64encode(nonce + sealed).decode()
        assert RING.decrypt(token, AAD) == "গোপন"

    def test_older_keys_decrypt_and_the_active_one_encrypts(self):
        old = RING.encrypt("x", AAD)
        both = keyring("k2", ("k1", "k2"))
        assert both.decrypt(old, AAD) == "x"
        assert not both.is_active(old)
        assert both.is_active(both.encrypt("x", AAD))
        with pytest.raises(crypto.UnknownKey) as error:
            keyring("k2", ("k2",)).decrypt(old, AAD)
        assert error.value.key_id == "k1"

    def test_errors_and_repr_never_show_a_value_or_a_key(self):
        token = RING.encrypt("very-secret", AAD)
        with pytest.raises(crypto.DecryptError) as error:
            RING.decrypt(token, "other")
        shown = repr(RING) + str(error.value) + repr(error.value.__cause__)
        for hidden in ("very-secret", token[10:], document()["index"], document()["keys"]["k1"]):
            assert hidden not in shown


class TestBlindIndex:
    @given(texts)
    def test_stable_and_32_hex_digits(self, text):
        index = RING.blind_index("m.f", text)
        assert index == RING.blind_index("m.f", text)
        assert len(index) == 32
        int(index, 16)

    @given(texts)
    def test_folding_twice_changes_nothing(self, text):
        assert crypto.fold(crypto.fold(text)) == crypto.fold(text)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("ab-12 34", "AB1234"),
            ("1990 1234", "১৯৯০১২৩৪"),
            ("straße", "STRASSE"),
            ("ＡＢＣ", "abc"),
            ("+880 1711-111111", "8801711111111"),
        ],
    )
    def test_spellings_of_one_value_are_equal(self, one, other):
        assert RING.blind_index("m.f", one) == RING.blind_index("m.f", other)

    @pytest.mark.parametrize(
        ("one", "other"), [("কা", "কি"), ("---", "..."), ("12", "21"), ("a", "")]
    )
    def test_different_values_differ(self, one, other):
        assert RING.blind_index("m.f", one) != RING.blind_index("m.f", other)

    def test_context_and_key_matter(self):
        assert RING.blind_index("m.f", "x") != RING.blind_index("m.g", "x")
        other = crypto.Keyring.from_json(
            json.dumps(document() | {"index": base64.b64encode(b"z" * 32).decode()}), "test"
        )
        assert RING.blind_index("m.f", "x") != other.blind_index("m.f", "x")

    def test_rotation_keeps_the_index(self):
        assert RING.blind_index("m.f", "x") == keyring("k2", ("k1", "k2")).blind_index("m.f", "x")


class TestRadius:
    @given(texts)
    def test_round_trip(self, text):
        assert RING.radius_decrypt(RING.radius_encrypt(text)) == text

    def test_openssl_reads_it(self):
        """AES-256-CBC with PKCS7 and the IV in front, which is what pgcrypto's decrypt_iv takes."""
        blob = bytes.fromhex(RING.radius_encrypt("8846F7EAEE8FB117AD06BDD830B7586C"))
        command = ["openssl", "enc", "-d", "-aes-256-cbc", "-K", "ab" * 32, "-iv", blob[:16].hex()]
        result = subprocess.run(command, input=blob[16:], capture_output=True, check=True)
        assert result.stdout == b"8846F7EAEE8FB117AD06BDD830B7586C"

    @pytest.mark.parametrize("bad", ["", "zz", "00" * 16, "00" * 17, "00" * 48, None])
    def test_rubbish_is_refused(self, bad):
        with pytest.raises(crypto.DecryptError):
            RING.radius_decrypt(bad)


class TestKeyDocument:
    @pytest.mark.parametrize(
        "change",
        [
            {"active": "k9"},
            {"keys": {}},
            {"keys": {"k1": "short"}},
            {"keys": {"k 1": document()["index"]}, "active": "k 1"},
            {"keys": ["k1"]},
            {"index": None},
            {"index": "AAAA"},
            {"radius": "ab" * 16},
            {"radius": "not hex"},
        ],
    )
    def test_bad_documents_are_refused(self, change):
        with pytest.raises(crypto.KeyringError) as error:
            crypto.Keyring.from_json(json.dumps(document() | change), "The file")
        assert document()["index"] not in str(error.value)

    @pytest.mark.parametrize("missing", ["active", "keys", "index", "radius"])
    def test_missing_entries_are_named(self, missing):
        incomplete = {key: value for key, value in document().items() if key != missing}
        with pytest.raises(crypto.KeyringError, match=missing):
            crypto.Keyring.from_json(json.dumps(incomplete), "The file")

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
    def test_other_json_is_refused(self, text):
        with pytest.raises(crypto.KeyringError):
            crypto.Keyring.from_json(text, "The file")

    def test_leaks_are_recognised(self):
        for value in (document()["keys"]["k1"], document()["index"], document()["radius"]):
            assert RING.is_leaked_in(f"x {value} y")
        assert RING.is_leaked_in("AB" * 32)
        assert not RING.is_leaked_in("https://example.net k1 v1")


class TestKeyFile:
    def test_a_generated_file_is_private_and_complete(self, key_file):
        info = key_file.stat()
        assert stat.S_IMODE(info.st_mode) == 0o400
        assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
        assert crypto.Keyring.from_file(key_file).key_ids == ["k1"]
        assert os.listdir(key_file.parent) == ["isp.keys"]

    def test_an_existing_file_is_never_overwritten(self, key_file):
        before = key_file.read_bytes()
        assert crypto.generate_key_file(key_file) is False
        assert key_file.read_bytes() == before

    def test_two_files_have_different_keys(self, tmp_path, key_file):
        crypto.generate_key_file(tmp_path / "other")
        assert json.loads((tmp_path / "other").read_text()) != json.loads(key_file.read_text())

    @pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o410, 0o402])
    def test_a_file_others_may_open_is_refused_with_the_cure(self, key_file, mode):
        key_file.chmod(mode)
        with pytest.raises(crypto.KeyringError, match=f"Run: chmod 400 {key_file}"):
            crypto.load_keyring(str(key_file), {})

    def test_a_file_of_another_user_is_refused(self, key_file, monkeypatch):
        if os.geteuid() == 0:
            os.chown(key_file, 12345, -1)
        else:  # only root can give files away; anybody can be somebody else
            monkeypatch.setattr(crypto.os, "geteuid", lambda: os.getuid() + 1)
        with pytest.raises(crypto.KeyringError, match="belongs to another user"):
            crypto.Keyring.from_file(key_file)

    def test_ownership_rule(self, key_file, monkeypatch):
        """Root's and one's own files are accepted, whoever runs the tests."""
        owner = key_file.stat().st_uid
        monkeypatch.setattr(crypto.os, "geteuid", lambda: owner + 1)
        if owner == 0:
            assert crypto.Keyring.from_file(key_file)
        else:
            with pytest.raises(crypto.KeyringError, match="Run: chown"):
                crypto.Keyring.from_file(key_file)

    def test_a_missing_file_and_a_folder(self, tmp_path):
        with pytest.raises(crypto.KeyringMissing):
            crypto.load_keyring(str(tmp_path / "none"), {})
        with pytest.raises(crypto.KeyringError):
            crypto.load_keyring(str(tmp_path), {})
        with pytest.raises(crypto.KeyringMissing):
            crypto.load_keyring(None, {})

    def test_a_change_is_seen_without_restart(self, key_file):
        assert crypto.load_keyring(str(key_file), {}).active == "k1"
        assert crypto.load_keyring(str(key_file), {}) is crypto.load_keyring(str(key_file), {})
        crypto.add_key(key_file)
        assert crypto.load_keyring(str(key_file), {}).active == "k2"
        key_file.chmod(0o444)
        with pytest.raises(crypto.KeyringError):
            crypto.load_keyring(str(key_file), {})

    def test_add_and_drop(self, key_file):
        token = crypto.Keyring.from_file(key_file).encrypt("x", AAD)
        assert crypto.add_key(key_file) == "k2"
        assert crypto.Keyring.from_file(key_file).decrypt(token, AAD) == "x"
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o400
        with pytest.raises(crypto.KeyringError, match="active"):
            crypto.drop_key(key_file, "k2")
        with pytest.raises(crypto.KeyringError, match="no key k7"):
            crypto.drop_key(key_file, "k7")
        crypto.drop_key(key_file, "k1")
        assert crypto.Keyring.from_file(key_file).key_ids == ["k2"]
        assert crypto.add_key(key_file) == "k3"

    def test_a_failed_write_leaves_the_old_file(self, key_file, monkeypatch):
        before = key_file.read_bytes()

        def full_disk(_handle):
            raise OSError("No space left on device")

        monkeypatch.setattr(crypto.os, "fsync", full_disk)
        with pytest.raises(OSError, match="space"):
            crypto.add_key(key_file)
        assert key_file.read_bytes() == before
        assert os.listdir(key_file.parent) == ["isp.keys"]


class TestWhereKeysComeFrom:
    def test_the_environment_wins(self, key_file, tmp_path):
        crypto.generate_key_file(tmp_path / "second")
        crypto.add_key(tmp_path / "second")
        environ = {"ISP_KEY_FILE": str(tmp_path / "second")}
        assert crypto.load_keyring(str(key_file), environ).active == "k2"
        environ["ISP_KEYS"] = json.dumps(document("k5", ("k5",)))
        assert crypto.load_keyring(str(key_file), environ).active == "k5"

    def test_the_configuration_is_asked_last(self, key_file, monkeypatch):
        module = load_source()
        module.set_key_file_finder(lambda: str(key_file))
        assert module.load_keyring(None, {}).active == "k1"
        with pytest.raises(module.KeyringMissing):
            module.load_keyring(None, {"ISP_KEY_FILE": "/nonexistent"})

    def test_module_functions_use_it(self, monkeypatch):
        monkeypatch.setenv("ISP_KEYS", json.dumps(document()))
        assert crypto.decrypt(crypto.encrypt("x", AAD), AAD) == "x"
        assert RING.radius_decrypt(crypto.radius_encrypt("y")) == "y"
        assert crypto.radius_decrypt(RING.radius_encrypt("z")) == "z"
        assert crypto.blind_index("m.f", "x") == RING.blind_index("m.f", "x")


class TestCommand:
    def run(self, *args):
        return subprocess.run(
            [sys.executable, str(SOURCE), *map(str, args)],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )

    def test_generate_check_add_drop(self, tmp_path):
        path = tmp_path / "isp.keys"
        assert self.run("generate", path).returncode == 0
        first = path.read_bytes()
        again = self.run("generate", path)
        assert (again.returncode, path.read_bytes()) == (0, first)
        assert "active k1" in again.stdout
        assert "k2 is now the active key" in self.run("add-key", path).stdout
        assert self.run("drop-key", path, "k2").returncode == 1
        assert self.run("drop-key", path, "k1").returncode == 0
        assert "keys k2" in self.run("check", path).stdout
        for key in json.loads(path.read_text())["keys"].values():
            assert key not in again.stdout

    def test_errors_are_one_sentence_and_exit_1(self, tmp_path):
        result = self.run("check", tmp_path / "none")
        assert result.returncode == 1
        assert result.stderr == f"The key file {tmp_path / 'none'} does not exist.\n"

    def test_odoo_is_not_needed(self):
        code = (
            "import sys, runpy; sys.modules['odoo'] = None;"
            f"sys.argv = ['crypto.py', 'check', '/nonexistent']; runpy.run_path({str(SOURCE)!r},"
            " run_name='__main__')"
        )
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert "does not exist" in result.stderr
        assert "import of odoo" not in result.stderr
