from . import isp_nas
from . import isp_radius
from . import isp_radius_session
from . import isp_radius_attempt
from . import isp_subscription
