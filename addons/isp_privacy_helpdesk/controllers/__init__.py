from . import tickets
