//! What a tenant's move and the writes for it have in common: a lock, and what a row of `moves` means. See `moving`.

use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use sha2::{Digest as _, Sha256};

/// The lock by which writes for a tenant and its move keep out of each other's way, and the one of the move itself.
pub(crate) fn locks(tenant: TenantId) -> (i64, i64) {
    let digest = Sha256::new_with_prefix(b"isp move").chain_update(tenant.0.as_bytes()).finalize();
    let number =
        |at: usize| digest[at..at + 8].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)).cast_signed();
    (number(0), number(8))
}

/// What a write for a tenant finds in a row of `moves`.
pub(crate) fn refusal(state: &str, other: String) -> StoreError {
    if state == "left" { StoreError::Moved { to: other } } else { StoreError::Moving }
}
