//! Digits that are one number, and digits that may not be.

/// `8.12E+10`, as a spreadsheet shows a number that is too long for its cell.
pub(crate) fn is_power_of_ten(text: &str) -> bool {
    text.split_once(['e', 'E']).is_some_and(|(mantissa, power)| {
        let digits = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
        let power = power.strip_prefix(['+', '-']).unwrap_or(power);
        digits(mantissa)
            && mantissa.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte))
            && digits(power)
            && power.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// True for digits of which a spreadsheet has lost some: `8.12E+10`, or more digits than the 15 that it keeps, with zeros
/// for the others.
///
/// ```
/// use isp_core::typed::looks_rounded;
/// assert!(looks_rounded("8,12E+10") && looks_rounded("3273011708450000") && !looks_rounded("1200000"));
/// ```
#[must_use]
pub fn looks_rounded(text: &str) -> bool {
    const KEPT: usize = 15;
    let text = super::bare(text);
    // Spreadsheets write the sign of the power; `12E5` may be somebody's password.
    let power = is_power_of_ten(&text) && text.contains('+');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let lost = text.get(KEPT..).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte == b'0'));
    power || (digits && lost)
}

/// Joins groups of digits that are certainly one number: blanks, dashes and points between groups of two digits or more,
/// and brackets around the first group.
///
/// A group of one or two digits behind a point is a fraction (`81210000001.0`), and brackets further back hold a remark
/// (`0812... (2)`): neither is ever a part of the number.
pub(crate) fn joined(text: &str, brackets: bool) -> Result<String, &'static str> {
    const ELSE: &str = "it holds something other than digits";
    const DECIMAL: &str = "it is written as a decimal number; format the column as text and type it again";
    const PIECES: &str = "its digits stand in pieces that may not belong together";
    let is_dash = |sign: char| matches!(sign, ' ' | '-' | '\u{2010}'..='\u{2013}');
    let mut groups: Vec<(char, String)> = vec![(' ', String::new())];
    let (mut opened, mut closed) = (false, false);
    for sign in text.trim().chars() {
        match sign {
            '0'..='9' => {
                if let Some((_, group)) = groups.last_mut() {
                    group.push(sign);
                }
            }
            '(' if brackets && !opened => {
                opened = true;
                groups.push((' ', String::new()));
            }
            ')' if opened && !closed => {
                closed = true;
                groups.push((' ', String::new()));
            }
            '.' | ',' => groups.push((sign, String::new())),
            _ if is_dash(sign) => groups.push((' ', String::new())),
            _ => return Err(ELSE),
        }
    }
    if opened != closed {
        return Err(ELSE);
    }
    // A sign between blanks is none that divides: "0812 - 3456".
    let mut kept: Vec<(char, String)> = Vec::with_capacity(groups.len());
    let mut before = ' ';
    for (sign, group) in groups {
        if sign != ' ' {
            before = sign;
        }
        if !group.is_empty() {
            kept.push((before, group));
            before = ' ';
        }
    }
    if let Some(at) = text.find('(') {
        // Country code and area are in front of or in the brackets, at most four digits before them.
        if text.get(..at).is_some_and(|front| front.bytes().filter(u8::is_ascii_digit).count() > 4) {
            return Err(PIECES);
        }
    }
    if kept.iter().any(|(sign, _)| *sign == ',') {
        return Err(DECIMAL);
    }
    if kept.iter().skip(1).any(|(sign, group)| *sign == '.' && group.len() == 1)
        || kept.iter().skip(1).last().is_some_and(|(sign, group)| *sign == '.' && group.len() < 3)
    {
        return Err(DECIMAL);
    }
    if kept.iter().skip(1).any(|(_, group)| group.len() == 1) {
        return Err(PIECES);
    }
    Ok(kept.into_iter().map(|(_, group)| group).collect())
}
