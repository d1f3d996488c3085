from . import isp_plan
from . import privacy_profile
from . import isp_subscription
