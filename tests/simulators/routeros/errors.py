"""What a command can end with, other than done."""


class Trap(Exception):
    """The command failed; ``messages`` are (text, category or None), one ``!trap`` each.

    Categories: 0 missing item or command, 1 argument, 2 interrupted, 3 script, 4 general, 5 API,
    6 terminal, 7 value of ``:return``.
    """

    def __init__(self, message, category=None):
        super().__init__(message)
        self.messages = [(message, category)]

    @classmethod
    def of(cls, what):
        """A trap from a text, a (text, category) or a list of these: one ``!trap`` for each."""
        messages = what if isinstance(what, list) else [what]
        trap = cls("")
        trap.messages = [(one, None) if isinstance(one, str) else one for one in messages]
        return trap


class Fatal(Exception):
    """The router says why and hangs up."""
