"""Steps around installing the addon."""


def pre_init_hook(env):
    """Provide ``btree_gist``, which the constraint against billing a period twice needs.

    It is a trusted extension: the owner of the database may create it.
    """
    env.cr.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")


def uninstall_hook(env):
    """Take along the function behind the charges' trigger; the tables go by themselves."""
    env.cr.execute("DROP FUNCTION IF EXISTS isp_charge_cover() CASCADE")
