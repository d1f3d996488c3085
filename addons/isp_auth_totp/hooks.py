def post_init_hook(env):
    """Encrypt what Odoo has stored in clear so far."""
    env["res.users"]._encrypt_totp_secrets()


def uninstall_hook(env):
    """Give Odoo its secrets back: without them a password alone would open the accounts."""
    env["res.users"]._decrypt_totp_secrets()
