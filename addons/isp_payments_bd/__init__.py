from . import models, controllers, wizard
from .hooks import post_init_hook, uninstall_hook
