def post_init_hook(env):
    """Give the mail templates of the helpdesk their purpose: without one they are not sent."""
    env["mail.template"]._privacy_fill_purposes()
