from . import main
from . import sslcommerz
