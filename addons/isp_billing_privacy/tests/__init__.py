from . import test_kyc_activation
