from . import test_settle
from . import test_states
from . import test_books
from . import test_refund
from . import test_job
from . import test_event
from . import test_access
from . import test_provider
