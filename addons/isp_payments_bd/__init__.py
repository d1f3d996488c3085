from . import models, controllers
from .hooks import post_init_hook, uninstall_hook
