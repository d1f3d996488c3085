from . import test_totp_encrypted
