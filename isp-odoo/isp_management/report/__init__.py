from . import isp_report_customer
from . import isp_report_cpe
from . import isp_report_package
from . import isp_report_profit_loss
from . import isp_report_finance
from . import isp_report_cash
from . import isp_report_print
from . import isp_report_collector
