//! What becomes of the clauses and phrases of a query once they are read.

use meunier_segment::text_search::{Clause, Occur, Phrase, PhraseOrder, PhrasePart, TextQuery, WordTest};

use super::settings::ShouldMatch;

/// Returns the query of some clauses.
pub(super) fn of_clauses(mut clauses: Vec<Clause>) -> TextQuery {
    match clauses.len() {
        0 => TextQuery::Nothing,
        1 if clauses[0].occur != Occur::MustNot => clauses.remove(0).query,
        _ => TextQuery::Clauses { clauses, should_min: 0 },
    }
}

/// Returns the query of a phrase, which may have one word or none.
pub(super) fn phrase(mut phrase: Phrase) -> TextQuery {
    match phrase.parts.len() {
        0 => TextQuery::Nothing,
        1 => TextQuery::Word(phrase.parts.remove(0).test),
        _ => TextQuery::Phrase(phrase),
    }
}

/// Returns a query in whose clauses so many must hold of those that should.
pub(super) fn with_should_match(query: TextQuery, should_match: ShouldMatch) -> TextQuery {
    let TextQuery::Clauses { clauses, .. } = query else { return query };
    let should = clauses.iter().filter(|clause| clause.occur == Occur::Should).count();
    let clauses = clauses
        .into_iter()
        .map(|clause| Clause { occur: clause.occur, query: with_should_match(clause.query, should_match) });
    TextQuery::Clauses { clauses: clauses.collect(), should_min: should_match.of(should) }
}

/// Returns a query of words and wildcards as a phrase of them, where there is a wildcard.
pub(super) fn as_wild_phrase(query: TextQuery) -> TextQuery {
    let TextQuery::Clauses { clauses, .. } = &query else { return query };
    let mut parts = Vec::with_capacity(clauses.len());
    let mut any_wild = false;
    for (offset, clause) in (0..).zip(clauses) {
        let TextQuery::Word(test) = &clause.query else { return query };
        let is_wild = match test {
            WordTest::Is(_) => false,
            WordTest::Prefix(_) => true,
            WordTest::Pattern(pattern) if pattern.is_wildcard => true,
            WordTest::Pattern(_) | WordTest::Near { .. } | WordTest::Between { .. } => return query,
        };
        any_wild |= is_wild;
        parts.push(PhrasePart { offset, test: test.clone() });
    }
    if !any_wild {
        return query;
    }
    phrase(Phrase { parts, slop: 0, order: PhraseOrder::Kept })
}
