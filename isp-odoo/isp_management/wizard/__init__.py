from . import isp_show_mixin
from . import isp_explain_wizard
from . import isp_isolation_wizard
from . import isp_breaker_wizard
from . import isp_router_plan_wizard
from . import isp_router_import_wizard
from . import isp_channel_test_wizard
