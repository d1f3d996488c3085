from . import test_consent_messages
from . import test_gateway_contract
