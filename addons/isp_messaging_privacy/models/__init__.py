from . import isp_message
from . import isp_message_gateway
