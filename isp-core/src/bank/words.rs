//! Reading what a bank wrote: the words that name a payer, a phone number, a name.

use crate::customer::Phone;

/// What banks and payers write each time, and the firms through which apps send the money of everybody.
const USUAL: &str = "trsf transfer trf tf banking ebanking mbanking ib mb cr db kr dr otomatis bifast bi fast bif rtgs skn llg \
    switching atm edc mobile internet inet dari ke from to via bank bca bri bni bsi mandiri permata cimb \
    niaga danamon jago seabank dana ovo gopay shopeepay linkaja qris qr setoran tunai setor kas bayar \
    pembayaran byr payment wifi tagihan langganan bulan bln ftscy ftfva ws rp idr an nama no rek \
    rekening januari februari maret april mei juni juli agustus september oktober november desember jan \
    feb mar apr jun jul agu agt sep okt nov des masuk lain antar pindah buku pindahbuku pemindahan inhouse inhousetrf mcm cs \
    nbmb esb livin by online kcp kcu cabang iuran rt rw tgl tanggal ob sa book internasional internation airpay fliptech lentera ip \
    flip dompet anak bangsa espay debit indone visionet internasi cdm crm echannel channel pay top up topup brimo brilink wondr byond \
    mybca kiriman kirim uang wesel teller autodebet autodebit agen agent edcbri cash deposit tarik tarikan pos indomaret alfamart \
    payroll va virtual account";

/// What stands before a number of a customer, a house or a month, and what everybody is: it names nobody.
const LABELS: &str = "plg pel pelanggan cust customer id idpel kode rumah rmh kamar kmr unit blok blk lantai gang jalan jl bulanan mingguan \
    tahunan paket nomor nomer";

/// True for a word that banks and payers write each time.
pub(super) fn is_usual(word: &str) -> bool {
    USUAL.split(' ').any(|usual| usual == word)
}

/// The words that name the payer in what a bank wrote: letters only, without the words that banks and payers write each time.
///
/// ```
/// use isp_core::bank::payer_words;
/// let january = "TRSF E-BANKING CR 1501/FTSCY/WS95031 183150.00 bayar wifi januari BUDI SANTOSO";
/// let february = "TRSF E-BANKING CR 1502/FTSCY/WS95077 183150.00 bayar wifi februari BUDI SANTOSO";
/// assert_eq!(payer_words(january), "budi santoso");
/// assert_eq!(payer_words(january), payer_words(february));
/// assert_eq!(payer_words("SETORAN TUNAI 0815"), "");
/// assert_eq!(payer_words("TRF/PAY/TOP-UP ECHANNEL"), "");
/// ```
#[must_use]
pub fn payer_words(text: &str) -> String {
    let label = |word: &str| LABELS.split_whitespace().any(|label| label == word);
    let named =
        |word: &String| word.len() > 1 && word.chars().all(char::is_alphabetic) && !is_usual(word) && !label(word);
    words(text).into_iter().filter(named).collect::<Vec<_>>().join(" ")
}

/// The longest number that may tell apart what a word before it names: of a house, a room, a customer.
const LONGEST_NUMBER: usize = 5;

/// True when a short number follows a word in a text, so that the word may say what is numbered: `RUKO 12`, `KIOS NO 3`, `WARGA-0004`.
pub(super) fn is_numbered(text: &str, word: &str) -> bool {
    let said = words(text);
    let number = |word: &String| word.len() <= LONGEST_NUMBER && word.starts_with(|c: char| c.is_ascii_digit());
    let follows = |at: usize| {
        let rest = said.iter().skip(at + 1).skip_while(|next| ["no", "nomor", "nomer", "nr"].contains(&next.as_str()));
        rest.take(1).any(number)
    };
    said.iter().enumerate().any(|(at, one)| one == word && follows(at))
}

/// The words of a text in small letters.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// True when words follow one another in a text.
pub(super) fn runs(said: &[String], wanted: &[String]) -> bool {
    !wanted.is_empty() && said.windows(wanted.len()).any(|window| window == wanted)
}

/// True when a text names a phone number, with 0 or 62 in front.
pub(super) fn names_phone(said: &[String], phone: Option<&Phone>) -> bool {
    let Some(phone) = phone else { return false };
    let (parts, abroad) = (words(&phone.national()), phone.digits());
    let home = parts.concat();
    said.iter().any(|word| *word == home || word == abroad) || runs(said, &parts)
}
