from . import test_gateways
from . import test_gateway_attacks
from . import test_gateway_page
from . import test_own_qris
from . import test_gateway_fees
from . import test_gateway_refunds
