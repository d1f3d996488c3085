from . import models, wizard
from . import controllers
from . import models
from .hooks import uninstall_hook
