from . import privacy_audit_compare
from . import privacy_request_step
