from . import test_gateways
from . import test_gateway_attacks
