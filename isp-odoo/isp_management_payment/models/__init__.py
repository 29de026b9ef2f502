from . import payment_provider
from . import payment_transaction
from . import own_qris
from . import customer_page
from . import gateway_fee
from . import gateway_refund
