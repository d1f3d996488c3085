from . import models, report, wizard, controllers
from .hooks import pre_init_hook, uninstall_hook
