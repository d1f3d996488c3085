from . import main
from . import bkash
