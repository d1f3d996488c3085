from . import test_kyc_activation
from . import test_review
