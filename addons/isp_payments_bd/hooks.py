from odoo.addons.payment import reset_payment_provider, setup_provider


def _codes(env):
    """Return the codes that have a gateway in this version of the addon."""
    known = env["payment.provider"]._fields["code"].get_values(env)
    return [code for code in env["payment.provider"]._bd_codes() if code in known]


def post_init_hook(env):
    """Give every company its own providers."""
    for code in _codes(env):
        setup_provider(env, code)


def uninstall_hook(env):
    """Detach the providers from the addon; refused by Odoo while payments exist."""
    for code in _codes(env):
        reset_payment_provider(env, code)
