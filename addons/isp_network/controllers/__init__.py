from . import portal_usage
from . import walled
