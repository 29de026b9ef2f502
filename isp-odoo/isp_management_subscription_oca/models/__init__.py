from . import res_company
from . import sale_subscription
