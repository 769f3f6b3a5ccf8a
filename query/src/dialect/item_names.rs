//! The names of result columns in the multi-stage dialect: no two of one SELECT are the same.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Select, SelectItem, VisitorMut};

use super::syntax::quoted;

/// Names the items of every SELECT: one that is computed is called `EXPR$` and its position, and a name that was taken
/// gets a number behind it, both as Pinot does.
pub(super) struct ItemNames;

impl VisitorMut for ItemNames {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut taken = HashSet::new();
        for (position, item) in select.projection.iter_mut().enumerate() {
            let (expr, name, is_shown) = match item {
                SelectItem::UnnamedExpr(expr) => match &*expr {
                    Expr::Identifier(name) => (expr.clone(), name.value.clone(), true),
                    Expr::CompoundIdentifier(parts) if !parts.is_empty() => {
                        (expr.clone(), parts[parts.len() - 1].value.clone(), true)
                    }
                    _ => (expr.clone(), format!("EXPR${position}"), false),
                },
                SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), alias.value.clone(), true),
                SelectItem::Wildcard(_)
                | SelectItem::QualifiedWildcard(..)
                | SelectItem::ExprWithAliases { .. } => continue,
            };
            let unique = unique_name(&name, &mut taken);
            if !is_shown || unique != name {
                *item = SelectItem::ExprWithAlias { expr, alias: quoted(&unique) };
            }
        }
        ControlFlow::Continue(())
    }
}

/// Returns the name, with the first number behind it that makes it new if it is taken already.
pub(crate) fn unique_name(name: &str, taken: &mut HashSet<String>) -> String {
    if taken.insert(name.to_owned()) {
        return name.to_owned();
    }
    let mut attempts = (0_usize..).map(|number| format!("{name}{number}"));
    attempts.find(|attempt| taken.insert(attempt.clone())).expect("one of more numbers than names is free")
}
