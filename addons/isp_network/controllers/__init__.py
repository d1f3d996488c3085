from . import portal_topup
from . import portal_usage
from . import walled
