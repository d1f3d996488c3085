from . import test_bengali_format
from . import test_keys_outside_database
from . import test_quiet
from . import test_roles
from . import test_safe_export
from . import test_rpc
from . import test_settings
from . import test_second_factor
