"""Changes of terms: start, another package or billing day, a pause and its end, the end. The engine decides what a wish comes to;
here a line and what it was invoiced become its facts, and its answer is written, all of it in one transaction or nothing."""

from collections import defaultdict

import isp_engine

from odoo import _, api, models
from odoo.tools.translate import _lt

from ..logic import terms_rows
from ..logic.money import whole
from .isp_billing_run import LOCK

NOTES = {
    "package_change": _lt("Change of package"),
    "pause": _lt("Days of a pause"),
    "termination": _lt("Days after the end"),
}
# What the line is, by the engine's reason for its access.
STATES = {"paused": "paused", "terminated": "terminated"}


class IspTerms(models.AbstractModel):
    _name = "isp.terms"
    _description = "Changes of terms"

    # What the engine is told

    @api.model
    def _isp_decide(self, company, pairs):
        """What wishes come to: ``pairs`` of a line of the company and a wish, None for one that begins. The answers are in
        their order, a `TermsChange` or the `InvalidValue` that refuses it. Nothing is written."""
        company = company.sudo()
        self = self.sudo().with_company(company)
        listed = self._isp_ask(company, pairs, taxed=False)
        mixed = [at for at, (line, wish) in enumerate(pairs) if self._isp_is_mixed(company, line, wish)]
        if mixed:
            # In listed prices one that contains PPN cannot be weighed against one that does not.
            for at, taxed in zip(mixed, self._isp_ask(company, [pairs[at] for at in mixed], taxed=True)):
                listed[at] = self._isp_joined(listed[at], taxed)
        return listed

    def _isp_ask(self, company, pairs, taxed):
        run = self.env["isp.billing_run"]
        lines = self.env["isp.subscription"].browse([line.id for line, _wish in pairs])
        charges, used = self._isp_charges(lines, taxed)
        wished = {wish.package for _line, wish in pairs if getattr(wish, "package", None)}
        packages, refused = run._catalog(
            wished | used | {line[name].id for line in lines for name in ("package_id", "next_package_id", "old_package_id") if line[name]}
        )
        facts, answers = [], {}
        for at, (line, wish) in enumerate(pairs):
            names = {line.package_id.id, line.next_package_id.id, line.old_package_id.id, getattr(wish, "package", None)}
            bad = [refused[key] for key in names if key in refused]
            if bad:
                answers[at] = isp_engine.InvalidValue(str(bad[0]), "package.no_price")
                continue
            try:
                facts.append(isp_engine.TermsFacts(
                    self._isp_subscription(line), wish, charges[line.id], line.desired_access if line.state != "draft" else "closed",
                ))
            except ValueError as error:
                answers[at] = error
        tax = company._isp_tax_policy() if taxed else isp_engine.TaxPolicy(pkp=False)
        found = iter(isp_engine.decide_terms(
            facts, packages, company._isp_now(), position=company.isp_billed_through or None, policy=company._isp_billing_policy(),
            tax=tax,
        ))
        return [answers[at] if at in answers else next(found) for at in range(len(pairs))]

    def _isp_subscription(self, line):
        terms = terms_rows.subscription(line)
        return terms._replace(billed_from=terms_rows.NEVER) if line.billed_elsewhere else terms

    def _isp_charges(self, lines, taxed):
        """The engine's charges of each line, by its id: what was really invoiced; and the packages in them."""
        Move = self.env["account.move"].sudo()
        moves = Move.search([
            ("isp_subscription_id", "in", lines.ids), ("move_type", "=", "out_invoice"),
            ("isp_period_start", "!=", False), ("isp_period_end", "!=", False),
        ], order="isp_period_start, id")
        fees = defaultdict(list)
        for fee in Move.search(
            [("isp_late_fee_of_id", "in", moves.ids), ("state", "=", "posted")], order="isp_late_fee_nth, id"
        ):
            fees[fee.isp_late_fee_of_id].append(fee)
        notes = defaultdict(list)
        for note in Move.search(
            [("reversed_entry_id", "in", (moves | moves.isp_late_fee_ids).ids), ("state", "=", "posted")], order="invoice_date, id"
        ):
            notes[note.reversed_entry_id].append(note)
        by_product = {package.product_id: package.id for package in self.env["isp.package"].with_context(active_test=False).search(
            [("product_id", "in", moves.invoice_line_ids.product_id.ids), ("company_id", "in", lines.company_id.ids)]
        )}
        found, used = defaultdict(list), set()
        for move in moves:
            sold = [by_product[item.product_id] for item in move.invoice_line_ids if item.product_id in by_product]
            package = sold[0] if sold else move.isp_subscription_id.package_id.id
            used.add(package)
            found[move.isp_subscription_id.id].append(
                terms_rows.charge(move, package, notes[move], [(fee, notes[fee]) for fee in fees[move]], taxed)
            )
        return found, used

    def _isp_is_mixed(self, company, line, wish):
        """Whether prices with and without their PPN are compared."""
        if not company.isp_pkp:
            return False
        packages = line.package_id | self.env["isp.package"].browse(getattr(wish, "package", None) or [])
        taxes = line.move_ids.filtered(lambda m: m.move_type == "out_invoice" and m.isp_period_start).invoice_line_ids.mapped("tax_ids")
        return len({tax.price_include for tax in taxes | packages.tax_ids}) > 1

    def _isp_joined(self, listed, taxed):
        """The answer in listed prices, with what is given back as it is with PPN: Odoo's taxes make a listed price what it is on an
        invoice, and a note is of what its invoice came to."""
        if not isinstance(listed, isp_engine.TermsChange) or not isinstance(taxed, isp_engine.TermsChange):
            return taxed
        periods = [[(of.kind, of.invoice.period_start) for of in change.invoices] for change in (listed, taxed)]
        if periods[0] != periods[1]:
            return isp_engine.InvalidValue("the packages are priced with and without PPN", "terms.mixed_ppn")
        return listed._replace(
            notes=taxed.notes, charged=taxed.charged, given_back=taxed.given_back,
            fingerprint="%s %s" % (listed.fingerprint, taxed.fingerprint),
        )

    @api.model
    def _isp_monthly_prices(self, lines):
        """What a month that begins today costs each line without its discount, by id: the held price, or the package's."""
        found = {}
        for company in lines.company_id:
            own = lines.filtered(lambda s, company=company: s.company_id == company and s._origin.id and s.held_price)
            if not own:
                continue
            day = company._isp_today()
            packages, refused = self.env["isp.billing_run"].sudo()._catalog(set(own.package_id.ids))
            months = [
                isp_engine.Subscription(
                    line._origin.id, line.package_id.id, day, day.day, billed_from=day,
                    held_price=isp_engine.HeldPrice(whole(line.held_price), line.held_until or None),
                )
                for line in own if line.package_id.id not in refused
            ]
            plan = isp_engine.plan_billing(months, packages, company._isp_now(), tax=isp_engine.TaxPolicy(pkp=False))
            found.update((invoice.subscription, invoice.lines[0].amount) for invoice in plan.invoices)
        return found

    # What its answer becomes

    @api.model
    def _isp_lock(self, line):
        """Until this transaction ends nobody else changes the line, and no billing run of its company writes.

        What a run or another person wrote after this transaction began to read is a serialization failure here, and Odoo does the
        whole request again: the billing touches the lines that it bills.
        """
        self.env.cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, line.company_id.id])
        line.flush_recordset()
        self.env.cr.execute("SELECT id FROM isp_subscription WHERE id = %s FOR UPDATE", [line.id])

    @api.model
    def _isp_write(self, line, change, user=None, begun=None):
        """Write all that a change comes to: invoices, credit notes, terms, access. Returns the invoices and the notes. ``begun``
        collects lines that begin, by what is to be written to them: whoever gives it writes that, to many lines at once."""
        line = line.sudo().with_company(line.company_id)
        # Invoices of a line that another module bills are that module's.
        moves = self._isp_write_invoices(line, () if line.billed_elsewhere else change.invoices)
        notes = self._isp_write_notes(line, () if line.billed_elsewhere else change.notes, moves)
        vals = terms_rows.values(line, change.subscription)
        if line.billed_elsewhere:
            vals = {name: value for name, value in vals.items() if name not in ("billed_from", "charged_until", "service_from")}
        if line.state == "draft":
            self._isp_begin(line, change.access, vals, None if moves or notes else begun)
        else:
            line.write(vals)
            line._isp_planned_changes_of()
            if change.access in ("close", "reopen"):
                reason = line._isp_standing()
                line._isp_want(change.access, reason if change.access == "close" else "in_service", user=user)
            line._isp_state_follows()
        self.env["isp.credit"]._isp_pay_from_credit(moves)
        return moves, notes

    def _isp_begin(self, line, access, vals=(), begun=None):
        """A line begins. The router hears of it by its fields, and nobody waits for a message."""
        vals = {**dict(vals), "state": "active", "desired_access": "open" if access == "reopen" else line.desired_access}
        if begun is None:
            line.write(vals)
        else:
            begun[tuple(vals.items())].append(line.id)

    def _isp_write_invoices(self, line, invoices):
        moves = self.env["account.move"].sudo()
        if not invoices:
            return moves
        company = line.company_id
        run, writer, journal = self.env["isp.billing_run"].with_company(company), self.env["isp.invoice_writer"], company._isp_sale_journal()
        run._lock(journal)
        vals = []
        for of, draft in zip(invoices, run._drafts(journal, [self._isp_without_credit(of) for of in invoices])):
            values = writer._plain_vals(draft)
            values["isp_charge"] = terms_rows.charge_word(of)
            values["invoice_line_ids"] += self._isp_credit_lines(line, of)
            vals.append(values)
        moves = moves.with_company(company).with_context(
            mail_create_nosubscribe=True, default_move_type="out_invoice", isp_credit_later=True
        ).create(vals)
        moves._post(soft=False)
        return moves.with_context(isp_credit_later=None)

    def _isp_without_credit(self, of):
        """The invoice with the lines of the package that it sells; ids of lines and packages are Odoo's."""
        return of.invoice._replace(lines=tuple(part for part in of.invoice.lines if part.kind != "credit"))

    def _isp_credit_lines(self, line, of):
        """What is taken off for the same days at the old price, with the product and taxes that they were charged with."""
        old = self._isp_charged_with(line, of)
        lang = line.partner_id.lang or self.env.lang
        return [
            (0, 0, {
                "product_id": old.product_id.id or line.package_id.product_id.id,
                "name": self.with_context(lang=lang)._isp_credit_name(line.package_id.with_context(lang=lang).name, part, of.invoice),
                "quantity": 1,
                "price_unit": part.amount,
                "tax_ids": [(6, 0, old.tax_ids.ids)],
                **({"account_id": old.account_id.id} if old else {}),
            })
            for part in of.invoice.lines if part.kind == "credit"
        ]

    def _isp_charged_with(self, line, of):
        """The item of the invoice that the days of an adjustment were charged with."""
        days = [("isp_period_start", "<=", of.invoice.period_start), ("isp_period_end", ">", of.invoice.period_start)]
        moves = line.move_ids.filtered(
            lambda m: m.state == "posted" and m.isp_period_start and m.move_type == "out_invoice" and m.isp_charge != "change"
        )
        return self.env["isp.credit"]._isp_item_of(moves.filtered_domain(days)[-1:])

    def _isp_credit_name(self, package, part, invoice):
        text = self.env["isp.invoice_writer"]._line_name(package, part, invoice)
        return _("Taken off: %s", text)

    def _isp_write_notes(self, line, notes, moves):
        """Credit notes, each posted against its own invoice first; what is left pays what else is open (rule P2)."""
        credits, Move = self.env["isp.credit"], self.env["account.move"].sudo()
        if not notes:
            return Move
        lang = line.partner_id.lang or self.env.lang
        vals = []
        for note in notes:
            move = self._isp_move_of(note, moves)
            text = self.with_context(lang=lang)._isp_note_text(note.reason)
            vals.append({**credits._isp_credit_vals(note, move, note.reason, text, None), "reversed_entry_id": move.id})
        written = Move.with_context(mail_create_nosubscribe=True, default_move_type="out_refund").create(vals)
        # Posting settles the invoice that a note is of.
        written._post(soft=False)
        for credit in written:
            credits._isp_settle(credit)
        return written

    def _isp_move_of(self, note, moves):
        return moves[note.invoice] if note.charge is None else self.env["account.move"].sudo().browse(note.charge)

    def _isp_note_text(self, reason):
        return str(NOTES.get(reason, reason))

    # What it would come to, with PPN

    @api.model
    def _isp_invoice_total(self, line, of):
        """What an invoice of a change comes to with the taxes that Odoo will put on it."""
        line = line.sudo().with_company(line.company_id)
        writer = self.env["isp.invoice_writer"].sudo().with_company(line.company_id)
        package = self.env["isp.package"].sudo().browse(of.invoice.package)
        sold = writer._line(package, line.company_id, None, 0)
        taxes, old = writer._taxes(sold["taxes"], line.partner_id), self._isp_charged_with(line, of)
        return sum(
            (old.tax_ids if part.kind == "credit" else taxes).compute_all(part.amount, currency=line.currency_id)["total_included"]
            for part in of.invoice.lines
        )

    @api.model
    def _isp_note_total(self, line, note, change):
        """What a credit note of a change comes to with the taxes of its invoice."""
        if note.charge is None:
            of = change.invoices[note.invoice]
            line = line.sudo().with_company(line.company_id)
            writer = self.env["isp.invoice_writer"].sudo().with_company(line.company_id)
            package = self.env["isp.package"].sudo().browse(of.invoice.package)
            taxes = writer._taxes(writer._line(package, line.company_id, None, 0)["taxes"], line.partner_id)
        else:
            taxes = self.env["isp.credit"]._isp_item_of(self.env["account.move"].sudo().browse(note.charge)).tax_ids
        price = note.total if any(taxes.mapped("price_include")) else note.dpp
        return taxes.compute_all(price, currency=line.currency_id)["total_included"]
