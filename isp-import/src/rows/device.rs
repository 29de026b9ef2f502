//! Devices at customers' places.

use std::net::IpAddr;

use isp_core::calendar::Date;
use isp_core::device::Ownership;
use isp_core::money::plausible_amount;
use isp_core::text::{Code, Name};
use isp_core::{Money, Secret};

use super::super::cells::Cells;
use super::super::problem::Problem;
use super::super::sheet::{Column, Origin, needed, optional};
use super::{CUSTOMER_ID, FileRow, not_negative};

/// A line of `cpes.csv`.
#[derive(Debug, Clone)]
pub struct CpeRow {
    /// Where it stands.
    pub at: Origin,
    /// The serial number.
    pub serial: Code,
    /// The number of the customer.
    pub customer: Code,
    /// The antenna or ONT.
    pub outdoor_unit: Option<Name>,
    /// The router.
    pub router: Option<Name>,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// Whose the device is.
    pub ownership: Ownership,
    /// What it costs when it does not come back.
    pub value: Option<Money>,
    /// The day.
    pub on: Option<Date>,
}

impl FileRow for CpeRow {
    const FILE: &'static str = "cpes.csv";
    const COLUMNS: &'static [Column] = &[
        needed("serial", &["serial", "nomor_seri", "no_seri", "sn", "serial_number"]),
        needed("customer_id", CUSTOMER_ID),
        optional("outdoor_unit", &["unit_luar", "outdoor_unit", "radio", "antena"]),
        optional("router", &["router", "cpe_router", "router_wifi"]),
        optional("ip", &["ip", "alamat_ip", "ip_address"]),
        optional("username", &["username", "pengguna"]),
        optional("password", &["password", "kata_sandi", "sandi"]),
        needed("ownership", &["kepemilikan", "ownership", "status_milik"]),
        optional("value", &["nilai", "value", "harga"]),
        optional("date", &["tanggal", "date", "tgl"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let serial = cells.code("serial");
        let customer = cells.code("customer_id");
        let outdoor_unit = cells.maybe("outdoor_unit", |t| Name::parse("outdoor_unit", t));
        let router = cells.maybe("router", |t| Name::parse("router", t));
        let ip = cells.maybe("ip", |t| t.parse::<IpAddr>().map_err(|_| Problem::Ip));
        let username = cells.maybe("username", |t| Name::parse("username", t).map(|n| n.as_str().to_owned()));
        let password = Some(super::password(cells));
        let ownership = cells.need("ownership", Ownership::parse);
        let value = cells.maybe("value", |t| not_negative("value", t));
        if let Some(value) = value.flatten() {
            cells.ask("value", plausible_amount("value", value));
        }
        let on = cells.maybe_day("date");
        Some(Self {
            at: cells.origin(),
            serial: serial?,
            customer: customer?,
            outdoor_unit: outdoor_unit?,
            router: router?,
            ip: ip?,
            username: username?,
            password: password?,
            ownership: ownership?,
            value: value?,
            on: on?,
        })
    }
}
