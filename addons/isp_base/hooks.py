from .models.ir_mail_server import MAIL_PASSWORDS


def post_init_hook(env):
    """Encrypt the passwords of mail servers that Odoo has stored in clear so far."""
    for model, name in MAIL_PASSWORDS.items():
        env[model]._encrypt_column(name)


def uninstall_hook(env):
    """Give Odoo the passwords of its mail servers back: without them no mail is sent or fetched."""
    for model, name in MAIL_PASSWORDS.items():
        env[model]._decrypt_column(name)
