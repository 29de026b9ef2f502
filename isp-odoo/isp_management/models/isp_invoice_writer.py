"""Creating and posting many invoices at once, with the rows that Odoo itself would have written.

Three ways, from fast to plain; `test_billing_rows` compares every stored column of them:

* *whole*: all lines are given (product, tax, payment term) and Odoo's line sync is off. Only where taxes are plain
  percentages and terms are one due date, so that Odoo's own `compute_all` gives the tax lines.
* *filled*: numbers, accounts, taxes and followers are given, Odoo makes the tax and payment term lines.
* *plain*: what a user would enter; Odoo does everything. For whatever the other two do not fit.
"""

import logging
import re
from collections import Counter, defaultdict

from odoo import _, api, models
from odoo.fields import Command

from ..logic import collector
from ..logic.clock import last_day

_logger = logging.getLogger(__name__)

# Thousands of "invoice created" messages help nobody: the invoice names its subscription and period.
QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "mail_auto_subscribe_no_notify": True,
}


class IspInvoiceWriter(models.AbstractModel):
    _name = "isp.invoice_writer"
    _description = "Writer of many invoices"

    @api.model
    def _write_invoices(self, company, drafts, way="whole"):
        """Create and post the invoices of ``drafts``, dictionaries as `_draft` describes them; in one savepoint.

        The caller holds the lock of the journal: numbers are read and given here.
        """
        # The company's alone: what depends on it (accounts, fiscal positions) is that of the invoices.
        writer = self.sudo().with_company(company).with_context(allowed_company_ids=company.ids, **QUIET)
        moves = self.env["account.move"]
        with self.env.cr.savepoint(), collector.paused():
            for group, whole in writer._by_way(company, drafts, way):
                moves |= writer._write_group(company, group, way, whole)
            # Here, as this user: the end of a savepoint would flush as anybody.
            writer.env.flush_all()
        return moves.sudo(False)

    @api.model
    def _draft(self, partner, journal, invoice_date, due_date, lines, extra):
        """What one invoice needs: ``lines`` as `_line` makes them; ``extra`` are more values of the move."""
        return {
            "partner": partner, "journal": journal, "invoice_date": invoice_date, "due_date": due_date, "lines": lines, "extra": extra,
        }

    @api.model
    def _line(self, sold, company, name, price, **extra):
        """A line of an invoice: what is ``sold``, a package or a kind of installation, has the product and the taxes."""
        # Who is no PKP charges no PPN, whatever the package says.
        taxes = sold.tax_ids if company.isp_pkp else sold.tax_ids.browse()
        return {"product": sold.product_id, "taxes": taxes, "name": name, "price": price, "extra": extra}

    # Which way

    def _by_way(self, company, drafts, way):
        if way == "plain":
            return [(drafts, False)]
        whole = defaultdict(list)
        for draft in drafts:
            whole[way == "whole" and self._fits_whole(company, draft)].append(draft)
        return [(group, key) for key, group in whole.items()]

    def _fits_whole(self, company, draft):
        partner, lines = draft["partner"], draft["lines"]
        taxes = self.env["account.tax"].union(*(self._taxes(line["taxes"], partner) for line in lines))
        return (
            draft["journal"].currency_id in (self.env["res.currency"], company.currency_id)
            and company.tax_calculation_rounding_method == "round_per_line"
            and sum(line["price"] for line in lines) > 0
            and all(
                tax.amount_type == "percent" and not tax.price_include and not tax.include_base_amount
                and tax.tax_exigibility == "on_invoice" and not tax.analytic
                for tax in taxes
            )
        )

    def _fits_numbers(self, company, journal, drafts):
        """False where Odoo has more to say about numbers and dates than a next number."""
        locked = max(
            (day for day in (
                company._get_user_fiscal_lock_date(), company.tax_lock_date,
            ) if day),
            default=None,
        )
        return (
            not journal.restrict_mode_hash_table
            and not journal.sequence_override_regex
            and not journal.sale_activity_type_id
            and not (locked and min(draft["invoice_date"] for draft in drafts) <= locked)
        )

    # Writing

    def _write_group(self, company, drafts, way, whole):
        vals = [self._plain_vals(draft) for draft in drafts]
        if way != "plain":
            self._fill(company, drafts, vals)
        if whole:
            for draft, values in zip(drafts, vals):
                self._add_lines(company, draft, values)
        # Odoo makes no lines and corrects none where all are given; what it need not work out is in `isp_invoice_rows`.
        given = {"skip_invoice_sync": True, "isp_reference_given": all("payment_reference" in values for values in vals)} if whole else {}
        moves = self.env["account.move"].with_context(
            **given, skip_invoice_line_sync=whole or None, isp_rows_given=whole or None, default_move_type="out_invoice",
        ).create(vals)
        if way != "plain":
            self._follow(moves)
        moves, ranks = moves.with_env(self.env), Counter()
        moves.with_context(**given, isp_ranks=ranks)._post(soft=False)
        self._count_sales(ranks)
        return moves

    def _plain_vals(self, draft):
        draft["journal"].company_id._isp_check_rupiah()
        return {
            "move_type": "out_invoice",
            "journal_id": draft["journal"].id,
            "partner_id": draft["partner"].id,
            "currency_id": draft["journal"].company_id.currency_id.id,
            "invoice_date": draft["invoice_date"],
            "invoice_date_due": draft["due_date"],
            "invoice_payment_term_id": False,
            "invoice_line_ids": [
                Command.create({
                    "product_id": line["product"].id,
                    "name": line["name"],
                    "quantity": 1,
                    "price_unit": line["price"],
                    "tax_ids": [Command.set(self._taxes(line["taxes"], draft["partner"]).ids)],
                    **line["extra"],
                })
                for line in draft["lines"]
            ],
            **draft["extra"],
        }

    def _fill(self, company, drafts, vals):
        journal = drafts[0]["journal"]
        numbers = None
        if self._fits_numbers(company, journal, drafts):
            numbers = self._next_numbers(journal, [draft["invoice_date"] for draft in drafts])
        referable = journal.invoice_reference_type == "invoice" and journal.invoice_reference_model == "odoo"
        analytic = bool(self.env["account.analytic.distribution.model"].search_count([], limit=1))
        for at, (draft, values) in enumerate(zip(drafts, vals)):
            values["fiscal_position_id"] = self._fiscal_position(draft["partner"]).id
            values["date"] = draft["invoice_date"]
            values["company_id"] = company.id
            values["partner_shipping_id"] = self._delivery(draft["partner"]).id
            if numbers:
                values["name"] = numbers[at]
                if referable:
                    values["payment_reference"] = numbers[at]
            for command, line in zip(values["invoice_line_ids"], draft["lines"], strict=True):
                account = self._income_account(line["product"], draft["partner"], journal)
                command[2].update(account_id=account.id, product_uom_id=line["product"].uom_id.id)
                if not analytic:
                    command[2]["analytic_distribution"] = False

    def _add_lines(self, company, draft, values):
        """Give the tax lines and the payment term line, as Odoo's sync would make them."""
        currency, partner = company.currency_id, draft["partner"]
        total, taxed, tax_lines = 0, 0, {}
        for command, sold in zip(values["invoice_line_ids"], draft["lines"], strict=True):
            price = command[2]["price_unit"]
            computed = self._tax_of(self._taxes(sold["taxes"], partner), price, currency, sold["product"])
            command[2].update(
                display_type="product", currency_id=currency.id, partner_id=partner.commercial_partner_id.id,
                amount_currency=-price, balance=-price, tax_tag_ids=[Command.set(computed["base_tags"])],
                **self._item_row(
                    values, command[2]["account_id"], tagged=computed["taxes"] or computed["base_tags"],
                    price_subtotal=price, price_total=-computed["total_included"],
                ),
            )
            total += price
            taxed += price
            for tax in computed["taxes"]:
                if not tax["amount"]:
                    continue
                total -= tax["amount"]
                line = tax_lines.setdefault(
                    (tax["tax_repartition_line_id"], tax["account_id"] or command[2]["account_id"]),
                    {"name": tax["name"], "tags": tax["tag_ids"], "amount": 0, "base": 0},
                )
                line["amount"] += tax["amount"]
                line["base"] -= tax["base"]
        values["line_ids"] = values.pop("invoice_line_ids")
        for (repartition, account), line in tax_lines.items():
            values["line_ids"].append(Command.create({
                "display_type": "tax", "name": line["name"], "account_id": account, "currency_id": currency.id,
                "partner_id": partner.commercial_partner_id.id, "tax_repartition_line_id": repartition,
                "tax_base_amount": line["base"], "tax_tag_ids": [Command.set(line["tags"])], "tax_ids": [Command.set([])],
                "amount_currency": line["amount"], "balance": line["amount"],
                "analytic_distribution": False, **self._item_row(values, account, tagged=True),
            }))
        receivable = self._fiscal_position(partner).map_account(partner.property_account_receivable_id)
        values["line_ids"].append(Command.create({
            "display_type": "payment_term", "name": values.get("payment_reference", ""), "account_id": receivable.id,
            "currency_id": currency.id, "partner_id": partner.commercial_partner_id.id,
            "date_maturity": draft["due_date"], "amount_currency": total, "balance": total,
            "discount_balance": 0.0, "discount_amount_currency": 0.0, "tax_ids": [Command.set([])],
            **self._item_row(values, receivable.id, amount_residual=total, amount_residual_currency=total),
        }))
        values.update(self._move_row(values.get("name"), partner, taxed, total))

    def _item_row(self, values, account, tagged=False, **amounts):
        """The stored columns that Odoo works out of an item of a draft, and writes by an UPDATE of its own (`ITEM_ROW`)."""
        return {
            "account_root_id": self.env["account.account"].browse(account).root_id.id, "date": values["date"],
            "invoice_date": values["invoice_date"], "move_name": values.get("name", "/"), "parent_state": "draft", "ref": False,
            "payment_id": False, "statement_id": False, "statement_line_id": False, "reconciled": False, "tax_tag_invert": bool(tagged),
            "price_subtotal": 0.0, "price_total": 0.0, "amount_residual": 0.0, "amount_residual_currency": 0.0, **amounts,
        }

    def _move_row(self, number, partner, untaxed, total):
        """The same of an invoice, as far as it differs from one to the next. Odoo works it out all the same, and wins."""
        numbered = re.match(self.env["account.move"]._sequence_fixed_regex, number) if number else None
        split = {"sequence_prefix": number[:numbered.start("seq")], "sequence_number": int(numbered["seq"] or 0)} if numbered else {}
        return {
            **split,
            "commercial_partner_id": partner.commercial_partner_id.id, "invoice_partner_display_name": partner.display_name,
            "amount_untaxed": untaxed, "amount_untaxed_signed": untaxed, "amount_tax": total - untaxed,
            "amount_tax_signed": total - untaxed, "amount_total": total, "amount_total_signed": total,
            "amount_total_in_currency_signed": total, "amount_residual": total, "amount_residual_signed": total,
        }

    def _follow(self, moves):
        """The customers follow their invoices, as posting would do one by one."""
        default, _internal, external = self.env["mail.message.subtype"].default_subtypes("account.move")
        self.env["mail.followers"].create([
            {
                "res_model": "account.move",
                "res_id": move.id,
                "partner_id": move.partner_id.id,
                "subtype_ids": [Command.set((external if move.partner_id.partner_share else default).ids)],
            }
            for move in moves
        ])
        moves.invalidate_recordset(["message_follower_ids", "message_partner_ids"])

    def _count_sales(self, ranks):
        """Odoo counts each partner's invoices by a statement and a savepoint of its own: here those of the same count together."""
        together = defaultdict(self.env["res.partner"].browse)
        for (field, partner), count in ranks.items():
            together[field, count] |= partner
        for (field, count), partners in together.items():
            before = partners.mapped(field)
            partners._increase_rank(field, count)
            if partners.mapped(field) == before:
                # Somebody holds one of them, and Odoo gave up on all.
                for partner in partners:
                    partner._increase_rank(field, count)

    # What is the same for many

    def _memo(self, kind):
        """A dictionary that lives as long as the transaction's cache of one run."""
        return self.env.context["isp_memo"][kind] if "isp_memo" in self.env.context else {}

    def _delivery(self, partner):
        """Where a partner's invoices say that it is served, as Odoo fills in by itself."""
        memo = self._memo("delivery")
        if partner not in memo:
            found = partner.address_get(["delivery"])["delivery"]
            # As one of those that are read together, and not by itself.
            beside = next((one for one in partner.child_ids if one.id == found), partner.browse(found))
            memo[partner] = partner if found == partner.id else beside
        return memo[partner]

    def _fiscal_position(self, partner):
        """By where a partner is served, as Odoo finds it; many share one."""
        memo, delivery = self._memo("fiscal_position"), self._delivery(partner)
        key = (
            delivery.property_account_position_id.id, partner.property_account_position_id.id, delivery.country_id.id,
            delivery.state_id.id, delivery.zip, delivery.vat, partner.vat,
        )
        if key not in memo:
            memo[key] = self.env["account.fiscal.position"]._get_fiscal_position(partner, delivery=delivery).id
        return self.env["account.fiscal.position"].browse(memo[key])

    def _taxes(self, taxes, partner):
        """The taxes that a partner is charged in place of these."""
        memo = self._memo("taxes")
        key = (taxes._ids, self._fiscal_position(partner).id)
        if key not in memo:
            memo[key] = self._fiscal_position(partner).map_tax(taxes).ids
        return self.env["account.tax"].browse(memo[key])

    def _income_account(self, product, partner, journal):
        memo = self._memo("income")
        position = self._fiscal_position(partner)
        key = (product.id, position.id)
        if key not in memo:
            template = product.product_tmpl_id
            memo[key] = (template.get_product_accounts(position)["income"] or journal.default_account_id).id
        return self.env["account.account"].browse(memo[key])

    def _tax_of(self, taxes, price, currency, product):
        memo = self._memo("tax")
        key = (taxes._ids, price)
        if key not in memo:
            memo[key] = taxes.compute_all(
                -price, currency=currency, quantity=1, product=product, handle_price_include=True,
                fixed_multiplicator=-1,
            )
        return memo[key]

    def _next_numbers(self, journal, days):
        """The numbers that Odoo would give to invoices of these days, in this order; the journal's row is locked."""
        numbers, known = [], []
        for day in days:
            series = next((s for s in known if s["from"] <= day <= s["to"]), None)
            if series is None:
                series = self._number_series(journal, day)
                known.append(series)
            series["values"]["seq"] += 1
            numbers.append(series["format"].format(**series["values"]))
        return numbers

    def _number_series(self, journal, day):
        probe = self.env["account.move"].new({
            "move_type": "out_invoice", "journal_id": journal.id, "invoice_date": day, "date": day,
        })
        last = probe._get_last_sequence()
        fresh = not last
        if fresh:
            last = probe._get_last_sequence(relaxed=True) or probe._get_starting_sequence()
        template, values = probe._get_sequence_format_param(last)
        reset = probe._deduce_sequence_number_reset(last)
        start, end = probe._get_sequence_date_range(reset)
        if fresh:
            values.update(
                seq=0,
                year=probe._truncate_year_to_length(start.year, values["year_length"]),
                year_end=probe._truncate_year_to_length(end.year, values["year_end_length"]),
                month=start.month,
            )
        return {"from": start, "to": end, "format": template, "values": values}

    # Texts

    def _line_name(self, package_name, line, invoice):
        """The text of an invoice line, in the language of the context."""
        # The last day is shown, the engine keeps the day after it.
        period = "%s - %s" % (
            invoice.period_start.strftime("%d/%m/%Y"),
            last_day(invoice.period_end).strftime("%d/%m/%Y"),
        )
        if line.kind == "discount":
            text = _("Discount %(package)s, %(period)s", package=package_name, period=period)
        else:
            text = _("%(package)s, %(period)s", package=package_name, period=period)
        if line.days:
            text += _(" (%(days)s of %(of_days)s days)", days=line.days, of_days=line.of_days)
        return text
