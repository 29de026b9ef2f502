import base64
from datetime import date, datetime, timezone

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .network_common import IspNetworkCommon

ISSUED = date(2026, 2, 23)  # due on Thursday 5 March: isolated from Tuesday the 10th on
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@tagged("post_install", "-at_install")
class TestProofs(IspNetworkCommon):
    """A proof of transfer holds isolation back while it waits for review, once an invoice (rule P8)."""

    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.cashier = new_test_user(cls.env, "kasir-bukti", groups="isp_management.group_cashier", company_id=cls.company.id)
        cls.technician = new_test_user(cls.env, "teknisi-bukti", groups="isp_management.group_technician", company_id=cls.company.id)

    def setUp(self):
        super().setUp()
        self.line = self.new_line()
        self.bill(self.line, ISSUED)
        self.sync("2026-03-01 09:00")

    def proof(self, moment="2026-03-09 15:00", content=PNG, line=None, **vals):
        return self.env(context=self.at(moment).context)["isp.proof"].create({
            "customer_id": (line or self.line).customer_id.id, "content": base64.b64encode(content), "file_name": "struk.png", **vals,
        })

    def review(self, proof, moment, button, user=None, **vals):
        proof = proof.with_user(user or self.cashier).with_context(**self.at(moment).context)
        action = getattr(proof, button)()
        wizard = proof.env[action["res_model"]].browse(action["res_id"])
        wizard.write(vals)
        wizard.action_confirm()
        self.env.invalidate_all()

    def access(self, moment):
        self.decide(moment)
        return self.line.desired_access

    def test_it_holds_for_two_working_days_and_says_so(self):
        proof = self.proof()
        self.assertEqual((proof.state, proof.file_kind, proof.file_size, proof.arrived_at), ("waiting", "png", 28, datetime(2026, 3, 9, 8)))
        self.assertEqual((proof.amount, proof.move_ids), (self.line.move_ids.amount_residual, self.line.move_ids))
        why = self.line.with_env(self.at("2026-03-10 10:00"))._isp_explain("en")
        self.assertEqual(why.reason, "proof_waiting")
        self.assertIn("until 2026-03-12 00:00 WIB at most", why.sentence)
        self.assertEqual(self.access("2026-03-10 10:00"), "open")
        self.assertEqual(self.access("2026-03-11 23:59"), "open")
        self.proof("2026-03-11 12:00", PNG + b"second")
        self.assertEqual(self.access("2026-03-12 10:00"), "isolated", "a second one of the invoice holds nothing")

    def test_accepting_books_the_payment_once(self):
        proof = self.proof()
        self.review(proof, "2026-03-10 09:00", "action_accept", reference="FT-1")
        self.assertEqual((proof.state, proof.reviewed_by_id, proof.payment_id.isp_reference), ("accepted", self.cashier, "FT-1"))
        self.assertEqual((proof.payment_id.amount, proof.payment_id.date), (proof.amount, date(2026, 3, 9)))
        self.assertFalse(self.line.move_ids.amount_residual)
        with self.assertRaises(UserError) as refused:
            self.review(proof, "2026-03-10 09:05", "action_reject", reason="lagi")
        self.assertEqual(refused.exception.code, "proof.reviewed")
        # A second picture of the same transfer is the same payment.
        self.bill(self.line, date(2026, 3, 23))
        other = self.proof("2026-03-25 09:00", PNG + b"other")
        with self.assertRaises(UserError):
            self.review(other, "2026-03-25 10:00", "action_accept", reference="FT-1", amount=other.amount + 5_000)
        self.assertEqual(other.state, "waiting", "nothing is left of it")
        self.review(other, "2026-03-25 10:00", "action_accept", reference="FT-1", amount=proof.amount)
        self.assertEqual(other.payment_id, proof.payment_id)

    def test_rejected_and_taken_back(self):
        proof = self.proof()
        with self.assertRaises(UserError):
            self.review(proof, "2026-03-10 09:00", "action_take_back", reason=" ")
        self.review(proof, "2026-03-10 09:00", "action_take_back", reason="salah pelanggan")
        again = self.proof("2026-03-10 09:30")
        self.assertEqual(self.access("2026-03-10 10:00"), "open", "the one that was a mistake does not count")
        self.review(again, "2026-03-10 11:00", "action_reject", reason="tidak ada di mutasi")
        self.assertEqual(self.access("2026-03-10 12:00"), "isolated")
        self.assertEqual((again.state, again.review_reason), ("rejected", "tidak ada di mutasi"))
        then = datetime(2026, 3, 10, 3, 30, tzinfo=timezone.utc)
        [rows] = self.line.move_ids._isp_proof_rows("name", then).values()
        self.assertEqual([(row.taken_back, row.reviewed_at > then) for row in rows], [(True, False), (False, True)], "as it was then")

    def test_what_is_no_proof(self):
        for content, code in ((b"<svg/>", "proof.kind"), (PNG + bytes(5 * 1024 * 1024), "proof.too_large"), (b"", "value.empty")):
            with self.assertRaises(UserError) as refused:
                self.proof(content=content)
            self.assertEqual(refused.exception.code, code)
        self.proof()
        with self.assertRaises(UserError):
            self.proof()
        known = self.env["isp.proof"]._isp_send(self.line.customer_id, "x.png", PNG)
        self.assertEqual((len(known), known.file_name), (1, "struk.png"))
        for number in range(4):
            self.proof(content=PNG + bytes([number]))
        with self.assertRaises(UserError) as refused:
            self.proof(content=PNG + b"one too many")
        self.assertEqual(refused.exception.code, "proof.too_many")
        other = self.new_line(2)
        with self.assertRaises(UserError) as refused:
            self.proof(line=other, content=PNG)
        self.assertEqual(refused.exception.code, "request.nothing_owed")
        self.bill(other, ISSUED)
        with self.assertRaises(UserError) as refused:
            self.proof(line=other, move_ids=[(6, 0, self.line.move_ids.ids)])
        self.assertEqual(refused.exception.code, "store.not_found")

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_who_may_do_what(self):
        proof = self.proof()
        for action in ("action_accept", "action_reject", "action_take_back"):
            with self.assertRaises(AccessError):
                getattr(proof.with_user(self.technician), action)()
        with self.assertRaises(AccessError):
            proof.with_user(self.technician).read(["content"])
        for vals in ({"state": "rejected"}, {"amount": 1}, {"content": base64.b64encode(PNG + b"x")}, {"arrived_at": "2026-03-20 00:00:00"},
                     {"reviewed_at": "2026-03-09 00:00:00"}, {"move_ids": [(5, 0, 0)]}):
            with self.assertRaises(AccessError):
                proof.with_user(self.cashier).write(vals)
        with self.assertRaises(AccessError):
            self.env["isp.proof"].with_user(self.cashier).create({
                "customer_id": self.line.customer_id.id, "content": base64.b64encode(PNG + b"y"), "state": "accepted",
            })
        with self.assertRaises(UserError):
            proof.unlink()
        stranger = new_test_user(
            self.env, "kasir-lain", groups="isp_management.group_cashier", company_id=self.env["res.company"].create({"name": "Lain"}).id,
        )
        with self.assertRaises(AccessError):
            proof.with_user(stranger).read(["amount"])
