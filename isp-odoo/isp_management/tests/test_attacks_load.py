"""What attackers tried on Odoo's own import (``load``) of customers and their lines: doubles in a file and against what exists, rows without
a name, secrets that are no secrets. Nothing is half-written, the row is named, and no log has a number, a NIK or a password."""

import logging
from contextlib import contextmanager

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import IspCommon

NIK, NUMBER, WORD = "3273011708450001", "081234567890", "kata-rahasia-9"
# As they stand in the file, and as they are kept.
SECRETS = (NIK, NUMBER[1:], WORD)
CUSTOMER = ["customer_code", "name", "nik", "mobile"]
LINE = ["package_id", "router_id", "ppp_username", "ppp_password", "activation_date"]
BOTH = [*CUSTOMER, *("subscription_ids/%s" % name for name in LINE)]


@contextmanager
def heard():
    """All that is logged meanwhile, with the traces."""
    lines, formatter, handler = [], logging.Formatter(), logging.Handler()
    handler.emit = lambda record: lines.append(formatter.format(record))
    logging.getLogger().addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(handler)


@tagged("post_install", "-at_install")
class TestAttacksLoad(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.router.name = "R1"
        cls.members = {
            group: new_test_user(
                cls.env, "muat-%s" % group, groups="isp_management.group_%s" % group, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            ) for group in ("manager", "technician")
        }

    def counted(self):
        return [
            self.env[model].with_context(active_test=False).search_count([]) for model in ("isp.customer", "isp.subscription", "res.partner")
        ]

    def load(self, model, names, rows, group="manager"):
        """What Odoo's import says of rows, as (rows, words) pairs; nothing is written unless all of it is."""
        before = self.counted()
        with heard() as logged:
            result = self.env[model].with_user(self.members[group]).load(names, rows)
        told = [(message["rows"]["from"], str(message["message"])) for message in result["messages"]]
        said = " ".join([*logged, *(words for _row, words in told)])
        self.assertFalse([secret for secret in SECRETS if secret in said], "nothing about a person is logged or said")
        if told:
            self.assertEqual((result["ids"], self.counted()), (False, before), "nothing is half-written")
        return told or self.env[model].browse(result["ids"])

    def row(self, code, name, user, package="HOME-20"):
        return [code, name, NIK, NUMBER, package, "R1", user, WORD, "2026-01-05"]

    def test_an_id_twice(self):
        self.new_customer("Lama", customer_code="A9").active = False
        for rows, row in (
            ([["A1", "Satu", NIK, NUMBER], ["A1", "Dua", NIK, NUMBER]], 1), ([["A1", "Satu", NIK, NUMBER], ["a1", "Dua", NIK, NUMBER]], 1),
            ([["A1", "Satu", NIK, NUMBER], [" A9 ", "Dua", NIK, NUMBER]], 1),
            ([*(["Z%03d" % number, "x", "", NUMBER] for number in range(60)), ["A9", "x", NIK, NUMBER]], 60),
        ):
            with self.subTest(rows[-1][0]):
                [(at, words)] = self.load("isp.customer", CUSTOMER, rows)
                self.assertEqual(at, row)
                self.assertIn("is the ID of another customer", words)

    def test_a_row_without_a_name(self):
        for rows, row in (([["A1", "", NIK, NUMBER]], 0), ([["A1", "Satu", "", NUMBER], ["", "", "", ""]], 1), ([["A1", " ", NIK, NUMBER]], 0)):
            self.assertEqual(self.load("isp.customer", CUSTOMER, rows), [(row, "A customer needs a name.")])
        self.assertEqual(self.load("isp.customer", BOTH, [["", "", "", "", *self.row("", "", "satu")[4:]]]), [(0, "A customer needs a name.")])
        with heard() as logged, self.assertRaises(ValidationError):
            self.new_customer(mobile=NUMBER).with_user(self.members["manager"]).name = " "
        self.assertFalse([line for line in logged if NUMBER[1:] in line])

    def test_a_contact_that_is_a_customer(self):
        customer = self.new_customer(mobile=NUMBER)
        with heard() as logged, self.assertRaisesRegex(ValidationError, "a customer already"):
            self.new_customer(partner_id=customer.partner_id.id)
        with self.assertRaisesRegex(ValidationError, "a customer already"):
            customer.create([{"partner_id": partner.id} for partner in self.env["res.partner"].create({"name": "Dua"}) for _time in range(2)])
        self.assertFalse([line for line in logged if NUMBER[1:] in line])

    def test_a_pppoe_user_twice(self):
        taken = self.new_subscription(self.new_customer("Lama", customer_code="A9"), ppp_username=NUMBER, activate=False)
        taken.active = False
        told = "R1 has a line with this PPPoE user already: "
        for rows, row, words in (
            ([self.row("A1", "Satu", "satu"), self.row("A2", "Dua", " satu ")], 1, told),
            ([self.row("A1", "Satu", NUMBER)], 0, told + taken.name),
            ([self.row("A1", "Satu", "satu"), ["", "", "", "", *self.row("", "", "satu")[4:]]], 0, "Two of these lines have the same PPPoE user on R1"),
        ):
            [(at, said)] = self.load("isp.customer", BOTH, rows)
            self.assertEqual(at, row)
            self.assertIn(words, said)
        alone = ["customer_id", *LINE]
        [(at, said)] = self.load("isp.subscription", alone, [["A9", *self.row("", "", user)[4:]] for user in ("dua", NUMBER)])
        self.assertEqual((at, said), (1, told + taken.name + "."))
        line = self.new_subscription(taken.customer_id, ppp_username="tiga", activate=False)
        with heard() as logged, self.assertRaisesRegex(ValidationError, taken.name):
            line.ppp_username = NUMBER
        with self.assertRaisesRegex(ValidationError, "Two of these lines"):
            (line | self.new_subscription(taken.customer_id, ppp_username="empat", activate=False)).write({"ppp_username": "lima"})
        self.assertFalse([one for one in logged if NUMBER[1:] in one])
        # The same user on another router, and the own one written again, are no double.
        line.write({"ppp_username": "tiga", "router_id": self.router.id})
        self.new_subscription(taken.customer_id, ppp_username="tiga", router_id=self.router.copy({"name": "R2"}).id, activate=False)

    def test_what_is_right_is_written_as_it_is_meant(self):
        made = self.load("isp.customer", BOTH, [
            [" A1 ", "Satu", NIK, "+62 812-3456-7890", *self.row("", "", " satu ")[4:]], ["", "", "", "", *self.row("", "", "dua")[4:]],
            ["A2", "Dua", "", "62812 3456 7891", "", "", "", "", ""],
        ])
        self.assertEqual(made.mapped(lambda one: (one.customer_code, one.whatsapp_number)), [("A1", "+6281234567890"), ("A2", "+6281234567891")])
        self.assertEqual(sorted(made.subscription_ids.mapped("ppp_username")), ["dua", "satu"])
        self.assertEqual((made[0]._isp_open("nik"), made.subscription_ids[0]._isp_open("ppp_password")), (NIK, WORD))

    def test_what_is_unknown_or_no_day_names_its_row(self):
        for row in (
            self.row("A2", "Dua", "dua", package="TIDAK"), [*self.row("A2", "Dua", "dua")[:8], "05/01/2026"], [*self.row("A2", "Dua", "dua")[:8], "46027"],
            [*self.row("A2", "Dua", "dua")[:8], "kemarin"], ["A2", "Dua", "3.273011708450001e+15", *self.row("", "", "dua")[3:]],
            ["A2", "Dua", "32730117084500", *self.row("", "", "dua")[3:]],
        ):
            [(at, _words)] = self.load("isp.customer", BOTH, [self.row("A1", "Satu", "satu"), row])
            self.assertEqual(at, 1)

    def test_nobody_makes_a_record_with_a_sealed_value_that_is_none(self):
        """Odoo asks for the group of a field when it is written, and not when it is given at creation: such a customer opened for nobody."""
        customer = self.new_customer("Lama", customer_code="A9")
        technician = self.members["technician"]
        for model, vals in (
            ("isp.customer", {"name": "x", "nik_sealed": "sampah"}), ("isp.customer", {"name": "x", "nik_index": "sampah"}),
            ("isp.subscription", {
                "customer_id": customer.id, "package_id": self.package.id, "router_id": self.router.id, "ppp_password_sealed": "sampah",
            }),
            ("isp.cpe", {"customer_id": customer.id, "password_sealed": "sampah"}),
        ):
            with self.subTest(model), self.assertRaises(AccessError), self.env.cr.savepoint():
                self.env[model].with_user(technician).create(vals)
        [(at, _words)] = self.load("isp.customer", [*CUSTOMER, "nik_sealed"], [["A1", "Satu", NIK, NUMBER, "sampah"]], "technician")
        self.assertEqual(at, 0)
