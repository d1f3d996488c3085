"""A strict RouterOS API simulator for tests: the real wire protocol before an in-memory router.

    with RouterOS(version="7.16", users={"isp": "secret"}) as sim:
        sim.load_secrets(20_000)
        api = librouteros.connect("127.0.0.1", "isp", "secret", port=sim.port)
        sim.tree["/ppp/secret"][0]["comment"] = "changed at the console"
        sim.faults.drop_after_words = 500

What is refused, and in which words, follows answers of real routers as quoted in public issue
trackers, MikroTik's manual, and a REST survey of RouterOS 7.23. Where a router's behaviour was
not found, the simulator is the stricter of the choices. Not simulated: scripts other than /export
and :put, /tool/torch and sniffer, time-outs of address lists, positions ("numbers=0"), copy-from.

wire.py length encoding and sentences, request.py a command and its answer, query.py query words,
server.py connections, tags and faults, router.py logins, rights and dispatch, commands.py what
every menu can do, special.py the other commands, tables.py rows, values.py and menus*.py what a
property may hold.
"""

from .simulator import RouterOS

__all__ = ["RouterOS"]
