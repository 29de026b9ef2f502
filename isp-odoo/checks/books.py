"""The two companies with books that Odoo's common test class makes for each class of tests: made once for a run of everything, whose
classes then take them (`setup_company_data` in tests/common.py).

usage: books.py CONF
"""

import sys

from boot import environment


def main(conf):
    with environment(conf) as env:
        for name in ("company_2_data", "company_1_data"):
            company = env["res.company"].create({"name": name})
            env["account.chart.template"].try_loading("id", company=company, install_demo=False)
        env.cr.commit()


if __name__ == "__main__":
    main(sys.argv[1])
