from . import audit_guard


def uninstall_hook(env):
    """Remove the guard of the audit chain; the tables themselves go with their models."""
    audit_guard.drop(env.cr)
