from . import payment_provider
from . import privacy_policy_version
from . import privacy_processor
