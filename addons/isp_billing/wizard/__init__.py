from . import isp_subscription_stop
