"""PPPoE sessions: what a customer's dial-in adds to the router, and what is left when it ends."""

import ipaddress

from .values import SCALES


def dial(router, name, address, caller_id):
    """Log a customer in with a secret; None if there is none, or it is disabled."""
    secret = router.tree["/ppp/secret"].find(name)
    if secret is None or secret["disabled"] == "true":
        router.log("pppoe,ppp,error", f"user {name} authentication failed")
        return None
    profile = router.tree["/ppp/profile"].find(secret["profile"])
    if profile and profile["only-one"] == "yes" and router.tree["/ppp/active"].find(name):
        return None
    address, pool = _address(router, secret, profile, address)
    interface = f"<pppoe-{name}>"
    router.tree["/interface"].append({"name": interface, "type": "pppoe-in", "dynamic": "true"})
    if pool:
        router.tree["/ip/pool/used"].append(
            {"pool": pool, "address": address, "owner": "PPP", "info": name}
        )
    limit = profile.get("rate-limit") if profile else None
    if limit:
        router.tree["/queue/simple"].append(
            {
                "name": interface,
                "target": interface,
                "max-limit": _max_limit(limit),
                "dynamic": "true",
            }
        )
    secret["last-caller-id"] = caller_id
    active = router.tree["/ppp/active"]
    return active.append(
        {
            "name": name,
            "service": "pppoe",
            "caller-id": caller_id,
            "address": address,
            "session-id": f"0x{0x81000000 + active.serial():08x}",
        }
    )


def ended(router, session):
    """A session was kicked or has hung up: what it had added is gone."""
    name = session["name"]
    interface = f"<pppoe-{name}>"
    for path, key, value in (
        ("/interface", "name", interface),
        ("/queue/simple", "name", interface),
        ("/ip/pool/used", "info", name),
    ):
        table = router.tree[path]
        for row in [row for row in table.rows() if row.get(key) == value]:
            table.remove(row)
    secret = router.tree["/ppp/secret"].find(name)
    if secret is not None:
        secret["last-logged-out"] = router.clock.text()
        secret["last-disconnect-reason"] = "admin-reset"
    router.log("pppoe,ppp,info", f"{interface}: terminating... - administrator request")


def _address(router, secret, profile, asked):
    """Address of the session, and the pool it is from (None for an address of its own)."""
    wanted = secret.get("remote-address") or (profile or {}).get("remote-address")
    pool = router.tree["/ip/pool"].find(wanted) if wanted else None
    if asked or pool is None:
        return asked or wanted or "10.0.0.2", None
    used = {row["address"] for row in router.tree["/ip/pool/used"]}
    for one in pool["ranges"].split(","):
        for address in _addresses(one):
            if str(address) not in used:
                return str(address), pool["name"]
    return "", None


def _addresses(one_range):
    if "/" in one_range:
        return iter(ipaddress.IPv4Network(one_range))
    low, _dash, high = one_range.partition("-")
    first, last = ipaddress.IPv4Address(low), ipaddress.IPv4Address(high or low)
    return (ipaddress.IPv4Address(number) for number in range(int(first), int(last) + 1))


def _max_limit(limit):
    """``max-limit`` of the queue that a rate limit makes."""
    upload, _slash, download = limit.split()[0].partition("/")
    return "/".join(
        str(int(rate.rstrip("kKMG")) * SCALES[rate.lstrip("0123456789")])
        for rate in (upload, download or upload)
    )
