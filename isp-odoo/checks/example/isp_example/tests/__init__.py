from . import test_hooks, test_by_rpc
