from . import isp_encrypted_mixin
from . import ir_actions_report
from . import ir_config_parameter
from . import publisher_warranty_contract
from . import res_company
from . import res_config_settings
from . import res_lang
