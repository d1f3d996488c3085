from . import test_consent_messages
