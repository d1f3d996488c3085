from . import main
from . import bkash
from . import nagad
from . import sslcommerz
