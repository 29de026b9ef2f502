//! Seals the columns that nobody may read from the database: NIK and passwords.
//!
//! XChaCha20-Poly1305 with a random nonce; the associated data names table, column, tenant and row, so a sealed value
//! that is moved to another row does not open. A ring of keys: the first seals, all of them open. A sealed value is
//! one byte for the form (1), four for the key's id, 24 for the nonce, then the text with its tag.
//!
//! The key file (see `keyfile`) lies outside the database and its copies: one key a line, 64 hex digits; lines that begin
//! with `#` are left out. To change keys, put a new one first and keep the old one until everything was written anew.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use isp_core::secret::Secret;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::{Zeroize as _, Zeroizing};

/// The form of sealed values.
const FORM: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;
const HEAD: usize = 1 + KEY_ID + NONCE;
/// More keys than anybody keeps while changing them.
const MAX_KEYS: usize = 16;
/// What the line of a wrapped key begins with.
pub(crate) const WRAPPED: &str = "isp-wrapped-key-1";

/// A ring of keys. Cloning shares it.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<[Key]>,
}

struct Key {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
    index: [u8; 32],
}

/// Why a sealed value does not open whose key this process does not have.
pub(crate) const NOT_IN_RING: &str = "its key is not in the ring";

impl Drop for Key {
    fn drop(&mut self) {
        self.index.zeroize();
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(***)")
    }
}

/// Why there is no vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The key file cannot be read or written.
    #[error("key file: {reason}")]
    File {
        /// What the system said.
        reason: String,
    },
    /// The key file is not there.
    #[error("the key file {path} is not there")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// The key file is a folder, a pipe or a device.
    #[error("the key file is no ordinary file")]
    NotAFile,
    /// A database has a key already, and its key file is not there. A second key would not open what the first sealed.
    #[error("the database has a key, and its key file {path} is not there")]
    Lost {
        /// Where it should be.
        path: String,
    },
    /// A key file is there already; replacing it would make everything sealed unreadable.
    #[error("{path} is there already")]
    Exists {
        /// Which file.
        path: String,
    },
    /// Others than its owner may read the key file.
    #[error("the key file may be read by others than its owner (mode {mode:03o}); run: chmod 0400")]
    Readable {
        /// Its permission bits.
        mode: u32,
    },
    /// It holds no key, too many, or something else.
    #[error("the keys are not lines of 64 hex digits")]
    Form,
    /// The environment variable is not set.
    #[error("environment variable {name} is not set")]
    NotSet {
        /// Its name.
        name: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// The key file is wrapped by a passphrase.
    #[error("the key file is wrapped by a passphrase; `isp key unwrap` opens it")]
    Wrapped,
    /// The wrapped key is not where it was looked for.
    #[error("the wrapped key {path} is not there")]
    WrappedMissing {
        /// Where it should be.
        path: String,
    },
    /// What should be a wrapped key is something else.
    #[error("the file holds no wrapped key")]
    NotWrapped,
    /// The passphrase is not the one that wrapped the key, or the file was changed.
    #[error("this passphrase does not open the key, or the file was changed")]
    Passphrase,
    /// A passphrase that is guessed too soon.
    #[error("the passphrase has fewer than 12 characters")]
    PassphraseShort,
}

impl VaultError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "vault.file",
            Self::Missing { .. } => "vault.missing",
            Self::NotAFile => "vault.not_a_file",
            Self::Lost { .. } => "vault.lost",
            Self::Exists { .. } => "vault.exists",
            Self::Readable { .. } => "vault.readable",
            Self::Form => "vault.form",
            Self::NotSet { .. } => "vault.not_set",
            Self::Random => "vault.random",
            Self::Wrapped => "vault.wrapped",
            Self::WrappedMissing { .. } => "vault.wrapped_missing",
            Self::NotWrapped => "vault.not_wrapped",
            Self::Passphrase => "vault.passphrase",
            Self::PassphraseShort => "vault.passphrase_short",
        }
    }

    /// Somebody must act first.
    #[must_use]
    pub fn retryable(&self) -> bool {
        false
    }
}

/// Which column of which row a sealed value belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) tenant: TenantId,
    pub(crate) row: Uuid,
}

/// What stands in `meta` under `vault_check`, sealed: it says nothing.
const CHECK: &str = "isp";
const CHECK_PLACE: Place =
    Place { table: "meta", column: "vault_check", tenant: TenantId(Uuid::nil()), row: Uuid::nil() };

impl Place {
    fn associated_data(&self) -> String {
        format!("{}|{}|{}|{}", self.table, self.column, self.tenant, self.row)
    }
}

impl Vault {
    /// The keys in an environment variable, separated by blanks or commas.
    ///
    /// # Errors
    /// [`VaultError::NotSet`], [`VaultError::Form`].
    pub fn from_env(name: &str) -> Result<Self, VaultError> {
        let text = std::env::var(name).map_err(|_| VaultError::NotSet { name: name.to_owned() })?;
        Self::from_text(&Zeroizing::new(text.replace([',', ' '], "\n")))
    }

    /// The keys in a text, one a line, 64 hex digits each; the first seals.
    ///
    /// # Errors
    /// [`VaultError::Form`], [`VaultError::Wrapped`].
    pub fn from_text(text: &str) -> Result<Self, VaultError> {
        if is_wrapped(text) {
            return Err(VaultError::Wrapped);
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let ring: Vec<Key> = lines.map(|line| parse_key(line).ok_or(VaultError::Form)).collect::<Result<_, _>>()?;
        if ring.is_empty() || ring.len() > MAX_KEYS { Err(VaultError::Form) } else { Ok(Self { ring: ring.into() }) }
    }

    /// A vault without a key, for a store that is only read: what is sealed stays hidden, and nothing can be written.
    #[must_use]
    pub fn locked() -> Self {
        Self { ring: Arc::new([]) }
    }

    /// True for [`Vault::locked`].
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.ring.is_empty()
    }

    /// How many keys the ring has: more than one while keys are being changed.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.ring.len()
    }

    /// What each key of the ring is called, the sealing one first: eight hex digits that say nothing of it.
    #[must_use]
    pub fn key_names(&self) -> Vec<String> {
        self.ring.iter().map(|key| name(&key.id)).collect()
    }

    /// The key that sealed a value.
    pub(crate) fn key_name(sealed: &[u8]) -> String {
        name(sealed.get(1..=KEY_ID).unwrap_or_default())
    }

    /// How many of these keys are not in the ring.
    pub(crate) fn lacks<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> u64 {
        let ours = self.key_names();
        names.into_iter().map(|name| u64::from(!ours.contains(name))).sum()
    }

    /// The id of the key that seals.
    pub(crate) fn first_id(&self) -> Option<Vec<u8>> {
        self.ring.first().map(|key| key.id.to_vec())
    }

    /// Seals a text for one column of one row.
    pub(crate) fn seal(&self, place: Place, text: &str) -> Result<Vec<u8>, StoreError> {
        self.seal_bytes(place, text.as_bytes())
    }

    /// As [`Vault::seal`], for what is no text.
    pub(crate) fn seal_bytes(&self, place: Place, clear: &[u8]) -> Result<Vec<u8>, StoreError> {
        let refused = || StoreError::Rejected { reason: "a value could not be sealed".to_owned() };
        let key = self.ring.first().ok_or(StoreError::NoKey)?;
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| refused())?;
        let aad = place.associated_data();
        let payload = Payload { msg: clear, aad: aad.as_bytes() };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| refused())?;
        let mut bytes = Vec::with_capacity(HEAD + sealed.len());
        bytes.push(FORM);
        bytes.extend_from_slice(&key.id);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(bytes)
    }

    /// Seals the value by which a database knows its key.
    pub(crate) fn seal_check(&self) -> Result<Vec<u8>, StoreError> {
        self.seal(CHECK_PLACE, CHECK)
    }

    /// True when a database with this value was sealed by a key of this ring.
    pub(crate) fn opens_check(&self, sealed: &[u8]) -> bool {
        self.open(CHECK_PLACE, sealed).is_ok_and(|clear| clear.reveal() == CHECK)
    }

    /// As [`Vault::open`], but nothing for a vault that is locked: for lists, which do not show what is sealed.
    pub(crate) fn open_or_hide(&self, place: Place, sealed: &[u8]) -> Result<Secret, StoreError> {
        if self.is_locked() { Ok(Secret::new(String::new())) } else { self.open(place, sealed) }
    }

    /// Opens a sealed text of one column of one row.
    pub(crate) fn open(&self, place: Place, sealed: &[u8]) -> Result<Secret, StoreError> {
        String::from_utf8(self.open_bytes(place, sealed)?).map(Secret::new).map_err(|e| {
            e.into_bytes().zeroize();
            StoreError::Corrupt { what: "sealed value", reason: format!("{}: it is no text", place.table) }
        })
    }

    /// As [`Vault::open`], for what is no text.
    pub(crate) fn open_bytes(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        if self.is_locked() {
            return Err(StoreError::NoKey);
        }
        let corrupt =
            |reason: &str| StoreError::Corrupt { what: "sealed value", reason: format!("{}: {reason}", place.table) };
        let (head, text) = sealed.split_at_checked(HEAD).ok_or_else(|| corrupt("it is too short"))?;
        if head.first() != Some(&FORM) {
            return Err(corrupt("it has the form of another version"));
        }
        let nonce: [u8; NONCE] = head.get(1 + KEY_ID..).and_then(|n| n.try_into().ok()).unwrap_or([0; NONCE]);
        let aad = place.associated_data();
        let id = head.get(1..1 + KEY_ID).unwrap_or_default();
        let mut keys = self.ring.iter().filter(|key| key.id == *id).peekable();
        if keys.peek().is_none() {
            return Err(corrupt(NOT_IN_RING));
        }
        for key in keys {
            let payload = Payload { msg: text, aad: aad.as_bytes() };
            if let Ok(clear) = key.cipher.decrypt(&XNonce::from(nonce), payload) {
                return Ok(clear);
            }
        }
        Err(corrupt("it was changed, or belongs to another row"))
    }

    /// What stands for a text in an index, for each key of the ring, the sealing one first.
    pub(crate) fn blind_indexes(&self, tenant: TenantId, text: &str) -> Vec<Vec<u8>> {
        self.ring.iter().map(|key| mac(&key.index, &[tenant.0.as_bytes(), text.as_bytes()]).to_vec()).collect()
    }

    /// What stands for a text in an index that is written now.
    pub(crate) fn blind_index(&self, tenant: TenantId, text: &str) -> Option<Vec<u8>> {
        self.blind_indexes(tenant, text).into_iter().next()
    }
}

fn parse_key(line: &str) -> Option<Key> {
    if line.len() != 64 || !line.is_ascii() {
        return None;
    }
    let mut master = Zeroizing::new([0_u8; 32]);
    for (byte, digits) in master.iter_mut().zip(line.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    // One use, one key: what is known of one tells nothing of the others.
    let seal = Zeroizing::new(mac(&master, &[b"isp seal 1"]));
    let id = mac(&master, &[b"isp key id 1"]);
    Some(Key {
        id: id.first_chunk().copied()?,
        cipher: XChaCha20Poly1305::new_from_slice(seal.as_slice()).ok()?,
        index: mac(&master, &[b"isp blind index 1"]),
    })
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length, so this cannot fail.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn name(id: &[u8]) -> String {
    isp_core::text::hex(id)
}

/// True for the text of a key that is wrapped by a passphrase, see `wrap`.
pub(crate) fn is_wrapped(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(WRAPPED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(digits: &str) -> Vault {
        Vault::from_text(digits).unwrap()
    }

    fn place(row: u128) -> Place {
        Place { table: "customers", column: "nik", tenant: TenantId::DEFAULT, row: Uuid::from_u128(row) }
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_place_only() {
        let vault = vault(&"ab".repeat(32));
        let sealed = vault.seal(place(1), "clear text").unwrap();
        assert_eq!(vault.open(place(1), &sealed).unwrap().reveal(), "clear text");
        assert!(!sealed.windows(10).any(|w| w == b"clear text"));
        assert_ne!(sealed, vault.seal(place(1), "clear text").unwrap(), "the nonce is random");
        for other in [
            place(2),
            Place { column: "password", ..place(1) },
            Place { table: "routers", ..place(1) },
            Place { tenant: TenantId(Uuid::from_u128(2)), ..place(1) },
        ] {
            assert_eq!(vault.open(other, &sealed).unwrap_err().code(), "store.corrupt");
        }
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(vault.open(place(1), &damaged).is_err(), "byte {at}");
            assert!(vault.open(place(1), &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_locked_vault_hides_and_seals_nothing() {
        let sealed = vault(&"ab".repeat(32)).seal(place(1), "clear text").unwrap();
        let locked = Vault::locked();
        assert!(locked.is_locked());
        assert_eq!(locked.open(place(1), &sealed).unwrap_err(), StoreError::NoKey);
        assert_eq!(locked.open_or_hide(place(1), &sealed).unwrap().reveal(), "");
        assert_eq!(locked.seal(place(1), "x").unwrap_err(), StoreError::NoKey);
        assert_eq!(locked.blind_index(TenantId::DEFAULT, "x"), None);
    }

    #[test]
    fn the_first_key_of_the_ring_seals_and_all_open() {
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        let sealed = vault(&old).seal(place(1), "x").unwrap();
        let ring = vault(&format!("# keys\n{new}\n\n{old}\n"));
        assert_eq!(ring.open(place(1), &sealed).unwrap().reveal(), "x");
        let sealed = ring.seal(place(1), "y").unwrap();
        assert_eq!(vault(&new).open(place(1), &sealed).unwrap().reveal(), "y");
        let error = vault(&old).open(place(1), &sealed).unwrap_err();
        assert!(error.to_string().contains("not in the ring"), "{error}");
        assert_eq!(ring.blind_indexes(TenantId::DEFAULT, "x").len(), 2);
        assert_eq!(ring.blind_index(TenantId::DEFAULT, "x"), vault(&new).blind_index(TenantId::DEFAULT, "x"));
        assert_ne!(ring.blind_index(TenantId::DEFAULT, "x"), ring.blind_index(TenantId(Uuid::nil()), "x"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "# only a comment", "abc", &"zz".repeat(32), &"ab".repeat(33), &"é".repeat(32)] {
            assert_eq!(Vault::from_text(text).unwrap_err(), VaultError::Form);
        }
        assert_eq!(Vault::from_text(&format!("{}\n", "ab".repeat(32)).repeat(17)).unwrap_err(), VaultError::Form);
    }
}
