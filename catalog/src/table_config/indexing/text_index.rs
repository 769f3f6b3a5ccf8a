//! The settings of a text index: how texts are cut into words, and how queries are read.

use std::collections::BTreeSet;

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::schema::ColumnName;
use meunier_segment::text_search::{TextAnalyzer, TextOptions, WordOptions};

use super::declaration::IndexDeclaration;

/// Analyzers by the last part of their class's name.
const ANALYZERS: [(&str, TextAnalyzer); 5] = [
    ("StandardAnalyzer", TextAnalyzer::Standard),
    ("CaseAwareStandardAnalyzer", TextAnalyzer::Standard),
    ("SimpleAnalyzer", TextAnalyzer::Simple),
    ("WhitespaceAnalyzer", TextAnalyzer::Whitespace),
    ("KeywordAnalyzer", TextAnalyzer::Keyword),
];
/// The query parser that is used unless a query names another.
const CLASSIC_PARSER: &str = "org.apache.lucene.queryparser.classic.QueryParser";

/// A text index on one column.
#[derive(Debug, Clone, PartialEq)]
pub struct TextIndex {
    /// The column.
    pub column: ColumnName,
    /// How its texts and queries are read.
    pub options: TextOptions,
}

/// Reads the settings, which `indexes` and `properties` spell in their own ways.
pub(super) fn read(declaration: &IndexDeclaration, findings: &mut Findings) -> TextOptions {
    let settings = JsonObject::new(&declaration.settings, &declaration.settings_path);
    let mut flag = |names: &[&str]| {
        let mut flags = names.iter().filter_map(|name| settings.boolean(name, findings));
        flags.next().unwrap_or(false)
    };
    let case_sensitive = flag(&["caseSensitive"]);
    let all_words = flag(&["useANDForMultiTermQueries", "useANDForMultiTermTextIndexQueries"]);
    let wild_phrases = flag(&["enablePrefixSuffixMatchingInPhraseQueries"]);
    let mut words = |names: [&str; 2]| -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for name in names {
            let written = match settings.get(name) {
                Some(value) if value.is_array() => {
                    settings.texts(name, findings).into_iter().map(|item| item.text).collect()
                }
                Some(_) => settings.text_or_empty(name, findings).into_iter().collect(),
                None => Vec::new(),
            };
            let parts = written.iter().flat_map(|text| text.split(',')).map(str::trim);
            found.extend(parts.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        found
    };
    let stop_words_include = words(["stopWordsInclude", "stopWordInclude"]);
    let stop_words_exclude = words(["stopWordsExclude", "stopWordExclude"]);
    let analyzer = read_analyzer(&settings, findings);
    if let Some(parser) = settings.text_or_empty("luceneQueryParserClass", findings)
        && parser != CLASSIC_PARSER
    {
        let message =
            format!("`{parser}` is not there: queries are read as Lucene's classic parser reads them");
        findings.warning(settings.place("luceneQueryParserClass"), message);
    }
    let of_standard = analyzer == TextAnalyzer::Standard;
    let words = WordOptions {
        analyzer,
        case_sensitive: case_sensitive && of_standard,
        stop_words_include: if of_standard { stop_words_include } else { BTreeSet::new() },
        stop_words_exclude: if of_standard { stop_words_exclude } else { BTreeSet::new() },
    };
    TextOptions { words, all_words, wild_phrases }
}

fn read_analyzer(settings: &JsonObject<'_>, findings: &mut Findings) -> TextAnalyzer {
    const KEY: &str = "luceneAnalyzerClass";
    let Some(class) = settings.text_or_empty(KEY, findings) else { return TextAnalyzer::Standard };
    let name = class.rsplit('.').next().unwrap_or(&class);
    let Some((_, analyzer)) = ANALYZERS.into_iter().find(|(known, _)| *known == name) else {
        let message = format!(
            "`{class}` is not there: texts are cut by Lucene's standard analyzer, by Unicode's rules, in small letters and \
             without the commonest English words"
        );
        findings.warning(settings.place(KEY), message);
        return TextAnalyzer::Standard;
    };
    if settings.get("luceneAnalyzerClassArgs").is_some() {
        findings.warning(
            settings.place("luceneAnalyzerClassArgs"),
            format!("not applied: `{name}` is taken without arguments"),
        );
    }
    analyzer
}
