from . import test_subscription_oca
