//! Memory store, fakes and contract suites.
