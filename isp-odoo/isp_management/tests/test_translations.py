import io
import re

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path
from odoo.tools.translate import trans_export

PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd]")
TAG = re.compile(r"</?(\w+)")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    """`scripts/odoo_i18n` writes both files again and names what is missing."""

    def exported(self):
        buffer = io.BytesIO()
        trans_export(False, ["isp_management"], buffer, "po", self.env.cr)
        entries = polib.pofile(buffer.getvalue().decode())
        module = self.env.ref("base.module_isp_management")
        known = {module.name, *module.upstream_dependencies(exclude_states=("uninstallable",)).mapped("name")}
        return {entry.msgid: entry for entry in entries if not self.of_others(entry, known)}

    def of_others(self, entry, known):
        """True for the label of a field that an addon we do not depend on, such as a bridge's, adds to the partner."""
        places = [place for place, _line in entry.occurrences]
        return bool(places) and all(
            place.startswith("model:ir.model.fields,")
            and self.module_of(self.env.ref(place.rpartition(":")[2])) not in known
            for place in places
        )

    def module_of(self, field):
        return self.env[field.model]._fields[field.name].base_field._module

    def shipped(self, name):
        return {entry.msgid: entry for entry in polib.pofile(file_path("isp_management/i18n/%s" % name))}

    def test_the_template_holds_every_string(self):
        exported, template = self.exported(), self.shipped("isp_management.pot")
        self.assertGreater(len(exported), 500)
        self.assertEqual(sorted(set(exported) - set(template)), [], "run scripts/odoo_i18n")

    def test_every_string_is_indonesian_too(self):
        exported, indonesian = self.exported(), self.shipped("id.po")
        with open(file_path("isp_management/i18n/same.txt", filter_ext=(".txt",))) as file:
            same = file.read().splitlines()
        missing = [
            text for text in exported
            if text not in same and (text not in indonesian or not indonesian[text].msgstr)
        ]
        self.assertEqual(missing, [], "translate these in i18n/id.po")

    def test_translations_keep_what_the_code_fills_in(self):
        for entry in self.shipped("id.po").values():
            if not entry.msgstr:
                continue
            for pattern in (PLACEHOLDER, TAG):
                self.assertEqual(
                    sorted(pattern.findall(entry.msgid)), sorted(pattern.findall(entry.msgstr)), entry.msgid
                )
            self.assertFalse(entry.fuzzy, entry.msgid)

    def test_the_nouns_are_the_glossary_s(self):
        indonesian = self.shipped("id.po")
        for english, noun in (
            ("Customer", "Pelanggan"), ("Package", "Paket"), ("Subscription", "Langganan"), ("Invoices", "Tagihan"),
            ("Arrears", "Tunggakan"), ("Receivable", "Piutang"), ("Officer", "Petugas"), ("Isolated", "Diisolir"),
            ("Credit", "Titipan"), ("Expenses", "Pengeluaran"),
        ):
            self.assertEqual(indonesian[english].msgstr, noun)
        for entry in indonesian.values():
            self.assertNotRegex(entry.msgstr.lower(), r"\bfaktur\b(?! pajak)", entry.msgid)
