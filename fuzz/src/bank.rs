//! Files of banks, and QRIS codes.

use isp_core::bank::{BankFile, Whose, account_code, compare, file_id};
use isp_core::ids::TenantId;
use isp_core::money::Money;
use isp_core::payment::{Qris, qris, virtual_account as va};
use isp_core::text::Code;

/// A code is read or refused. What is read is written as it was, and asks for an amount in a code that is whole.
pub(crate) fn qris(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for text in [text.as_ref(), &with_sum(&text)] {
        let Ok(code) = Qris::parse(text) else { continue };
        assert_eq!(String::from(code.clone()), text.trim());
        for amount in [1, 183_151, qris::MOST.as_i64()] {
            let asks = code.with_amount(Money::rupiah(amount)).expect("an amount that apps take");
            assert!(asks.contains(&amount.to_string()) && Qris::parse(&asks).is_err(), "it is no static code any more");
        }
    }
}

/// The text with the check sum that fits, so that more than the sum is looked at.
fn with_sum(text: &str) -> String {
    let text = format!("{}6304", text.trim());
    let mut sum: u16 = 0xffff;
    for byte in text.bytes() {
        sum ^= u16::from(byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
        }
    }
    format!("{text}{sum:04X}")
}

/// Digits lead to one customer ID and back, and an ID to one number and back.
pub(crate) fn virtual_account(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(code) = va::code_of(&text) {
        assert_eq!(va::digits_of(&code).as_deref(), Some(text.as_ref()));
    }
    if let Ok(code) = Code::parse("customer", &text)
        && let Some(digits) = va::digits_of(&code)
    {
        assert_eq!(va::code_of(&digits), Some(code));
    }
}

/// A table of any bank.
pub(crate) fn csv(data: &[u8]) {
    file(&String::from_utf8_lossy(data));
}

/// SWIFT's lines.
pub(crate) fn mt940(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    file(&text);
    file(&format!(":20:X\n:25:1234567890\n:28C:1/1\n:60F:C260101IDR1000000,\n{text}"));
}

/// It is read or refused as a whole; the same file gives the same mutations, and again none of them is new.
fn file(text: &str) {
    let Ok(read) = BankFile::read(text) else { return };
    assert_eq!(BankFile::read(text).as_ref(), Ok(&read));
    let account = account_code("1234567890").expect("a number");
    let id = file_id(TenantId::DEFAULT, &account, text);
    let first = compare(TenantId::DEFAULT, &account, id, &read, &[], &[], &Whose::nobody());
    let again = compare(TenantId::DEFAULT, &account, id, &read, &first.new, &[], &Whose::nobody());
    assert!(again.new.is_empty(), "a row was taken twice");
    assert!(read.rows.windows(2).all(|two| two[0].line != two[1].line || two[0] != two[1]));
}
