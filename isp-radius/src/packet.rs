//! Packets of RADIUS, as far as ending a session needs them: RFC 2865 for the form, RFC 5176 for Disconnect messages.
//!
//! Nothing here touches a socket. A request is signed with the secret that we share with the NAS; an answer counts only when
//! its signature fits the request.

use isp_core::Secret;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

/// Code, identifier, length, authenticator.
const HEAD: usize = 20;
/// No packet is longer (RFC 2865, 3).
const MOST: usize = 4_096;

/// `Disconnect-Request` (RFC 5176, 3).
pub const DISCONNECT_REQUEST: u8 = 40;
/// `Disconnect-ACK`: the session is ended.
pub const DISCONNECT_ACK: u8 = 41;
/// `Disconnect-NAK`: it is not, and `Error-Cause` may say why.
pub const DISCONNECT_NAK: u8 = 42;

const USER_NAME: u8 = 1;
const ERROR_CAUSE: u8 = 101;

/// `Error-Cause` 503: there is no such session (RFC 5176, 3.6).
pub const SESSION_NOT_FOUND: u32 = 503;

/// Why bytes are no packet, or not the one that was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The lengths in it do not fit.
    #[error("its lengths do not fit")]
    Malformed,
    /// It has another identifier than the request.
    #[error("it answers another request")]
    OtherIdentifier,
    /// Its signature is not made with our secret, or not for this request.
    #[error("its signature does not fit: the shared secret differs")]
    BadSignature,
    /// Its code is none of an answer to a Disconnect-Request.
    #[error("it is no answer to a Disconnect-Request")]
    OtherCode,
    /// A user name has more than 253 bytes, or none.
    #[error("a user name has 1 to 253 bytes")]
    UserName,
}

/// A request to end the sessions of a user, ready to be sent. Sent again, it must be the same bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct DisconnectRequest {
    bytes: Vec<u8>,
}

impl std::fmt::Debug for DisconnectRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DisconnectRequest").field("identifier", &self.identifier()).finish_non_exhaustive()
    }
}

/// What a NAS answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The session is ended.
    Ended,
    /// It refused; with the `Error-Cause` if there was one.
    Refused(Option<u32>),
}

impl DisconnectRequest {
    /// Makes one for a user.
    ///
    /// # Errors
    /// [`PacketError::UserName`].
    pub fn new(identifier: u8, username: &str, secret: &Secret) -> Result<Self, PacketError> {
        let length = u8::try_from(username.len() + 2).ok().filter(|length| (3..=255).contains(length));
        let length = length.ok_or(PacketError::UserName)?;
        let mut bytes = vec![DISCONNECT_REQUEST, identifier, 0, 0];
        bytes.extend([0; 16]);
        bytes.extend([USER_NAME, length]);
        bytes.extend(username.as_bytes());
        finish(&mut bytes, &[0; 16], secret);
        Ok(Self { bytes })
    }

    /// What goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its identifier.
    #[must_use]
    pub fn identifier(&self) -> u8 {
        self.bytes.get(1).copied().unwrap_or_default()
    }

    /// Reads what came back.
    ///
    /// # Errors
    /// [`PacketError`] for anything but a signed answer to this request.
    pub fn answer(&self, bytes: &[u8], secret: &Secret) -> Result<Answer, PacketError> {
        let packet = Packet::read(bytes)?;
        if packet.identifier != self.identifier() {
            return Err(PacketError::OtherIdentifier);
        }
        let authenticator = self.bytes.get(4..HEAD).ok_or(PacketError::Malformed)?;
        if !packet.is_signed(authenticator, secret) {
            return Err(PacketError::BadSignature);
        }
        match packet.code {
            DISCONNECT_ACK => Ok(Answer::Ended),
            DISCONNECT_NAK => Ok(Answer::Refused(packet.number(ERROR_CAUSE))),
            _ => Err(PacketError::OtherCode),
        }
    }
}

/// A packet as it was received.
#[derive(Debug)]
struct Packet<'a> {
    code: u8,
    identifier: u8,
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// What stands behind the length that a packet gives itself is padding and is left out (RFC 2865, 3).
    fn read(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let (code, identifier, length) = match bytes {
            [code, identifier, high, low, ..] => (*code, *identifier, usize::from(u16::from_be_bytes([*high, *low]))),
            _ => return Err(PacketError::Malformed),
        };
        if !(HEAD..=MOST).contains(&length) {
            return Err(PacketError::Malformed);
        }
        let packet = Self { code, identifier, bytes: bytes.get(..length).ok_or(PacketError::Malformed)? };
        let mut rest = packet.attributes();
        while !rest.is_empty() {
            let length = usize::from(*rest.get(1).ok_or(PacketError::Malformed)?);
            rest = rest.get(length..).filter(|_| length >= 2).ok_or(PacketError::Malformed)?;
        }
        Ok(packet)
    }

    fn attributes(&self) -> &'a [u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }

    /// The first attribute of a kind.
    fn attribute(&self, kind: u8) -> Option<&'a [u8]> {
        let mut rest = self.attributes();
        while let [found, length, ..] = rest {
            let (this, after) = rest.split_at_checked(usize::from(*length))?;
            if *found == kind {
                return this.get(2..);
            }
            rest = after;
        }
        None
    }

    fn number(&self, kind: u8) -> Option<u32> {
        self.attribute(kind)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// True when its authenticator is the MD5 of itself with `before` in the place of the authenticator, and the secret.
    fn is_signed(&self, before: &[u8], secret: &Secret) -> bool {
        let signature = signature(self.bytes, before, secret);
        self.bytes.get(4..HEAD).is_some_and(|found| signature.ct_eq(found).into())
    }
}

fn signature(bytes: &[u8], before: &[u8], secret: &Secret) -> [u8; 16] {
    let mut hash = Md5::new();
    hash.update(bytes.get(..4).unwrap_or_default());
    hash.update(before);
    hash.update(bytes.get(HEAD..).unwrap_or_default());
    hash.update(secret.reveal().as_bytes());
    hash.finalize().into()
}

/// Writes length and authenticator into a packet that is otherwise whole.
fn finish(bytes: &mut [u8], before: &[u8], secret: &Secret) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(place) = bytes.get_mut(2..4) {
        place.copy_from_slice(&length);
    }
    let signature = signature(bytes, before, secret);
    if let Some(place) = bytes.get_mut(4..HEAD) {
        place.copy_from_slice(&signature);
    }
}

/// A request as a NAS receives it.
#[cfg(feature = "simulator")]
pub(crate) struct Received {
    identifier: u8,
    authenticator: [u8; 16],
    /// Whose sessions are to end; empty when it names nobody.
    pub(crate) username: String,
}

#[cfg(feature = "simulator")]
impl Received {
    /// Reads a Disconnect-Request that is signed with the secret; a NAS drops anything else without a word.
    pub(crate) fn read(bytes: &[u8], secret: &Secret) -> Option<Self> {
        let packet = Packet::read(bytes).ok()?;
        if packet.code != DISCONNECT_REQUEST || !packet.is_signed(&[0; 16], secret) {
            return None;
        }
        let username = packet.attribute(USER_NAME).unwrap_or_default();
        let authenticator = packet.bytes.get(4..HEAD)?.try_into().ok()?;
        let username = String::from_utf8_lossy(username).into_owned();
        Some(Self { identifier: packet.identifier, authenticator, username })
    }

    /// What the NAS answers.
    pub(crate) fn reply(&self, answer: Answer, secret: &Secret) -> Vec<u8> {
        let code = if answer == Answer::Ended { DISCONNECT_ACK } else { DISCONNECT_NAK };
        let mut bytes = vec![code, self.identifier, 0, 0];
        bytes.extend([0; 16]);
        if let Answer::Refused(Some(cause)) = answer {
            bytes.extend([ERROR_CAUSE, 6]);
            bytes.extend(cause.to_be_bytes());
        }
        finish(&mut bytes, &self.authenticator, secret);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("testing123")
    }

    /// The request for `budi` with identifier 181 and the secret `testing123`, as `radclient` of FreeRADIUS 3.2.1 sent it.
    const BUDI: &str = "28b5001a1233b6e5a30d565f428d890fe7190339010662756469";

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
        digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
    }

    #[test]
    fn a_request_is_that_of_radclient() {
        let request = DisconnectRequest::new(181, "budi", &secret()).unwrap();
        assert_eq!(request.bytes(), hex(BUDI));
    }

    #[test]
    fn a_name_has_a_length() {
        assert_eq!(DisconnectRequest::new(0, "", &secret()), Err(PacketError::UserName));
        assert!(DisconnectRequest::new(0, &"x".repeat(253), &secret()).is_ok());
        assert_eq!(DisconnectRequest::new(0, &"x".repeat(254), &secret()), Err(PacketError::UserName));
    }

    #[test]
    fn answers_are_believed_only_when_they_are_signed_for_this_request() {
        let request = DisconnectRequest::new(9, "budi", &secret()).unwrap();
        let received = Received::read(request.bytes(), &secret()).unwrap();
        assert_eq!(received.username, "budi");
        assert!(Received::read(request.bytes(), &Secret::new("other")).is_none());
        for answer in [Answer::Ended, Answer::Refused(None), Answer::Refused(Some(SESSION_NOT_FOUND))] {
            let reply = received.reply(answer, &secret());
            assert_eq!(request.answer(&reply, &secret()), Ok(answer));
            assert_eq!(request.answer(&reply, &Secret::new("other")), Err(PacketError::BadSignature));
            // Each flipped bit is noticed.
            for at in 0..reply.len() * 8 {
                let mut forged = reply.clone();
                forged[at / 8] ^= 1 << (at % 8);
                assert!(request.answer(&forged, &secret()).is_err(), "bit {at}");
            }
            // So is an answer to an earlier request.
            let other = DisconnectRequest::new(9, "citra", &secret()).unwrap();
            assert_eq!(other.answer(&reply, &secret()), Err(PacketError::BadSignature));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let request = DisconnectRequest::new(9, "budi", &secret()).unwrap();
            proptest::prop_assert!(request.answer(&bytes, &secret()).is_err());
            let _ = Received::read(&bytes, &secret());
        }
    }
}
