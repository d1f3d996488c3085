"""The simulated gateways of `make run` keep what a shop and Nagad exchanged."""

from simulators.gateways.__main__ import KeptNagad
from simulators.gateways.nagad import Nagad


def test_nagad_knows_a_shop_after_the_next_start(tmp_path):
    shop = Nagad().public_key
    first = KeptNagad(0, tmp_path)
    first.add_merchant("683000000000001", shop)
    second = KeptNagad(0, tmp_path)
    assert second.public_key == first.public_key
    assert second.snapshot()["merchants"] == ["683000000000001"]
    second.add_merchant("683000000000002", shop)
    assert len(KeptNagad(0, tmp_path).merchants) == 2


def test_its_key_is_for_the_owner_alone(tmp_path):
    KeptNagad(0, tmp_path)
    assert (tmp_path / "nagad.pem").stat().st_mode & 0o077 == 0
