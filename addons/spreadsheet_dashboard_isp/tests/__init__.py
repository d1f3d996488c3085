from . import test_isp_dashboard
