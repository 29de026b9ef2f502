//! Calls to routers: many at once, one deadline each, and a dead router delays nobody else.

mod apply;
mod import;
mod plan;
mod read;
mod status;
mod work;

pub(crate) use apply::{apply_routers, observe_routers};
pub(crate) use import::import_secrets;
pub(crate) use plan::plan_routers;
pub(crate) use read::{SERVICES, STRATEGIES};
pub(crate) use status::router_status;
