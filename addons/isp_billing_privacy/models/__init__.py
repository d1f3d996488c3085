from . import isp_plan
from . import isp_report_refresh
from . import privacy_consent
from . import privacy_profile
from . import isp_subscription
