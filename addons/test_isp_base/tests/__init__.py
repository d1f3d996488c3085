from . import test_access
from . import test_rotation
from . import test_search
from . import test_storage
from . import test_unreadable
