from . import main
from . import customer_page
