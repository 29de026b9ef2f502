import os
import tempfile
from unittest.mock import patch

from odoo import tools
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tests.common import BaseCase

from ..hooks import post_init_hook
from ..logic import vault


@tagged("post_install", "-at_install")
class TestVault(BaseCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "isp", "key")
        vault.create(self.path)
        self.vault = vault.load(self.path)

    def test_opens_what_it_sealed_only_where_it_was_sealed(self):
        sealed = self.vault.seal("rahasia", ("isp.router", "password", 7))
        self.assertNotIn("rahasia", sealed)
        self.assertEqual(self.vault.open(sealed, ("isp.router", "password", 7)), "rahasia")
        for place in (("isp.router", "password", 8), ("isp.cpe", "password", 7), ("isp.router", "passwor", "d7")):
            with self.assertRaises(vault.VaultError) as caught:
                self.vault.open(sealed, place)
            self.assertEqual(caught.exception.code, "vault.forged")

    def test_two_seals_of_one_value_differ_and_its_index_does_not(self):
        self.assertNotEqual(self.vault.seal("a", ("m", "f", 1)), self.vault.seal("a", ("m", "f", 1)))
        self.assertEqual(self.vault.index("3201"), vault.load(self.path).index("3201"))
        self.assertNotEqual(self.vault.index("3201"), self.vault.index("3202"))

    def test_a_new_key_in_front_seals_and_the_old_one_still_opens(self):
        sealed = self.vault.seal("rahasia", ("m", "f", 1))
        other = os.path.join(os.path.dirname(self.path), "other")
        vault.create(other)
        both = "%s\n%s" % (_read(other), _read(self.path))
        os.chmod(self.path, 0o600)
        with open(self.path, "w", encoding="ascii") as file:
            file.write(both)
        ring = vault.load(self.path)
        self.assertEqual(ring.open(sealed, ("m", "f", 1)), "rahasia")
        self.assertEqual(ring.index("3201"), self.vault.index("3201"))
        with self.assertRaises(vault.VaultError) as caught:
            self.vault.open(ring.seal("baru", ("m", "f", 1)), ("m", "f", 1))
        self.assertEqual(caught.exception.code, "vault.unknown_key")

    def test_a_key_file_that_others_can_read_is_refused(self):
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o400)
        os.chmod(self.path, 0o440)
        with self.assertRaises(vault.VaultError) as caught:
            vault.load(self.path)
        self.assertEqual(caught.exception.code, "vault.key_open")

    def test_what_is_no_sealed_value_does_not_open(self):
        for text in ("", "rahasia", "v0.00000000.AAAA"):
            with self.assertRaises(vault.VaultError):
                self.vault.open(text, ("m", "f", 1))


@tagged("post_install", "-at_install")
class TestKeyIsLookedAt(TransactionCase):
    def test_installation_start_and_dashboard_say_that_the_key_cannot_be_used(self):
        mixin = self.env["isp.sealed.mixin"]
        self.env.user.groups_id += self.env.ref("isp_management.group_manager")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "own.key")
            with patch.dict(tools.config.options, {"isp_vault_key_file": path}):
                # `openssl rand -base64 32`, readable by others; then something that is no key; then none.
                for text, mode, words in (
                    ("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n", 0o644, "chmod 0400"), ("c2hvcnQ=\n", 0o400, "32 bytes"), (None, 0, "own.key"),
                ):
                    if os.path.exists(path):
                        os.unlink(path)
                    if text:
                        with open(path, "w", encoding="ascii") as file:
                            file.write(text)
                        os.chmod(path, mode)
                    with self.assertRaisesRegex(UserError, words):
                        post_init_hook(self.env)
                    with self.assertLogs("odoo.addons.isp_management.models.isp_sealed_mixin", "ERROR") as logged:
                        mixin._register_hook()
                    self.assertIn(words, logged.output[0])
                    self.assertTrue([notice for notice in self.env["isp.dashboard"].data()["notices"] if words in notice])
                with open(path, "w", encoding="ascii") as file:
                    file.write("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n")
                os.chmod(path, 0o400)
                self.assertIsNone(mixin._isp_key_trouble())


def _read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


