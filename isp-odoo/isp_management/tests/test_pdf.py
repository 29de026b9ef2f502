import io
import os
import re

from PyPDF2 import PdfReader

from odoo.tests import tagged

from .common import IspHttpCase
from .reports_common import IspReportsCommon

MANY = 70
# What each report says of the provider in reports_common.py on 20 February 2026.
SAYS = {
    "customer": ["Laporan pelanggan", "Siti Rahayu", "1.365.500"],
    "cpe": ["Laporan CPE", "LHG 5", "750.000"],
    "package": ["Laporan paket", "HOME-50", "650.000"],
    "finance": ["Laporan keuangan bulanan", "01/2026", "427.500"],
    "cash": ["Posisi uang", "02/2026", "Semua akun"],
    "profit_loss": ["Laba rugi", "Jumlah pendapatan", "1.600.000", "1.750.000", "-150.000"],
}


@tagged("post_install", "-at_install")
class TestPdf(IspReportsCommon, IspHttpCase):
    """Each report as the PDF that a user gets: wkhtmltopdf prints it, with style sheets from this Odoo over HTTP."""

    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.env["isp.customer"].create([
            {"name": "Pelanggan %02d" % number, "mobile": "0812-0000-%04d" % number, "city": "Garut"} for number in range(MANY)
        ])

    def pdf(self, key):
        """The file, and the text of each of its pages without white space at the seams."""
        reports = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        self.assertEqual(reports.get_wkhtmltopdf_state(), "ok", "wkhtmltopdf with patched Qt prints the reports")
        self.env["ir.config_parameter"].set_param("report.url", self.base_url())
        printed = self.printed(key)
        file, kind = reports.with_env(printed.env(context={**printed.env.context, "force_report_rendering": True}))._render_qweb_pdf(
            "isp_management.isp_report_print_document", printed.ids
        )
        self.assertEqual((kind, file[:5]), ("pdf", b"%PDF-"))
        # Somebody has to look at them: ISP_ODOO_PICTURES names a directory to leave them in.
        if os.environ.get("ISP_ODOO_PICTURES"):
            with open(os.path.join(os.environ["ISP_ODOO_PICTURES"], "%s.pdf" % key), "wb") as kept:
                kept.write(file)
        return file, [re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(io.BytesIO(file)).pages]

    def test_each_report_prints(self):
        for key, words in SAYS.items():
            with self.subTest(report=key):
                file, pages = self.pdf(key)
                self.assertGreaterEqual(len(pages), 1)
                for word in words:
                    self.assertIn(word, " ".join(pages))
                for page in pages:
                    self.assertIn(self.company.name, page, "every page says whose it is")
                    self.assertIn("Dicetak 20/02/2026 09:00 WIB", page)
                width, height = PdfReader(io.BytesIO(file)).pages[0].mediabox[2:]
                self.assertGreater(width, height, "A4 across")

    def test_a_long_report_repeats_its_head_and_counts_its_pages(self):
        _file, pages = self.pdf("customer")
        self.assertGreaterEqual(len(pages), 3)
        for number, page in enumerate(pages, 1):
            self.assertIn("Pelanggan", page)
            self.assertIn("Piutang", page, "the head of the table")
            self.assertRegex(page, r"%d ?/ ?%d" % (number, len(pages)))
        self.assertIn("%s pelanggan" % (MANY + 2), pages[-1])
