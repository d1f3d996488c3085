from . import test_sslcommerz_attacks
from . import test_sslcommerz_channels
from . import test_sslcommerz_payments
