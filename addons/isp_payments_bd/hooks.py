from odoo.addons.payment import reset_payment_provider, setup_provider


def post_init_hook(env):
    """Give every company its own providers."""
    for code in env["payment.provider"]._bd_codes():
        setup_provider(env, code)


def uninstall_hook(env):
    """Detach the providers from the addon; refused by Odoo while payments exist."""
    for code in env["payment.provider"]._bd_codes():
        reset_payment_provider(env, code)
