from . import isp_message
