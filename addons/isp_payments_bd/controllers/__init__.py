from . import main
from . import nagad
