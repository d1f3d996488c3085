from . import isp_document_preview
from . import isp_dunning_preview
from . import isp_plan_price
from . import isp_subscription_change
from . import isp_subscription_hold
from . import isp_report_export
from . import isp_subscription_stop
