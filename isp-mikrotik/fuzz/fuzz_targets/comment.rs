//! Any comment comes back to the byte when our mark is put in front of it or taken off, and any rate limit that is read
//! is written so that it is read again.
#![no_main]

use isp_mikrotik::mark::{GroupMark, Mark};
use isp_mikrotik::menu::ItemId;
use isp_mikrotik::menu::rate::{RateLimit, rate_pair};
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
    let (group, human) = GroupMark::split(data);
    match group {
        None => assert_eq!(human, data),
        Some(group) => assert_eq!(GroupMark::split(&group.comment(human)), (Some(group), human)),
    }
    if let Some(limit) = RateLimit::parse(data) {
        assert_eq!(rate_pair(data), Some(limit.rate));
        assert_eq!(RateLimit::parse(limit.to_string().as_bytes()), Some(limit));
    }
    let _ = ItemId::parse(data);
    for page in [CodePage::Cp1252, CodePage::Latin1, CodePage::Escape] {
        assert!(page.decode(data).len() >= data.len().min(1));
    }
});
