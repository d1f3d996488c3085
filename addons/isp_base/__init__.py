from . import controllers, log_values, models
from .hooks import post_init_hook, uninstall_hook
