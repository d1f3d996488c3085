from . import test_nas
from . import test_radius_lookup
from . import test_radius_schema
from . import test_radius_screens
from . import test_click_everywhere
from . import test_radius_throttled
from . import test_login_rules
from . import test_walled
