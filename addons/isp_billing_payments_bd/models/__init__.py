from . import isp_gateway_receipt
from . import isp_wallet_charge
from . import payment_provider
from . import payment_token
from . import payment_transaction
from . import res_partner
