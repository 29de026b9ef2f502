//! The journeys: load, decide, commit, then deliver.
