//! How FreeRADIUS writes a name in a question to its database: signs that are not in its `safe_characters` stand as `=` and two
//! digits, so that `rt#3` is asked for as `rt=233`. A row under the bare name would never be found.

/// The signs that FreeRADIUS leaves as they are, when its settings do not say otherwise.
pub(crate) const SAFE: &str = "@abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_: /";

/// A name as FreeRADIUS asks for it.
pub(crate) fn asked(name: &str, safe: &str) -> String {
    let mut asked = String::with_capacity(name.len());
    for sign in name.chars() {
        match sign.is_ascii() && !safe.contains(sign) {
            true => asked.push_str(&format!("={:02X}", u32::from(sign))),
            false => asked.push(sign),
        }
    }
    asked
}

/// The name that is meant by a row's.
pub(crate) fn meant(asked: &str) -> String {
    let mut pieces = asked.split('=');
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let sign = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii);
        match (sign, piece.get(2..)) {
            (Some(sign), Some(rest)) => {
                name.push(char::from(sign));
                name.push_str(rest);
            }
            _ => {
                name.push('=');
                name.push_str(piece);
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_written_as_freeradius_writes_it() {
        assert_eq!(asked("Pak Budi (RT 3) #2+", SAFE), "Pak Budi =28RT 3=29 =232=2B");
        assert_eq!(asked("rt#3", &format!("{SAFE}#")), "rt#3");
        assert_eq!(meant("a=b"), "a=b");
    }

    proptest! {
        #[test]
        fn what_is_asked_for_means_the_name(name in "[ -~]{1,64}") {
            prop_assert_eq!(meant(&asked(&name, SAFE)), name);
        }
    }
}
