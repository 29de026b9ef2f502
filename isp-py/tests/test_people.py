"""Phones, NIK and rupiah. Every number here is invented."""

from decimal import Decimal

import pytest

import isp_engine as isp
from stories import refused


@pytest.mark.parametrize(
    "text", ["0812-3456-7890", "812 3456 7890", "+62 812 3456 7890", "6281234567890", "006281234567890"]
)
def test_one_number_in_many_forms(text: str) -> None:
    phone = isp.parse_phone(text)
    assert (phone.e164, phone.digits, phone.masked) == ("+6281234567890", "6281234567890", "+62***890")
    assert phone == isp.parse_phone("081234567890")
    assert hash(phone) == hash(isp.parse_phone("081234567890"))
    assert phone < isp.parse_phone("081234567891")


@pytest.mark.parametrize("text", ["021-5551234", "+1 202 555 0100", "0812", "", "08I2-3456-7890"])
def test_what_cannot_receive_whatsapp_is_refused_without_being_shown(text: str) -> None:
    error = refused(isp.parse_phone, text)
    assert (error.code, error.field, error.row, error.retryable) == ("customer.phone", "text", None, False)
    assert not text or text not in str(error)


def test_a_nik_is_masked_until_it_is_revealed() -> None:
    nik = isp.parse_nik("3273 0141 0290 0001")
    assert nik.reveal() == "3273014102900001"
    assert (repr(nik), str(nik), nik.masked) == ("Nik(3273************)", "3273************", "3273************")
    assert nik == isp.parse_nik("3273014102900001")
    assert nik != isp.parse_nik("3273014102900002")


def test_a_bad_nik_is_refused_without_being_shown() -> None:
    for bad in ["327301410290000", "3273013202900001", "3273010102900000"]:
        error = refused(isp.parse_nik, bad)
        assert error.code == "customer.nik"
        assert bad not in str(error) + repr(error)


def test_one_bad_row_does_not_stop_an_import() -> None:
    good, bad = isp.parse_phones(["081234567890", "021-5551234"])
    assert isinstance(good, isp.Phone)
    assert repr(good) == "Phone(+62***890)"
    assert isinstance(bad, isp.InvalidValue)
    assert (bad.code, bad.row) == ("customer.phone", 1)
    bad_nik, good_nik = isp.parse_niks(("1", "3273014102900001"))
    assert isinstance(bad_nik, isp.InvalidValue)
    assert isinstance(good_nik, isp.Nik)
    assert refused(isp.parse_niks, ["3273014102900001", 3273014102900001]).row == 1


def test_rupiah_as_invoices_write_it() -> None:
    assert isp.format_rupiah(165_000) == "Rp165.000"
    assert isp.format_rupiah(Decimal("-1500.00")) == "-Rp1.500"
    assert isp.format_rupiah(0) == "Rp0"
