from . import test_settle
from . import test_states
from . import test_books
from . import test_refund
from . import test_job
from . import test_event
from . import test_access
from . import test_provider
<<<<<<< HEAD
from . import test_bkash_channels
from . import test_bkash_attacks
from . import test_bkash_wallets
from . import test_bkash_receipts
from . import test_bkash_provider
=======
from . import test_routes
from . import test_settlement
>>>>>>> wt-core
