//! The reference page is made of the descriptions; `UPDATE_EXPECT=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use meunier_functions::{FunctionDescription, FunctionGroup, descriptions};

const HEAD: &str = "# Functions

Names are found whatever their case, and `_` in them does not matter. `[]` marks what may be left out. A function that combines the rows of a
group also takes `FILTER (WHERE …)`. A percentile may stand in the name: `percentile95(x)` is `percentile(x, 95)`. `GET /functions` lists the same.

";

#[test]
fn the_page_lists_every_function() {
    let mut groups: BTreeMap<FunctionGroup, Vec<&FunctionDescription>> = BTreeMap::new();
    for function in descriptions() {
        groups.entry(function.group).or_default().push(function);
    }
    let mut page = HEAD.to_owned();
    for (group, mut functions) in groups {
        functions.sort_by_key(|function| function.name.to_lowercase());
        writeln!(page, "## {group}\n\n| call | other names | what it gives |\n|---|---|---|")
            .expect("a String takes all text");
        for FunctionDescription { aliases, signature, text, .. } in functions {
            let aliases: Vec<String> = aliases.iter().map(|alias| format!("`{alias}`")).collect();
            let cell = |text: &str| text.replace('|', "\\|");
            writeln!(page, "| `{}` | {} | {} |", cell(signature), aliases.join(", "), cell(text))
                .expect("a String takes all text");
        }
        page.push('\n');
    }
    expect_file!["../../../docs/reference/functions.md"].assert_eq(&format!("{}\n", page.trim_end()));
}
