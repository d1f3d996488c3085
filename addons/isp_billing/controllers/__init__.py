from . import explain
from . import portal
from . import report
from . import report_xlsx
