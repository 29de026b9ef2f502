import os
import tempfile

from odoo.tests import tagged
from odoo.tests.common import BaseCase

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


def _read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


