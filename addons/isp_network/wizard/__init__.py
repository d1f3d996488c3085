from . import isp_ip_assign
from . import isp_test_login
