"""A strict RouterOS API simulator for tests: the real wire protocol before an in-memory router."""

from .simulator import RouterOS

__all__ = ["RouterOS"]
