from . import test_install
from . import test_vault
from . import test_billing
from . import test_billing_rows
from . import test_installation
