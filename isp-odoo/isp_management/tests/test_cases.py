import logging
import os
import traceback
from pathlib import Path
from unittest.mock import patch

from isp_engine import cases

from odoo.tests import tagged

from .cases_host import OdooHost
from .common import IspCommon

_logger = logging.getLogger(__name__)

FOLDER = Path(os.environ.get("ISP_CASES") or Path(__file__).parents[3] / "cases")


@tagged("post_install", "-at_install")
class TestCases(IspCommon):
    """Every case of the repository on a real Odoo; logs Odoo's column of the table of hosts."""

    def setUp(self):
        super().setUp()
        # Each case is rolled back as a whole.
        commit = patch("odoo.addons.isp_management.logic.transaction.commit", lambda env: None)
        commit.start()
        self.addCleanup(commit.stop)

    def live(self, case):
        with self.env.cr.savepoint() as savepoint:
            try:
                found = case.compare(cases.live(OdooHost(self), case))
            except Exception:  # One case that breaks the host is red, and the others are lived.
                found = [traceback.format_exc(limit=-4)]
            savepoint.rollback()
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        return found

    def test_every_case_is_green_on_odoo(self):
        self.assertTrue(FOLDER.is_dir(), "no cases in %s" % FOLDER)
        lacks, waiting = (FOLDER / "hosts.toml").read_text(), (FOLDER / "_waiting" / "hosts.toml").read_text()
        wanted, reds, outcomes = os.environ.get("ISP_CASES_ONLY", ""), [], []
        for case in cases.read(FOLDER):
            if wanted not in case.file:
                continue
            if case.lacks(lacks, "odoo"):
                outcomes.append((case, "lacking"))
            elif case.lacks(waiting, "odoo"):
                outcomes.append((case, "waiting"))
            else:
                found = self.live(case)
                outcomes.append((case, "red" if found else "green"))
                if found:
                    reds.append("\n".join(["%s: %s" % (case.file, case.data["title"]), *found]))
        _logger.info("cases on this host:\n%s", cases.table("odoo", outcomes))
        self.assertFalse(reds, "%s red\n\n%s" % (len(reds), "\n\n".join(reds)))
        self.assertGreater(sum(outcome == "green" for _, outcome in outcomes), 0 if wanted else 90)
