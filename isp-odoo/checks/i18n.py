"""Brings i18n/id.po up to a template that Odoo exported, and names the strings without a translation.

A string that is the same in Indonesian (a name, an address) has no translation in id.po and a line in same.txt.

usage: i18n.py EXPORTED.pot I18N_DIRECTORY
"""

import pathlib
import sys

import polib


def main(exported, directory):
    template = polib.pofile(exported, wrapwidth=78)
    template.sort(key=lambda entry: entry.msgid)
    # A day of export would make every export a change.
    for name in ("POT-Creation-Date", "PO-Revision-Date", "Last-Translator", "Language-Team"):
        template.metadata.pop(name, None)
    directory.mkdir(exist_ok=True)
    template.save(directory / ("%s.pot" % directory.resolve().parent.name))

    path = directory / "id.po"
    known = {entry.msgid: entry.msgstr for entry in polib.pofile(path)} if path.exists() else {}
    template.metadata.update({"Language": "id", "Plural-Forms": "nplurals=1; plural=0;"})
    for entry in template:
        entry.msgstr = known.get(entry.msgid, "")
    template.save(path)
    same = directory / "same.txt"
    same = same.read_text().splitlines() if same.exists() else ()
    missing = [entry.msgid for entry in template if not entry.msgstr and entry.msgid not in same]
    for text in missing:
        print("not translated: %r" % text)
    print("%d strings, %d not translated" % (len(template), len(missing)))
    return 1 if missing else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
