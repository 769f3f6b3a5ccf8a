//! What a statement says of itself, without any table: its options and the tables that it names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Query, Visit, Visitor, visit_relations};

use crate::error::QueryError;
use crate::statement::{Statement, tokens_of};

/// A statement taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// `SET` and `OPTION` pairs as written, in the order in which later ones win.
    pub options: Vec<(String, String)>,
    /// The tables it names, sorted; names that `WITH` makes are none.
    pub tables: Vec<String>,
}

impl Inspection {
    /// Recurses as deep as the statement is nested.
    pub(crate) fn of(sql: &str) -> Result<Inspection, QueryError> {
        let mut statement = Statement::read(tokens_of(sql)?)?;
        let options = std::mem::take(&mut statement.options);
        let query = statement.parse()?;
        let mut made = MadeNames::default();
        // The visitors never break off.
        let _ = query.visit(&mut made);
        let mut tables = BTreeSet::new();
        let _ = visit_relations(&*query, |name| {
            let parts: Vec<&str> = name
                .0
                .iter()
                .filter_map(|part| part.as_ident())
                .map(|identifier| identifier.value.as_str())
                .collect();
            let name = parts.join(".");
            if !made.0.contains(&name.to_lowercase()) {
                tables.insert(name);
            }
            ControlFlow::<()>::Continue(())
        });
        Ok(Inspection { options, tables: tables.into_iter().collect() })
    }
}

/// Names that `WITH` makes, in lower case.
#[derive(Default)]
struct MadeNames(BTreeSet<String>);

impl Visitor for MadeNames {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let made = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.extend(made.map(|table| table.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tables_and_options_but_no_names_that_with_makes() {
        let sql = "SET a = 1; WITH x AS (SELECT * FROM t) SELECT * FROM X JOIN \"Other\" ON 1 = 1 \
                   WHERE n IN (SELECT n FROM third) OPTION(timeoutMs=5)";
        let inspection = Inspection::of(sql).expect("it follows the grammar");
        assert_eq!(inspection.tables, ["Other", "t", "third"]);
        assert_eq!(
            inspection.options,
            [("timeoutMs".to_owned(), "5".to_owned()), ("a".to_owned(), "1".to_owned())]
        );
    }

    #[test]
    fn says_where_a_text_is_no_query() {
        assert!(matches!(Inspection::of("SELECT FROM"), Err(QueryError::Syntax { .. })));
        assert!(Inspection::of("DROP TABLE t").is_err());
    }
}
