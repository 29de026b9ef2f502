import base64
import io
import zipfile
from datetime import date
from xml.etree import ElementTree

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .reports_common import IspReportsCommon

REPORTS = ("customer", "cpe", "package", "finance", "cash", "profit_loss")
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@tagged("post_install", "-at_install")
class TestReports(IspReportsCommon):
    def ledger(self, domain):
        [(balance,)] = self.env["account.move.line"]._read_group(
            [("company_id", "=", self.company.id), ("parent_state", "=", "posted"), *domain], [], ["balance:sum"]
        )
        return balance

    # Numbers

    def test_profit_and_loss_is_the_ledger(self):
        groups = self.seen("profit_loss")._read_group(
            [("company_id", "=", self.company.id)], ["kind"], ["result:sum", "revenue:sum", "cost:sum"]
        )
        result = {kind: result for kind, result, _revenue, _cost in groups}
        self.assertEqual(result, {
            "subscription": 1_300_000, "installation": 300_000, "device": -750_000, "expense": -1_000_000,
        })
        self.assertEqual(
            sum(result.values()), -self.ledger([("account_id.internal_group", "in", ("income", "expense"))])
        )

    def test_profit_and_loss_by_package_site_and_month(self):
        report = self.seen("profit_loss")
        own = [("company_id", "=", self.company.id)]
        by_package = dict(report._read_group([*own, ("kind", "=", "subscription")], ["package_id"], ["revenue:sum"]))
        self.assertEqual(by_package, {
            self.package.with_env(report.env): 500_000, self.fast.with_env(report.env): 800_000,
        })
        by_site = dict(report._read_group([*own, ("kind", "!=", "expense")], ["site"], ["result:sum"]))
        self.assertEqual(by_site, {"Bandung": 800_000, "Garut": 50_000})
        by_month = dict(report._read_group(own, ["date:month"], ["result:sum"]))
        self.assertEqual(by_month, {date(2026, 1, 1): -50_000, date(2026, 2, 1): -100_000})

    def test_a_package_sold_then_is_not_the_package_of_today(self):
        self.sub_siti.sudo().package_id = self.fast
        by_package = dict(self.seen("profit_loss")._read_group(
            [("company_id", "=", self.company.id), ("kind", "=", "subscription")], ["package_id"], ["revenue:sum"]
        ))
        self.assertEqual({package.code: revenue for package, revenue in by_package.items()}, {"HOME-20": 500_000, "HOME-50": 800_000})

    def test_a_credit_note_and_a_cancelled_expense_go_where_they_came_from(self):
        move = self.sub_budi.move_ids.sorted("invoice_date")[1]
        refund = move._reverse_moves([{"date": date(2026, 2, 18), "invoice_date": date(2026, 2, 18)}])
        refund.action_post()
        self.expense.action_cancel()
        rows = self.seen("profit_loss")._read_group(
            [("company_id", "=", self.company.id)], ["kind"], ["result:sum"]
        )
        self.assertEqual(dict(rows), {"subscription": 900_000, "installation": 300_000, "device": -750_000, "expense": 0})
        by_package = dict(self.seen("profit_loss")._read_group(
            [("company_id", "=", self.company.id), ("kind", "=", "subscription")], ["site"], ["result:sum"]
        ))
        self.assertEqual(by_package, {"Bandung": 500_000, "Garut": 400_000})

    def test_finance_is_the_ledger(self):
        report, own = self.seen("finance"), [("company_id", "=", self.company.id)]
        names = ("billed", "ppn", "billed_total", "collected", "cost", "receivable")
        [sums] = report._read_group(own, [], ["%s:sum" % name for name in names])
        total = dict(zip(names, sums))
        self.assertEqual(total, {
            "billed": 1_600_000, "ppn": 143_000, "billed_total": 1_743_000, "collected": 427_500, "cost": 1_750_000,
            "receivable": 1_315_500,
        })
        self.assertEqual(total["receivable"], self.ledger([("account_type", "=", "asset_receivable")]))
        self.assertEqual(total["billed"], -self.ledger([("account_id.internal_group", "=", "income")]))
        self.assertEqual(total["ppn"], -self.ledger([("display_type", "=", "tax")]))
        by_month = {month: amount for month, amount in report._read_group(own, ["date:month"], ["collected:sum"])}
        self.assertEqual(by_month, {date(2026, 1, 1): 277_500, date(2026, 2, 1): 150_000})
        by_site = dict(report._read_group(own, ["site"], ["collected:sum"]))
        self.assertEqual(by_site, {"Bandung": 277_500, "Garut": 100_000, False: 50_000})
        ids = report.search(own).ids
        self.assertEqual(len(ids), len(set(ids)))

    def cash(self, month, account):
        row = self.seen("cash").search([("company_id", "=", self.company.id), ("date", "=", month), ("account_id", "=", account.id)])
        return row.opening, row.received, row.other, row.unknown, row.moved, row.spent, row.closing

    def test_where_the_money_is_is_the_ledger(self):
        report, own = self.seen("cash"), [("company_id", "=", self.company.id)]
        rows = report.search(own)
        self.assertEqual(sum(rows.mapped("received")), 427_500)
        self.assertEqual(sum(rows.mapped("spent")), -self.ledger([
            ("account_id.account_type", "=", "asset_cash"), ("move_id.isp_subscription_id", "=", False), ("balance", "<", 0),
        ]))
        for row in rows:
            self.assertEqual(row.opening + row.received + row.other + row.unknown + row.moved - row.spent, row.closing)
        for account in rows.account_id:
            last = rows.filtered(lambda row, account=account: row.account_id == account).sorted("date")[-1:]
            self.assertEqual(last.closing, self.ledger([("account_id", "=", account.id)]), account.code)

    def test_money_that_moves_is_neither_received_nor_spent(self):
        bank, till = self.company_data["default_journal_bank"], self.company_data["default_journal_cash"]
        line = self.env["account.bank.statement.line"].create(
            {"journal_id": bank.id, "date": date(2026, 4, 3), "payment_ref": "SETOR", "amount": 70_000}
        )
        self.assertEqual(self.cash(date(2026, 4, 1), bank.default_account_id)[1:6], (0, 0, 70_000, 0, 0), "nobody has said what it is")
        line.unlink()
        self.env["account.move"].create({"date": date(2026, 4, 4), "line_ids": [
            Command.create({"account_id": bank.default_account_id.id, "debit": 50_000}),
            Command.create({"account_id": till.default_account_id.id, "credit": 50_000}),
        ]}).action_post()
        self.env["account.move"].create({"date": date(2026, 5, 4), "line_ids": [
            Command.create({"account_id": bank.default_account_id.id, "debit": 1_000_000}),
            Command.create({"account_id": self.company_data["default_account_revenue"].copy({"account_type": "equity", "code": "31999999"}).id, "credit": 1_000_000}),
        ]}).action_post()
        april, may = (self.cash(date(2026, month, 1), bank.default_account_id) for month in (4, 5))
        self.assertEqual((april[1:6], may[1:6]), ((0, 0, 0, 50_000, 0), (0, 1_000_000, 0, 0, 0)))
        self.assertEqual((may[0], may[6]), (april[6], april[6] + 1_000_000))
        self.assertEqual(self.cash(date(2026, 4, 1), till.default_account_id)[4], -50_000)
        titles = [cells[0] for style, cells in self.printed("cash")._isp_table()["rows"] if style == "section"]
        self.assertEqual(titles[:2], ["01/2026", "02/2026"])

    def test_customers_show_what_they_owe_on_the_day(self):
        rows = {row.customer_id.name: row for row in self.seen("customer").search([("company_id", "=", self.company.id)])}
        siti, budi = rows["Siti Rahayu"], rows["Budi Santoso"]
        self.assertEqual((siti.line_count, siti.monthly_value, siti.package_id.code, siti.site), (1, 250_000, "HOME-20", "Bandung"))
        self.assertEqual((siti.owed, siti.overdue, siti.credit), (577_500, 577_500, 50_000))
        # Due 15 January (with 100,000 paid) and 15 February: 36 days late on 20 February.
        self.assertEqual((budi.owed, budi.overdue, budi.days_late), (788_000, 788_000, 36))
        total = sum(row.owed - row.credit for row in rows.values())
        self.assertEqual(total, self.ledger([("account_type", "=", "asset_receivable")]))
        on_the_day = self.siti.with_env(self.at("2026-02-20 09:00"))
        self.assertEqual(siti.overdue, on_the_day.amount_overdue)

    def test_packages_and_devices(self):
        self.sub_siti.sudo().desired_access = "isolated"
        rows = {
            package.code: sums for package, *sums in self.seen("package")._read_group(
                [("company_id", "=", self.company.id)], ["package_id"],
                ["active_count:sum", "isolated_count:sum", "monthly_value:sum"],
            )
        }
        unsold = self.new_package("HOME-100", 600_000)
        self.assertEqual(rows, {"HOME-20": [1, 1, 250_000], "HOME-50": [1, 0, 400_000]})
        self.assertFalse(self.seen("package").search([("package_id", "=", unsold.id)]).subscription_id)
        row = self.seen("cpe").search([("cpe_id", "=", self.cpe.id)])
        self.assertEqual((row.replaced_count, row.cost, row.value, row.to_return, row.site), (1, 750_000, 900_000, False, "Garut"))
        self.sub_budi.with_env(self.at("2026-02-20 09:00")).action_terminate()
        self.budi.action_terminate()
        row.invalidate_recordset()
        self.assertTrue(row.to_return)
        self.assertEqual(row.value_to_return, 900_000)

    # Paper

    def test_each_report_renders(self):
        for key in REPORTS:
            printed = self.printed(key)
            table = printed._isp_table()
            html, _kind = self.env["ir.actions.report"]._render_qweb_html("isp_management.isp_report_print_document", printed.ids)
            html = html.decode()
            self.assertIn(table["title"], html, key)
            self.assertEqual(html.count("<td"), sum(len(cells) for _style, cells in table["rows"]), key)
            for _style, cells in table["rows"]:
                self.assertEqual(len(cells), len(table["columns"]), key)

    def test_each_xlsx_opens_and_holds_the_numbers_of_the_screen(self):
        for key in REPORTS:
            printed = self.printed(key)
            action = printed.action_xlsx()
            self.assertIn(printed.xlsx_name, action["url"])
            table = printed._isp_table()
            with zipfile.ZipFile(io.BytesIO(base64.b64decode(printed.xlsx))) as book:
                self.assertIsNone(book.testzip())
                strings = [
                    "".join(t.text or "" for t in item.iter(SHEET + "t"))
                    for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
                ]
                sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
            rows = [
                [
                    strings[int(cell.findtext(SHEET + "v"))] if cell.get("t") == "s"
                    else float(cell.findtext(SHEET + "v") or 0) for cell in row
                ]
                for row in sheet.iter(SHEET + "row")
            ]
            self.assertEqual(rows[0], [table["title"]], key)
            top = len(table["notes"]) + 1
            self.assertEqual(rows[top], [label for label, _kind in table["columns"]], key)
            self.assertEqual(len(rows) - top - 1, len(table["rows"]), key)
            for got, (_style, cells) in zip(rows[top + 1:], table["rows"]):
                for value, cell, (_label, kind) in zip(got, cells, table["columns"]):
                    if kind in ("money", "int") and cell != "":
                        self.assertEqual(value, cell, key)

    def test_the_printed_profit_and_loss(self):
        rows = {cells[0]: cells[1:] for _style, cells in self.printed("profit_loss")._isp_table()["rows"]}
        self.assertIn([-50_000, -100_000, -150_000], rows.values())
        self.assertIn([1_000_000, 0, 1_000_000], rows.values())
        only = {c[0]: c[1:] for _s, c in self.printed("profit_loss", router_id=self.garut.id)._isp_table()["rows"]}
        self.assertIn([400_000, -350_000, 50_000], only.values())

    def test_the_printed_finance_carries_the_receivable_on(self):
        rows = self.printed("finance", date_from=date(2026, 2, 1))._isp_table()["rows"]
        self.assertEqual(rows[0][1][1:], [650_000, 71_500, 721_500, 150_000, 0, 750_000, -600_000, 1_315_500])
        self.assertEqual([style for style, _cells in rows], ["normal", "total"])

    def test_limits(self):
        with self.assertRaises(UserError):
            self.printed("finance", date_from=date(2024, 1, 1)).action_pdf()
        with self.assertRaises(UserError):
            self.printed("finance", date_from=date(2026, 3, 1)).action_xlsx()

    def test_who_reads_what(self):
        allowed = {
            "technician": {"cpe", "package"}, "cashier": {"customer", "cpe", "package"}, "billing": set(REPORTS),
            "manager": set(REPORTS),
        }
        for group, names in allowed.items():
            user = new_test_user(
                self.env, "report-" + group, groups="isp_management.group_%s" % group, company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            for key in REPORTS:
                dialog = self.env["isp.report.print"].with_user(user)
                if key in names:
                    printed = dialog.create({"report": key})
                    self.assertTrue(printed._isp_table()["rows"], (group, key))
                    rows = self.env["isp.report.%s" % key].with_user(user).search([])
                    self.assertTrue(rows.read(), (group, key))
                else:
                    with self.assertRaises(ValueError, msg="a report that this person may not read is not offered"):
                        dialog.create({"report": key})
                    with self.assertRaises(AccessError):
                        self.env["isp.report.%s" % key].with_user(user).search([])

    def test_another_company_sees_nothing(self):
        other = self.company_data_2["company"]
        user = new_test_user(
            self.env, "report-lain", groups="isp_management.group_manager", company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for key in REPORTS:
            self.assertFalse(self.env["isp.report.%s" % key].with_user(user).search([]), key)
