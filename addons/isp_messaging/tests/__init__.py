from . import test_outbox
from . import test_outbox_rules
from . import test_templates
from . import test_gateway
from . import test_stock_sms
from . import test_reminders
from . import test_portal_channels
