"""What can go wrong between a client and its router, switched on from a test."""

import random


class Faults:
    """Faults of one simulator; each may be set at any moment, from any thread.

    delay_s               every command is answered this much later; commands in flight overlap,
                          as on a long link
    jitter_s              up to this much more, at random: tagged commands overtake each other
    hang                  commands are read and not done until it is False again (then they are)
    swallow_replies       commands are done and their answers lost
    refuse_connections    new connections are refused (established ones stay)
    byte_by_byte          every byte is written on its own
    drop_after_words      after so many more words of answers the connection is reset; once
    drop_mid_word         ... in the middle of the word that follows; once (alone: of the next one)
    forget_every          every n-th write is acknowledged and not kept (0: none)
    file_delay_s          a file has its contents so long after its name (0.1, as a router does)
    trap_next             the next command fails: text, (text, category), or a list for several
    trap_when             function (command, attributes) -> like trap_next, or None
    fatal_next            text: the next command ends the connection with it
    """

    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.delay_s = 0
        self.jitter_s = 0
        self.hang = False
        self.swallow_replies = False
        self.byte_by_byte = False
        self.drop_after_words = None
        self.drop_mid_word = False
        self.forget_every = 0
        self.file_delay_s = 0.1
        self.trap_next = None
        self.trap_when = None
        self.fatal_next = None
        self.forgotten = 0
        self._writes = 0
        self._refuse = False
        self._on_refuse = None

    @property
    def refuse_connections(self):
        return self._refuse

    @refuse_connections.setter
    def refuse_connections(self, value):
        self._refuse = bool(value)
        if self._on_refuse:
            self._on_refuse()

    def latency(self):
        return self.delay_s + (self.random.uniform(0, self.jitter_s) if self.jitter_s else 0)

    def forgets(self):
        """Whether the write at hand is one of those that are acknowledged and not kept."""
        if not self.forget_every:
            return False
        self._writes += 1
        forgets = self._writes % self.forget_every == 0
        self.forgotten += forgets
        return forgets

    def take(self, name):
        """Value of a fault that happens once, and switch it off."""
        value = getattr(self, name)
        setattr(self, name, None)
        return value

    def clear(self):
        """Everything works again."""
        on_refuse, refused = self._on_refuse, self._refuse
        self.__init__()
        self._on_refuse = on_refuse
        if refused:
            self.refuse_connections = False
