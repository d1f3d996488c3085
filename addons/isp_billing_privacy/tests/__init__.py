from . import test_kyc_activation
from . import test_left_out
from . import test_review
