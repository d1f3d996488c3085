"""Run the simulator by hand: python tests/simulators/routeros --port 8728 --secrets 20000"""

import argparse
import signal
import sys
from pathlib import Path

if not __package__:  # started by its path
    sys.path.insert(0, str(Path(__file__).parents[2]))

from simulators.routeros import RouterOS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8728, help="0 takes a free one")
    parser.add_argument("--version", default="7.16")
    parser.add_argument("--user", default="isp")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--secrets", type=int, default=0, help="PPP secrets to begin with")
    parser.add_argument("--delay", type=float, default=0, help="seconds a command takes longer")
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # for the simulator's thread as well
    sim = RouterOS(options.version, {options.user: options.password}, options.tls, options.port)
    sim.load_secrets(options.secrets)
    sim.faults.delay_s = options.delay
    host, port = sim.start()
    print(f"RouterOS {options.version} on {host}:{port}", flush=True)
    signal.sigwait(signals)
    sim.stop()


if __name__ == "__main__":
    main()
