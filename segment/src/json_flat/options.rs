//! What of a document becomes flat records.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Chooses what of a document becomes flat records: the options of a JSON index. By default all of it does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlattenOptions {
    /// Levels of objects and arrays that are entered; 0 for all.
    pub levels_max: usize,
    /// Arrays are left out.
    pub exclude_array: bool,
    /// Arrays side by side give their records one after the other, and not each with each.
    pub disable_cross_array_unnest: bool,
    /// Only these paths and what lies below them are taken, where there are any.
    pub include_paths: Option<BTreeSet<String>>,
    /// These paths and what lies below them are left out.
    pub exclude_paths: BTreeSet<String>,
    /// Fields of these names are left out, wherever they stand.
    pub exclude_fields: BTreeSet<String>,
    /// Paths with wildcards that are taken; all where there are none.
    pub index_paths: IndexPaths,
    /// Longer values, in UTF-16 units, are taken as [`SKIPPED`](super::SKIPPED); 0 for none.
    pub value_length_max: usize,
}

/// Whether a path is taken.
pub(super) enum Inclusion {
    /// It is, with all below it.
    Yes,
    /// Something below it may be.
    Perhaps,
    /// It is not.
    No,
}

impl FlattenOptions {
    pub(super) fn inclusion(&self, path: &str) -> Inclusion {
        match &self.include_paths {
            Some(paths) if paths.contains(path) => Inclusion::Yes,
            Some(paths) if paths.iter().any(|included| included.starts_with(path)) => Inclusion::Perhaps,
            Some(_) => Inclusion::No,
            None if self.exclude_paths.contains(path) => Inclusion::No,
            None => Inclusion::Perhaps,
        }
    }
}

/// Paths such as `a.*.b` and `a.**`, taken apart at their points; a step into an array has the empty name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeSet<String>", into = "BTreeSet<String>")]
pub struct IndexPaths {
    paths: BTreeSet<String>,
    top: Option<PathNode>,
}

impl From<BTreeSet<String>> for IndexPaths {
    fn from(paths: BTreeSet<String>) -> IndexPaths {
        IndexPaths::new(paths)
    }
}

impl From<IndexPaths> for BTreeSet<String> {
    fn from(paths: IndexPaths) -> BTreeSet<String> {
        paths.paths
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PathNode {
    children: BTreeMap<String, PathNode>,
}

/// What lies below a step of the paths.
#[derive(Debug, Clone, Copy)]
pub(super) enum PathTree<'a> {
    /// Everything.
    All,
    Some(&'a PathNode),
}

impl IndexPaths {
    /// Reads paths; none of them takes everything.
    pub fn new(paths: BTreeSet<String>) -> IndexPaths {
        let mut top: Option<PathNode> = None;
        for path in &paths {
            let mut node = top.get_or_insert_default();
            for step in path.split('.') {
                node = node.children.entry(step.to_owned()).or_default();
                if step == "**" {
                    break;
                }
            }
        }
        IndexPaths { paths, top }
    }

    pub(super) fn top(&self) -> PathTree<'_> {
        self.top.as_ref().map_or(PathTree::All, PathTree::Some)
    }
}

impl<'a> PathTree<'a> {
    /// Returns what lies below a name; `None` when no path leads there.
    pub(super) fn child(self, name: &str) -> Option<PathTree<'a>> {
        let PathTree::Some(node) = self else { return Some(PathTree::All) };
        if node.children.contains_key("**") {
            return Some(PathTree::All);
        }
        node.children.get(name).or_else(|| node.children.get("*")).map(PathTree::Some)
    }
}
