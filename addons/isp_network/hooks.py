from .radius import schema


def uninstall_hook(env):
    """Remove the RADIUS schema, its triggers and its accounting."""
    schema.drop(env.cr)
