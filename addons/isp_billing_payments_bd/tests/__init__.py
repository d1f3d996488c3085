from . import test_receipts
from . import test_wallet_bills
from . import test_wallet_bkash
from . import test_wallet_switch
