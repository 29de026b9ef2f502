//! The word of a person that an unlikely value is right.

use clap::Args;
use isp_core::engine::Told;

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Sure {
    /// What is asked about is right, although it looks like a slip of the keyboard.
    #[arg(long)]
    sure: bool,
}

impl Sure {
    /// True when a person says so.
    pub(crate) const fn is(self) -> bool {
        self.sure
    }

    /// Who says it: a person, or one who was asked and means it.
    pub(crate) const fn told(self) -> Told {
        if self.sure { Told::ByPersonWhoInsists } else { Told::ByPerson }
    }

    /// Lets an unlikely value pass when a person is sure of it.
    pub(crate) fn of(self, plausible: Result<(), isp_core::Error>) -> Result<(), isp_core::Error> {
        if self.sure { Ok(()) } else { plausible }
    }
}
