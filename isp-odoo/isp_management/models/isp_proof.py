"""Proofs of transfer (bukti transfer): while the first one of an invoice waits for review, no run isolates its line (rule P8).

What a file is, over how much it may be and who may say what about it: the engine says. That a waiting proof holds, and until when,
is part of the isolation decision.
"""

import base64
import hashlib
from collections import defaultdict

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_datetime

from ..logic import access_rows
from ..logic.money import OWED_FROM, rupiah_owed, whole
from ..logic.policy import noon
from .isp_guard_mixin import BILLING, CASHIER, PROGRAM

FILE = ("file_name", "file_kind", "file_size", "sha256", "arrived_at")


class IspProof(models.Model):
    _name = "isp.proof"
    _description = "Proof of transfer"
    _inherit = ["mail.thread", "isp.guard.mixin"]
    _order = "arrived_at desc, id desc"
    _rec_names_search = ["customer_id"]
    _check_company_auto = True
    _isp_guarded = {name: PROGRAM for name in ("state", "reviewed_at", "reviewed_by_id", "review_reason", "payment_id", "user_id")}
    # What was sent stays as it was sent.
    _isp_guarded_later = {name: PROGRAM for name in ("company_id", "customer_id", "move_ids", "amount", "content", *FILE)}

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("isp.customer", required=True, check_company=True, ondelete="restrict", index=True)
    move_ids = fields.Many2many(
        "account.move", string="For the invoices", check_company=True, help="Empty: all that the customer owes.",
        domain="[('move_type', '=', 'out_invoice'), ('state', '=', 'posted'), ('amount_residual', '>', 0), ('company_id', '=', company_id)]",
    )
    amount = fields.Monetary(help="What the customer says; empty: all that these invoices owe.")
    arrived_at = fields.Datetime(readonly=True, copy=False)
    user_id = fields.Many2one("res.users", "Taken by", default=lambda self: self.env.user)
    content = fields.Binary("File", required=True, attachment=True, copy=False, help="A picture or a PDF, 5 MB at most.")
    file_name = fields.Char()
    file_kind = fields.Selection([("jpeg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("pdf", "PDF")], readonly=True)
    file_size = fields.Integer("Size (bytes)", readonly=True)
    sha256 = fields.Char("SHA-256", readonly=True, index=True)
    state = fields.Selection(
        [("waiting", "Waits for review"), ("accepted", "Accepted"), ("rejected", "Rejected"), ("taken_back", "Recorded by mistake")],
        default="waiting", required=True, tracking=True, index=True,
    )
    reviewed_at = fields.Datetime(readonly=True, copy=False)
    reviewed_by_id = fields.Many2one("res.users", "Reviewed by", readonly=True, copy=False)
    review_reason = fields.Char("Why", readonly=True, copy=False, tracking=True)
    payment_id = fields.Many2one("account.payment", readonly=True, copy=False, tracking=True, groups="isp_management.group_cashier")

    def init(self):
        result = super().init()
        # The same file is the same proof, whatever comes at the same time.
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS isp_proof_file_unique
            ON isp_proof (customer_id, sha256) WHERE state <> 'taken_back'
        """)
        return result

    @api.depends("customer_id.name", "arrived_at")
    def _compute_display_name(self):
        for proof in self:
            proof.display_name = _(
                "%(customer)s, proof of %(day)s", customer=proof.customer_id.name or "",
                day=format_datetime(self.env, proof.arrived_at) if proof.arrived_at else "",
            )

    # What arrives

    @api.model_create_multi
    def create(self, vals_list):
        # Before anything is looked at: what is refused tells whether somebody owes.
        self.check_access_rights("create")
        looked_at = [self._isp_looked_at(vals) for vals in vals_list]
        # A large picture is kept as it was sent, to the byte.
        kept = super(IspProof, self.with_context(image_no_postprocess=True)).create(looked_at)
        return kept.with_env(self.env)

    @api.model
    def _isp_looked_at(self, vals):
        """The values of a proof with what its file is: the engine looks at the content."""
        vals = {**self.default_get(["company_id", "customer_id"]), **vals}
        customer = self.env["isp.customer"].browse(vals.get("customer_id"))
        if not customer:
            return vals
        moves = self.new({"move_ids": vals.get("move_ids", [])}).move_ids._origin.sudo() or self._isp_open_of(customer)
        if moves._isp_customers() - customer.sudo():
            raise self.env["isp.refusals"]._isp_refuse("store.not_found", _("These invoices are another customer's."))
        owed = sum(rupiah_owed(move.amount_residual) for move in moves)
        # Who was asked for an own amount sends that.
        asked = customer._isp_request().filtered(lambda request: request.debt == owed)
        amount = vals.get("amount") or asked.amount
        wish = isp_engine.ProofWish(
            vals.get("file_name") or "", base64.b64decode(vals.get("content") or b""), owed, whole(amount) if amount else None,
            self.sudo().search_count([("customer_id", "=", customer.id), ("state", "=", "waiting")]),
        )
        [file] = isp_engine.check_proofs([wish])
        file = self.env["isp.refusals"]._isp_allowed(file)
        if self._isp_of_file(customer, file.sha256):
            raise UserError(_("This file was sent before: it is the same proof."))
        return {
            **vals, "move_ids": [fields.Command.set(moves.ids)], "amount": file.amount, "file_name": file.name,
            "file_kind": file.kind, "file_size": file.size, "sha256": file.sha256, "arrived_at": self._isp_moment(customer),
        }

    @api.model
    def _isp_moment(self, customer):
        return (customer.company_id or self.env.company).sudo()._isp_now().replace(tzinfo=None)

    @api.model
    def _isp_open_of(self, customer):
        """The open invoices of a customer's lines and installations."""
        return self.env["account.move"].sudo().search([
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("amount_residual", ">=", OWED_FROM),
            "|", ("isp_subscription_id.customer_id", "=", customer.id), ("isp_installation_fee_id.customer_id", "=", customer.id),
        ])

    @api.model
    def _isp_of_file(self, customer, sha256):
        return self.sudo().search([
            ("customer_id", "=", customer.id), ("sha256", "=", sha256), ("state", "!=", "taken_back"),
        ], limit=1).sudo(False)

    @api.model
    def _isp_send(self, customer, name, content, moves=None, amount=None):
        """The proof of a file that somebody sends; the same file again is the same proof."""
        known = self._isp_of_file(customer, hashlib.sha256(content).hexdigest())
        return known or self.create({
            "customer_id": customer.id, "file_name": name, "content": base64.b64encode(content), "amount": amount or 0,
            "move_ids": [fields.Command.set(moves.ids if moves else [])], "company_id": customer.company_id.id,
        })

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("A proof is rejected or taken back, not deleted."))

    # What a person says

    def action_accept(self):
        return self._isp_ask("accepted", _("The money is there"))

    def action_reject(self):
        return self._isp_ask("rejected", _("The money is not there"))

    def action_take_back(self):
        return self._isp_ask("taken_back", _("Recorded by mistake"))

    def _isp_ask(self, verdict, title):
        self.ensure_one()
        self._isp_may_write(CASHIER, BILLING)
        return self.env["isp.proof.wizard"].create({"proof_id": self.id, "verdict": verdict})._isp_show(title)

    def _isp_review(self, verdict, reason="", payment=None):
        """Write what somebody says, once; ``payment`` books the money of one that is accepted."""
        self.ensure_one()
        record = self._isp_may_write(CASHIER, BILLING)._isp_hold()
        wish = isp_engine.ReviewWish(verdict, self.env.user.name, (reason or "").strip(), record.state != "waiting")
        [refused] = isp_engine.review_proofs([wish])
        self.env["isp.refusals"]._isp_allowed(refused)
        vals = {"state": verdict, "reviewed_at": self._isp_moment(record.customer_id), "reviewed_by_id": self.env.uid, "review_reason": wish.reason}
        if payment:
            vals["payment_id"] = payment().id
        record.write(vals)
        return record

    def _isp_accept(self, amount, day, provider, reference, told="person"):
        """Book the money as any payment, and keep that the proof was accepted: both or none."""
        # As the system, behind the review's look at who calls it: a cashier changes no invoice, and a payment settles one.
        payments = self.env["account.payment"].sudo().with_company(self.company_id)
        # The bank's file may come in this moment.
        self.sudo().customer_id._isp_hold()
        partner = self.sudo().customer_id.partner_id

        def book():
            known = payments._isp_known(self.company_id, partner, amount, day, provider, reference, told)
            if not known and told != "insisting":
                self.sudo()._isp_check_transfer(amount, day)
            return known or payments._isp_receive(partner, amount, day, provider, reference, told=told)

        return self._isp_review("accepted", payment=book)

    def _isp_check_transfer(self, amount, day):
        """Refuse money that seems to be booked already: the bank's file or somebody else was faster."""
        company, partner = self.company_id, self.customer_id.partner_id.commercial_partner_id
        others = self.env["account.payment"].search([
            ("company_id", "child_of", company.root_id.id), ("partner_id.commercial_partner_id", "=", partner.id), ("payment_type", "=", "inbound"),
            ("state", "=", "posted"), ("isp_stands", "=", True),
        ], order="id") - self.search([("customer_id", "=", self.customer_id.id)]).payment_id
        # By the items: the entry of a branch's customer at the bank of the company above names nobody.
        lines = self.env["account.move.line"].sudo().search([
            ("company_id", "child_of", company.root_id.id), ("partner_id.commercial_partner_id", "=", partner.id),
            ("account_type", "=", "asset_receivable"), ("balance", "<", 0), ("parent_state", "=", "posted"),
            ("move_id.statement_line_id.is_reconciled", "=", True),
        ]).move_id.statement_line_id
        wish = isp_engine.TransferWish(
            whole(amount), noon(day, company.isp_zone), sum(rupiah_owed(move.amount_residual) for move in self.move_ids),
            [
                isp_engine.OtherPayment(other.isp_reference or other.name, whole(other.amount), noon(other.date, company.isp_zone))
                for other in others if not other._isp_is_slip(other.isp_provider)
            ] + [
                isp_engine.OtherPayment(line.move_id.name, whole(line.amount), noon(line.date, company.isp_zone)) for line in lines
            ],
        )
        [refused] = isp_engine.check_transfers([wish])
        self.env["isp.refusals"]._isp_allowed(refused)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _isp_proof_rows(self, key, at=None):
        """The proofs of each invoice as the engine takes them, those that had come by a moment; invoices are known by a field."""
        found = defaultdict(list)
        proofs = self.env["isp.proof"].sudo().search([("move_ids", "in", self.ids)], order="arrived_at, id")
        for proof in proofs.filtered(lambda one: not at or access_rows.aware(one.arrived_at) <= at):
            for move in proof.move_ids & self:
                found[move.id].append(access_rows.proof(proof, move[key]))
        return found

    def _isp_customers(self):
        """Whose these invoices are."""
        return self.isp_subscription_id.customer_id | self.isp_installation_fee_id.customer_id
