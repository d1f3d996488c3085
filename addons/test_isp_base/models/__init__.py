from . import ir_qweb
from . import test_isp_secret
