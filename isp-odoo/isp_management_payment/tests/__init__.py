from . import test_gateways
