//! What happens on the provider's bank accounts: files of banks, mutations, and whose each is.
//!
//! | to find | look in |
//! |---|---|
//! | reading the files of banks | [`mod@file`] |
//! | mutations, each kept once | [`mutation`] |
//! | whether two wrote about one movement | [`agree`] |
//! | rows that a bank wrote anew | `corrected` |
//! | rows that are known under another account | `elsewhere` |
//! | whose a mutation is | [`matching`] |
//! | the customers, found by what a text says | [`payers`] |
//! | transfers that a bank takes back | `storno` |
//! | mutations that are told one by one, by moota or a phone | [`told`] |
//! | what the text of one names | `words`, `written` |

pub mod agree;
mod corrected;
mod elsewhere;
pub mod file;
pub mod matching;
pub mod mutation;
pub mod payers;
mod storno;
pub mod told;
mod words;
mod written;

pub use agree::{Payees, Whose};
pub use elsewhere::known_elsewhere;
pub use file::{BankFile, BankFormat, BankRow, account_code};
pub use matching::{Candidate, Clue, Doubt, Verdict, candidates, decide, is_gone, payees};
pub use mutation::{
    Compared, ImportedFile, Incoming, Mutation, MutationMark, MutationRow, MutationState, PayerAlias, compare, file_id,
};
pub use payers::{Payer, Payers};
pub use storno::{TAKEN_BACK_WITHIN, says_storno, taken_back};
pub use told::{
    Recognised, Teller, Telling, ToldRow, decided_as, is_too_often, may_be_same, named_instead, recognise, text_of,
    told_by,
};
pub use words::payer_words;
