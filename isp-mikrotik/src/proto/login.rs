//! Login in the form of RouterOS 6.43 and later.

use super::command::Command;
use super::connection::Reply;

/// Why a login failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The router answered with a challenge: it is older than 6.43. To a careless client this looks like success.
    #[error("router is older than RouterOS 6.43, which is not supported")]
    TooOld,
    /// Wrong name or password.
    #[error("router refused the user name or password")]
    BadCredentials,
    /// The router refused for another reason; its own words.
    #[error("router refused the login: {0}")]
    Refused(String),
}

/// The login command. The password goes in clear text: use TLS where the path to the router is not yours.
pub fn command(user: &str, password: &str) -> Command {
    Command::new("/login").arg("name", user).arg("password", password)
}

/// What the reply to [`command`] means.
///
/// # Errors
///
/// See [`LoginError`]; nothing was changed on the router in any case.
pub fn outcome(reply: &Reply) -> Result<(), LoginError> {
    if let Some(trap) = reply.traps().first() {
        let message = String::from_utf8_lossy(trap.message()).into_owned();
        let bad = message.contains("invalid user name or password") || message.contains("cannot log in");
        return Err(if bad { LoginError::BadCredentials } else { LoginError::Refused(message) });
    }
    if reply.ret().is_some() { Err(LoginError::TooOld) } else { Ok(()) }
}
