from . import test_isp_secret
