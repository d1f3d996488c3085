from . import payment_provider
from . import isp_gateway_event
from . import payment_transaction
from . import payment_transaction_settle
from . import payment_transaction_refund
from . import payment_transaction_books
from . import payment_transaction_job
from . import payment_transaction_staff
