//! `ago(period)` where the period is no constant.

use crate::description::FunctionGroup::DateTime;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::kind::shortened;
use crate::scalar::rows::{Long, Text, row2};
use crate::time::period::period_ms;

/// Returns the function that the dialect calls with the time of the query as second argument.
pub(crate) fn ago() -> Function {
    Function::new(
        DateTime,
        &["$ago"],
        "ago(period)",
        "The time that lies an ISO-8601 period before the query's.",
        [row2::<Text, Long, _>(|period, now| {
            let moment = period_ms(period).and_then(|period| now.checked_sub(period));
            moment.ok_or_else(|| Fault::from(format!("`{}` is no ISO-8601 duration", shortened(period))))
        })],
    )
}
