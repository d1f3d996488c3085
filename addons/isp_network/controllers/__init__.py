from . import walled
