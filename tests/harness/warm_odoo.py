"""Reads the code of Odoo and of addons, then forks a process for each command line it is sent.

Run by warm.py as ``python warm_odoo.py SOCKET --addons-path=... ADDON ...``. The socket brings
requests: four bytes with the length of a JSON object, and beside them the descriptors of standard
input, output, error and of a pipe for the exit code. Each is answered by the process number.
"""

import gc
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback

import odoo.cli
import odoo.cli.server
import odoo.cli.shell
from odoo.modules.module import Manifest, initialize_sys_path, load_openerp_module
from odoo.tools import config

# What Odoo's own command sees as its program.
PROGRAM = os.path.join(os.path.dirname(sys.executable), "odoo")


def main():
    channel = socket.socket(fileno=int(sys.argv[1]))
    read_code(*sys.argv[2:])
    # A thread would be missing in the forks.
    assert threading.active_count() == 1, threading.enumerate()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets the ended ones
    gc.collect()
    gc.freeze()
    channel.sendall(struct.pack("!I", os.getpid()))
    while True:
        head, descriptors, _flags, _address = socket.recv_fds(channel, 4, 4)
        if not head:
            return
        (size,) = struct.unpack("!I", head)
        request = json.loads(channel.recv(size, socket.MSG_WAITALL))
        if pid := os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            channel.sendall(struct.pack("!I", pid))
        else:
            channel.close()
            become_odoo(request["args"], request["env"], descriptors)


def read_code(addons_path, *addons):
    """Import the addons, each after those it depends on, as a registry that is loaded does."""
    config._parse_config([addons_path])
    initialize_sys_path()
    read = set()

    def read_addon(name):
        if name not in read:
            read.add(name)
            for dependency in Manifest.for_addon(name)["depends"]:
                read_addon(dependency)
            load_openerp_module(name)

    for name in addons:
        read_addon(name)


def become_odoo(args, env, descriptors):
    """Go through Odoo's command line in this process, and end it."""
    *standard, status = descriptors
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.set_inheritable(status, False)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        sys.path[:0] = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
        sys.argv = [PROGRAM, *args[1:]]
        odoo.cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(status, bytes([code & 0xFF]))
        os._exit(code)


if __name__ == "__main__":
    main()
