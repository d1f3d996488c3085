from . import explain
from . import portal
from . import report_xlsx
