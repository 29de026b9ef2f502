//! Customers.

use isp_core::customer::{Address, Invoicing, Nik, Phone, is_landline, phones};
use isp_core::place::Coordinates;
use isp_core::text::{Code, Language, Name};

use super::super::cells::Cells;
use super::super::notice::Note;
use super::super::problem::Problem;
use super::super::sheet::{Column, Origin, needed, optional};
use super::FileRow;

/// A line of `customers.csv`. Empty cells of optional columns say nothing: they do not erase what is known.
#[derive(Debug, Clone)]
pub struct CustomerRow {
    /// Where it stands.
    pub at: Origin,
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// The number of the identity card.
    pub nik: Option<Nik>,
    /// The address.
    pub address: Address,
    /// The first mobile number of the cell.
    pub phone: Option<Phone>,
    /// The language of messages.
    pub language: Option<Language>,
    /// One document for several lines, or one each.
    pub invoicing: Option<Invoicing>,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
}

impl FileRow for CustomerRow {
    const FILE: &'static str = "customers.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER),
        needed("name", NAME),
        optional("nik", NIK),
        needed("address", ADDRESS),
        optional("phone", PHONE),
        optional("language", &["bahasa", "language"]),
        optional("invoicing", &["tagihan", "invoicing"]),
        optional("coordinates", COORDINATES),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.code("customer_id");
        let name = cells.need("name", |t| Name::parse("name", t));
        let nik = cells.maybe("nik", Nik::parse);
        let address = cells.need("address", Address::parse);
        let phone = phone(cells);
        if let Some(Some(number)) = &phone
            && number.may_be_rounded()
        {
            cells.fail("phone", Problem::Rounded);
        }
        let language = cells.maybe("language", Language::parse);
        let invoicing = cells.maybe("invoicing", Invoicing::parse);
        let coordinates = cells.maybe("coordinates", Coordinates::parse);
        Some(Self {
            at: cells.origin(),
            code: code?,
            name: name?,
            nik: nik?,
            address: address?,
            phone: phone?,
            language: language?,
            invoicing: invoicing?,
            coordinates: coordinates?,
        })
    }
}

impl CustomerRow {
    /// True when another row says the same.
    pub(in super::super) fn says_the_same(&self, other: &Self) -> bool {
        let Self { at: _, code, name, nik, address, phone, language, invoicing, coordinates } = self;
        code.folded() == other.code.folded()
            && (name, nik, address, phone) == (&other.name, &other.nik, &other.address, &other.phone)
            && (language, invoicing, coordinates) == (&other.language, &other.invoicing, &other.coordinates)
    }
}

/// The first mobile number of a cell; the others are told. A landline is told, and no number.
fn phone(cells: &mut Cells<'_, '_>) -> Option<Option<Phone>> {
    if cells.raw("phone").is_some_and(|text| is_landline(isp_core::typed::unguarded(text))) {
        cells.tell("phone", Note::Landline);
        return Some(None);
    }
    let found = cells.maybe("phone", phones)?;
    let Some((phones, others)) = found else { return Some(None) };
    if phones.len() + others > 1 {
        cells.tell("phone", Note::SeveralPhones);
    }
    Some(phones.into_iter().next())
}

/// What owners call the columns of a customer, here and on a sheet with everything.
pub(super) const CUSTOMER: &[&str] = &[
    "id_pelanggan",
    "customer_id",
    "pelanggan",
    "customer",
    "kode_pelanggan",
    "no_pelanggan",
    "nomor_pelanggan",
    "id_plg",
    "idpel",
    "id_customer",
    "kode",
    "code",
    "id",
];
pub(super) const NAME: &[&str] = &["nama", "name", "nama_pelanggan", "nama_lengkap", "customer_name", "full_name"];
pub(super) const NIK: &[&str] = &["nik", "no_ktp", "ktp", "no_nik", "nomor_ktp", "nomor_nik", "id_card", "nik_ktp"];
pub(super) const ADDRESS: &[&str] =
    &["alamat", "address", "alamat_lengkap", "alamat_rumah", "alamat_pasang", "alamat_pemasangan", "alamat_pelanggan"];
pub(super) const COORDINATES: &[&str] =
    &["koordinat", "coordinates", "titik_koordinat", "titik_lokasi", "gps", "lat_long", "latlong", "lat_lng", "latlng"];
pub(super) const PHONE: &[&str] = &[
    "telepon",
    "phone",
    "no_hp",
    "hp",
    "whatsapp",
    "no_wa",
    "wa",
    "telp",
    "no_telp",
    "no_telepon",
    "nomor_hp",
    "nomor_wa",
    "nomor_telepon",
    "nomor_telp",
    "handphone",
    "no_handphone",
    "nohp",
    "phone_number",
    "mobile",
    "no_whatsapp",
    "kontak",
];
