from . import isp_sslcommerz_refund
