"""What can go wrong with a router, in few classes that each call for another answer."""


class RouterError(Exception):
    """Any failure in talking to a router; the text is the router's or the operating system's."""


class Unreachable(RouterError):
    """No connection, a time-out, or the line dropped: try again later."""


class UntrustedCertificate(RouterError):
    """Another certificate than the expected one: stop, a human has to look.

    ``fingerprint`` is the SHA-256 of what the router showed, as hex digits, when it is known.
    """

    def __init__(self, message, fingerprint=None):
        super().__init__(message)
        self.fingerprint = fingerprint


class WrongPassword(RouterError):
    """The router does not accept the user or its password: stop, a human has to look."""


class NoRights(RouterError):
    """The group of the router's user lacks a policy: stop, a human has to look."""


class CommandError(RouterError):
    """The router refused one command; the connection goes on.

    ``category`` is the number of the trap (0 missing item or command, 1 value, …) or ``None``.
    """

    def __init__(self, message, category=None):
        super().__init__(message)
        self.category = category


class Gone(CommandError):
    """The row is not there any more."""


class Exists(CommandError):
    """A row with this name, address or entry is there already."""


class Refused(CommandError):
    """The router does not know the menu, the property or a value of it."""


def classify(message, category=None):
    """The exception for a trap.

    Matched by the messages of RouterOS 6.40 to 7.18: the category alone does not tell them apart.
    """
    text = message.lower()
    if "invalid user name or password" in text or "cannot log in" in text:
        return WrongPassword(message)
    if "not enough permissions" in text:
        return NoRights(message)
    if "no such item" in text:
        return Gone(message, category)
    if "already" in text or "such name exists" in text or "the same name" in text:
        return Exists(message, category)
    return Refused(message, category)
