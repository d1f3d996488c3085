from . import test_billing_run
from . import test_charge
from . import test_entitlement
from . import test_overdue
from . import test_plan
from . import test_rights
from . import test_subscription
