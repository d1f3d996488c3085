"""The three gateways for `make run`: python -m simulators.gateways --port N --keys FOLDER

bKash listens on N, Nagad on N + 1, SSLCommerz on N + 2, on loopback. Payments are forgotten when it
ends. Nagad's key, and the keys that shops handed in, are kept in FOLDER, so that a shop that was set
up once can be paid after the next start too.
"""

import argparse
import json
import signal
from contextlib import ExitStack
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from .bkash import Bkash
from .nagad import Nagad, new_key
from .sslcommerz import Sslcommerz


class KeptNagad(Nagad):
    """Nagad with keys that outlive it."""

    def __init__(self, port, folder):
        self._folder = folder
        super().__init__(port, key=self._kept_key(folder / "nagad.pem"))
        self._shops = json.loads(self._shops_file.read_text()) if self._shops_file.exists() else {}
        for merchant_id, public_key in self._shops.items():
            super().add_merchant(merchant_id, public_key)

    @property
    def _shops_file(self):
        return self._folder / "nagad_shops.json"

    @staticmethod
    def _kept_key(path):
        if path.exists():
            return serialization.load_pem_private_key(path.read_bytes(), None)
        key = new_key()
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return key

    def add_merchant(self, merchant_id, public_key):
        super().add_merchant(merchant_id, public_key)
        self._shops[merchant_id] = public_key
        self._shops_file.write_text(json.dumps(self._shops))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path, required=True)
    options = parser.parse_args()
    options.keys.mkdir(parents=True, exist_ok=True)
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # for the servers' threads as well
    with ExitStack() as stack:
        for gateway in (
            Bkash(options.port),
            KeptNagad(options.port + 1, options.keys),
            Sslcommerz(options.port + 2),
        ):
            stack.enter_context(gateway)
            print(f"{gateway.name} on {gateway.url}", flush=True)
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
