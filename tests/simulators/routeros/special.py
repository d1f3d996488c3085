"""Commands that are not those of a table: scripts, files, backups, reboot, ping, traffic."""

from .errors import Fatal, Trap
from .request import Answer

V7_FILE_READ = (7, 13)
COMMANDS = {}


def command(path, policy, since=(0,)):
    """Register a command under its full path, with the right it needs."""

    def register(function):
        COMMANDS[path] = (since, policy, function)
        return function

    return register


def measure_file(router, values):
    """Size and date of a file that is written."""
    contents = values.get("contents", "")
    values["size"] = str(len(contents.encode("utf-8", "surrogateescape")))
    values["last-modified"] = router.clock.text()


def only(request, *names):
    """Trap for attributes the command does not have."""
    if set(request.attributes) - set(names):
        raise Trap("unknown parameter")


@command("/system/reboot", "reboot")
def reboot(router, _session, request):
    only(request)
    return Answer(after=router.on_reboot)


@command("/quit", "api")
def quit_session(_router, _session, _request):
    raise Fatal("session terminated on request")
