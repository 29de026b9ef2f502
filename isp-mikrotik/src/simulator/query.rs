//! The query words of a print: a small stack machine.

use std::borrow::Cow;

/// What a row shows under a name.
pub(super) trait Shown {
    /// The value, `None` if the row does not have the property.
    fn value(&self, name: &[u8]) -> Option<Cow<'_, [u8]>>;
}

/// Whether a row passes all query words, in their order.
pub(super) fn matches(words: &[Vec<u8>], row: &dyn Shown) -> bool {
    let mut stack: Vec<bool> = Vec::new();
    for word in words {
        match word.strip_prefix(b"#") {
            Some(operations) => operate(operations, &mut stack),
            None => stack.push(test(word, row)),
        }
    }
    stack.iter().all(|passed| *passed)
}

fn test(word: &[u8], row: &dyn Shown) -> bool {
    match word.first() {
        Some(b'-') => row.value(&word[1..]).is_none(),
        Some(b'<') => compare(&word[1..], row, |order| order.is_lt()),
        Some(b'>') => compare(&word[1..], row, |order| order.is_gt()),
        Some(b'=') => equal(&word[1..], row),
        _ => equal(word, row),
    }
}

fn equal(word: &[u8], row: &dyn Shown) -> bool {
    match split(word) {
        (name, Some(wanted)) => row.value(name).as_deref().unwrap_or_default() == wanted,
        (name, None) => row.value(name).is_some(),
    }
}

fn compare(word: &[u8], row: &dyn Shown, accept: impl Fn(std::cmp::Ordering) -> bool) -> bool {
    let (name, Some(wanted)) = split(word) else { return false };
    let Some(value) = row.value(name) else { return false };
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<i64>().ok());
    match (number(&value), number(wanted)) {
        (Some(value), Some(wanted)) => accept(value.cmp(&wanted)),
        _ => accept((*value).cmp(wanted)),
    }
}

fn split(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|&byte| byte == b'=') {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    }
}

/// The stack is endless: below what was pushed, everything is true.
fn operate(operations: &[u8], stack: &mut Vec<bool>) {
    let mut at = 0;
    while let Some(&operation) = operations.get(at) {
        at += 1;
        match operation {
            b'!' => {
                let top = stack.pop().unwrap_or(true);
                stack.push(!top);
            }
            b'&' => {
                let (right, left) = (stack.pop().unwrap_or(true), stack.pop().unwrap_or(true));
                stack.push(left && right);
            }
            b'|' => {
                let (right, left) = (stack.pop().unwrap_or(true), stack.pop().unwrap_or(true));
                stack.push(left || right);
            }
            b'.' => stack.push(stack.last().copied().unwrap_or(true)),
            b'0'..=b'9' => {
                let mut index = usize::from(operation - b'0');
                while let Some(digit @ b'0'..=b'9') = operations.get(at) {
                    index = index.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
                    at += 1;
                }
                let value =
                    stack.len().checked_sub(index + 1).and_then(|from| stack.get(from)).copied().unwrap_or(true);
                if at == operations.len() {
                    stack.clear();
                }
                stack.push(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pairs(&'static [(&'static str, &'static str)]);

    impl Shown for Pairs {
        fn value(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
            self.0.iter().find(|(key, _)| key.as_bytes() == name).map(|(_, value)| Cow::Borrowed(value.as_bytes()))
        }
    }

    fn passes(words: &[&str]) -> bool {
        let row = Pairs(&[("name", "budi"), ("mtu", "1480"), ("comment", "")]);
        matches(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>(), &row)
    }

    #[test]
    fn the_stack_works_as_documented() {
        assert!(passes(&[]));
        assert!(passes(&["name=budi"]) && passes(&["=name=budi"]) && !passes(&["name=bud"]));
        assert!(passes(&["-profile"]) && !passes(&["-name"]) && passes(&["name"]));
        assert!(passes(&[">mtu=300"]) && !passes(&["<mtu=300"]));
        assert!(passes(&["name=siti", "name=budi", "#|"]));
        assert!(!passes(&["name=siti", "name=budi"]));
        assert!(passes(&["name=siti", "#!"]));
        assert!(passes(&["name=a", "name=b", "#|", "name=budi", "#|"]));
        assert!(passes(&["name=siti", "name=budi", "#0"]));
    }
}
