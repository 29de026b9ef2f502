//! Any comment comes back to the byte when our mark is put in front of it or taken off.
#![no_main]

use isp_mikrotik::mark::Mark;
use isp_mikrotik::menu::ItemId;
use isp_mikrotik::menu::ppp::profile::rate_pair;
use isp_mikrotik::text::CodePage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (mark, human) = Mark::split(data);
    match mark {
        None => assert_eq!(human, data),
        Some(mark) => assert_eq!(Mark::split(&mark.comment(human)), (Some(mark), human)),
    }
    let fresh = Mark::new("4f1a09c2be77");
    assert_eq!(Mark::split(&fresh.comment(data)), (Some(fresh), data));
    let _ = (rate_pair(data), ItemId::parse(data));
    for page in [CodePage::Cp1252, CodePage::Latin1, CodePage::Escape] {
        assert!(page.decode(data).len() >= data.len().min(1));
    }
});
