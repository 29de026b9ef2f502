"""Between Odoo's fields and the rows of an owner's spreadsheets, as the engine has them. Works on records or on anything with their
fields; no rule is here."""

import re

from isp_engine import spreadsheets as isp

from .money import whole

# The engine's code of the site of a router of which nobody said where it stands.
NOWHERE = "-"
# The engine's categories of expenses, by the codes that they may have here.
CATEGORIES = {
    "bandwidth": "bandwidth", "salaries": "salaries", "gaji": "salaries", "electricity": "electricity", "listrik": "electricity",
    "pln": "electricity", "fees": "fees", "biaya": "fees", "other": "other",
}
NOT_IN_CODE = re.compile(r"[^A-Za-z0-9._\-/@:]+")


def code_of(text, number):
    """A name as a code that a file can name: ``Menara Sukamaju`` is ``Menara-Sukamaju``. Where nothing is left it is the number."""
    return NOT_IN_CODE.sub("-", (text or "").strip())[:40].strip("-") or "id:%s" % number


def one_line(text):
    return " ".join((text or "").split())


def language_of(lang):
    return "en" if (lang or "").startswith("en") else "id"


def category_of(code):
    """The engine's category for the code of one here; what it does not know is another cost."""
    return CATEGORIES.get((code or "").strip().lower().removeprefix("expense_"), "other")


def kbits(speed):
    """Download and upload in kbit/s of the engine's ``20M/10M``."""
    def one(word):
        return int(word[:-1]) * (1000 if word.endswith("M") else 1)

    down, up = speed.split("/")
    return one(down), one(up)


def place_of(latitude, longitude):
    """Degrees as the engine has them; a contact at 0,0 stands nowhere."""
    return "%.6f,%.6f" % (latitude, longitude) if latitude or longitude else None


def degrees(place):
    latitude, longitude = place.split(",")
    return float(latitude), float(longitude)


def address_of(router):
    """Where a router's API is, as a file writes it."""
    host = "[%s]" % router.host if ":" in router.host else router.host
    return "%s%s:%s" % ("tls://" if router.use_tls else "", host, router.port)


def endpoint(address):
    """Host, port and TLS of the engine's ``tls://host:port``."""
    host, _, port = address.removeprefix("tls://").rpartition(":")
    return {
        "host": host.removeprefix("[").removesuffix("]"), "port": int(port), "use_tls": address.startswith("tls://"),
    }


def discount_of(line):
    if not line.discount_kind:
        return None
    return isp.Discount(line.discount_kind, whole(line.discount_value), line.discount_until or None)


def held_of(line):
    return isp.HeldPrice(whole(line.held_price), line.held_until or None) if line.held_price else None


def own_terms(record):
    """The price and discount of a line's own as fields."""
    vals = {}
    if record.held_price:
        vals.update(held_price=record.held_price.price, held_until=record.held_price.until or False)
    if record.discount:
        vals.update(
            discount_kind=record.discount.kind, discount_value=record.discount.value,
            discount_until=record.discount.until or False,
        )
    return vals
