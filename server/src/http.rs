//! What HTTP needs beneath the routes: the accept loop with its limits, reading requests, and guards around every route.

pub(crate) mod accept_loop;
pub(crate) mod guard;
pub(crate) mod request;
