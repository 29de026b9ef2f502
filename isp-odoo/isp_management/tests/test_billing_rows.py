"""The rows that the fast ways write are those of Odoo itself, column by column."""

from datetime import date
from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.tests import tagged

from .common import IspCommon

# What differs from one writing to the next whatever writes it.
NOT_COMPARED = {
    "account_move": {"id", "create_date", "write_date", "access_token", "message_main_attachment_id"},
    "account_move_line": {"id", "create_date", "write_date", "move_id"},
}


@tagged("post_install", "-at_install")
class TestBillingRows(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.journal = cls.company._isp_sale_journal()
        # The cron runs as OdooBot, who follows nothing.
        cls.robot = cls.env(
            user=SUPERUSER_ID, su=True, context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": cls.partner_a.id, "invoice_date": date(2026, 1, 2),
            "invoice_line_ids": [(0, 0, {"name": "first", "price_unit": 1000})],
        }).action_post()

    def drafts(self, cases):
        writer = self.env["isp.invoice_writer"]
        drafts = []
        for subscription, lines, taxes in cases:
            sold = [{**writer._line(subscription.package_id, self.company, *line), "taxes": taxes} for line in lines]
            drafts.append(writer._draft(
                subscription.partner_id, self.journal, date(2026, 3, 5), date(2026, 3, 15), sold,
                {"isp_subscription_id": subscription.id, "isp_period_start": date(2026, 3, 5)},
            ))
        return drafts

    def odoo_itself(self, drafts):
        """What a cron job without any trick does: create each invoice, and post them."""
        moves = self.robot["account.move"]
        for draft in drafts:
            moves |= moves.create(self.robot["isp.invoice_writer"]._plain_vals(draft))
        moves.action_post()
        self.robot.flush_all()
        return moves

    def rows(self, write):
        """All that is stored for the moves that ``write`` makes, and nothing left behind."""
        savepoint = self.env.cr.savepoint()
        moves = write()
        found = {}
        for table, column in (("account_move", "id"), ("account_move_line", "move_id")):
            self.env.cr.execute(
                'SELECT * FROM "%s" WHERE %s = ANY(%%s) ORDER BY %s, id' % (table, column, column), [moves.ids]
            )
            names = [d.name for d in self.env.cr.description]
            rows = [dict(zip(names, row)) for row in self.env.cr.fetchall()]
            found[table] = [self.comparable(table, row, moves) for row in rows]
        lines = {line.id: (moves.ids.index(line.move_id.id), line.display_type, line.name) for line in moves.line_ids}
        for table, left, right in (
            ("account_move_line_account_tax_rel", "account_move_line_id", "account_tax_id"),
            ("account_account_tag_account_move_line_rel", "account_move_line_id", "account_account_tag_id"),
        ):
            self.env.cr.execute(
                'SELECT %s, %s FROM "%s" WHERE %s = ANY(%%s)' % (left, right, table, left), [list(lines)]
            )
            found[table] = sorted((lines[line], value) for line, value in self.env.cr.fetchall())
        self.env.cr.execute(
            """
            SELECT f.res_id, f.partner_id, array_agg(s.mail_message_subtype_id ORDER BY s.mail_message_subtype_id)
            FROM mail_followers f LEFT JOIN mail_followers_mail_message_subtype_rel s ON s.mail_followers_id = f.id
            WHERE f.res_model = 'account.move' AND f.res_id = ANY(%s) GROUP BY f.id ORDER BY f.res_id, f.partner_id
            """,
            [moves.ids],
        )
        found["mail_followers"] = [(moves.ids.index(move), partner, kinds) for move, partner, kinds in self.env.cr.fetchall()]
        self.env.cr.execute("SELECT id, customer_rank FROM res_partner WHERE id = ANY(%s) ORDER BY id", [moves.partner_id.ids])
        found["res_partner"] = self.env.cr.fetchall()
        savepoint.rollback()
        savepoint.close(rollback=True)
        self.env.invalidate_all()
        return found

    def comparable(self, table, row, moves):
        kept = {name: value for name, value in row.items() if name not in NOT_COMPARED[table]}
        if table == "account_move_line":
            kept["move"] = moves.ids.index(row["move_id"])
        return kept

    def assertSameRows(self, drafts, way):
        wanted = self.rows(lambda: self.odoo_itself(drafts))
        got = self.rows(lambda: self.robot["isp.invoice_writer"]._write_invoices(self.company, drafts, way))
        self.assertEqual(set(wanted), set(got))
        for table, rows in wanted.items():
            rows, other = (sorted(r, key=str) if isinstance(r[0], dict) else r for r in (rows, got[table]))
            self.assertEqual(len(rows), len(other), table)
            for one, two in zip(rows, other):
                if isinstance(one, dict):
                    differ = {name: (one[name], two[name]) for name in one if one[name] != two[name]}
                    self.assertFalse(differ, "%s, %s: Odoo itself, then %s" % (table, one.get("display_type"), way))
                else:
                    self.assertEqual(one, two, table)
        return wanted

    def cases(self):
        first, second = self.new_subscription(), self.new_subscription(self.new_customer("Budi", country_id=False))
        none = self.env["account.tax"]
        other = self.ppn.copy({"name": "PPN 5", "amount": 5})
        return [
            (first, [("Paket", 250_000)], self.ppn),
            (second, [("Paket", 199_999), ("Discount", -33_333)], self.ppn),
            (first, [("Paket", 123_457)], none),
            (second, [("Paket", 77_777)], self.ppn + other),
        ]

    def numbered(self, cases):
        # One invoice a period: give each case a period of its own.
        drafts = self.drafts(cases)
        for number, draft in enumerate(drafts):
            draft["extra"]["isp_period_start"] = date(2026, 3 + number, 5)
        return drafts

    def test_whole_rows_are_odoos(self):
        drafts = self.numbered(self.cases())
        self.assertTrue(all(self.env["isp.invoice_writer"]._fits_whole(self.company, draft) for draft in drafts))
        rows = self.assertSameRows(drafts, "whole")
        self.assertEqual(len(rows["account_move"]), 4)
        self.assertEqual(len(rows["account_move_line"]), 3 + 4 + 2 + 4)

    def test_filled_rows_are_odoos(self):
        self.assertSameRows(self.numbered(self.cases()), "filled")

    def test_inclusive_prices_are_odoos(self):
        inclusive = self.ppn.copy({"name": "PPN inclusive", "price_include": True})
        drafts = self.numbered([(self.new_subscription(), [("Paket", 277_500)], inclusive)])
        self.assertFalse(self.env["isp.invoice_writer"]._fits_whole(self.company, drafts[0]))
        self.assertSameRows(drafts, "whole")

    def test_with_a_fiscal_position_and_a_users_own_customer(self):
        exempt = self.ppn.copy({"name": "Bebas", "amount": 0})
        position = self.env["account.fiscal.position"].create({
            "name": "Kawasan bebas", "company_id": self.company.id,
            "tax_ids": [(0, 0, {"tax_src_id": self.ppn.id, "tax_dest_id": exempt.id})],
        })
        subscription = self.new_subscription()
        subscription.partner_id.property_account_position_id = position
        drafts = self.numbered([(subscription, [("Paket", 250_000)], self.ppn)])
        rows = self.assertSameRows(drafts, "whole")
        self.assertEqual(rows["account_move"][0]["amount_tax"], 0)

    def test_where_it_is_delivered_says_which_taxes_are_owed(self):
        """Batam is free of PPN: the fiscal position applies by itself, by the address of delivery and not by that of the office."""
        exempt, indonesia = self.ppn.copy({"name": "Bebas", "amount": 0}), self.env.ref("base.id")
        batam, java = self.env["res.country.state"].search([("country_id", "=", indonesia.id)], limit=2)
        self.env["account.fiscal.position"].create({
            "name": "Kawasan bebas", "company_id": self.company.id, "auto_apply": True, "country_id": indonesia.id,
            "state_ids": [(6, 0, batam.ids)], "tax_ids": [(0, 0, {"tax_src_id": self.ppn.id, "tax_dest_id": exempt.id})],
        })
        office = {"country_id": indonesia.id, "state_id": java.id}
        there, here = (self.new_subscription(self.new_customer(name, **office)) for name in ("Di Batam", "Di Jawa"))
        self.env["res.partner"].create({
            "name": "Rumah", "type": "delivery", "parent_id": there.partner_id.id, "country_id": indonesia.id, "state_id": batam.id,
        })
        rows = self.assertSameRows(self.numbered([(line, [("Paket", 250_000)], self.ppn) for line in (there, here)]), "whole")
        self.assertEqual([row["amount_tax"] for row in rows["account_move"]], [0, 27_500])

    def test_payment_references_that_are_not_the_number(self):
        self.journal.invoice_reference_type = "partner"
        self.assertSameRows(self.numbered(self.cases()), "whole")

    def test_numbers_that_odoo_alone_knows(self):
        self.journal.sequence_override_regex = r"^(?P<prefix1>.*?)(?P<seq>\d{0,9})(?P<suffix>\D*?)$"
        self.assertSameRows(self.numbered(self.cases()), "whole")

    def test_numbers_with_a_suffix(self):
        first = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.partner_a.id, "invoice_date": date(2026, 3, 2), "name": "2026/03-007/NET",
            "invoice_line_ids": [(0, 0, {"name": "first", "price_unit": 1000})],
        })
        first.action_post()
        rows = self.assertSameRows(self.numbered(self.cases()), "whole")
        self.assertEqual(rows["account_move"][0]["sequence_prefix"], "2026/03-")

    def test_companies_with_branches_and_addresses(self):
        """Each of two branches, and the company beside them, is counted; what is delivered has an address of its own."""
        owner = self.new_subscription(self.new_customer("PT Induk", is_company=True))
        branches = [self.new_subscription(self.new_customer(name, parent_id=owner.partner_id.id)) for name in ("Satu", "Dua")]
        self.env["res.partner"].create({"name": "Gudang", "type": "delivery", "parent_id": owner.partner_id.id})
        cases = [(line, [("Paket", 250_000)], self.ppn) for line in (owner, *branches)]
        rows = self.assertSameRows(self.numbered(cases), "whole")
        self.assertEqual(len({row["partner_shipping_id"] for row in rows["account_move"]}), 1)

    def test_customers_that_somebody_holds_are_left_out_of_the_count(self):
        """Odoo counts none of several partners when one row is locked."""
        partners = self.partner_a | self.partner_b
        before = partners.mapped("customer_rank")
        held = self.env.registry["res.partner"]._increase_rank

        def increase(partner, field, n=1):
            if self.partner_a not in partner:
                held(partner, field, n)

        with patch.object(self.env.registry["res.partner"], "_increase_rank", increase):
            self.env["isp.invoice_writer"]._count_sales({("customer_rank", partner): 1 for partner in partners})
        self.assertEqual(partners.mapped("customer_rank"), [before[0], before[1] + 1])
