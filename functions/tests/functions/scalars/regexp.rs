//! Regular expressions. Facts are of Pinot's documentation and of Java's `Pattern` and `Matcher`.

use super::{check_all, refused};

#[test]
fn finds_patterns_anywhere() {
    check_all(&[
        ("regexpLike('pinot noir', 'ot n')", "true"),
        ("regexpLike('pinot noir', '^ot')", "false"),
        ("regexpLike('PINOT', 'pinot', 'i')", "true"),
        ("regexpLike('PINOT', 'pinot', 'c')", "false"),
        ("regexpLike('PINOT', '(?i)pinot')", "true"),
        ("regexpLike('a.b', '\\Qa.b\\E')", "true"),
        ("regexpLike('axb', '\\Qa.b\\E')", "false"),
        // Digits and letters of words are ASCII in Java.
        ("regexpLike('٣', '\\d')", "false"),
        ("regexpLike('ż', '\\w')", "false"),
        ("regexpLike('ż', '\\p{L}')", "true"),
        ("regexpLike('a-1', '^[\\w-]+$')", "true"),
        ("regexpLike('foobar', 'foo(?=bar)')", "true"),
        ("regexpLike('foobaz', 'foo(?!baz)')", "false"),
        ("regexpLike('abab', '^(ab)\\1$')", "true"),
        ("regexpLike(NULL, 'a')", "null"),
        ("likeVar('Pinot', 'p_n%')", "true"),
        ("regexpCount('a1b22c333', '[0-9]+')", "3"),
        ("regexpCount('abc', '')", "4"),
        ("regexpSubstr('a1b22', '[0-9]{2}')", "22"),
        ("regexpSubstr('abc', '[0-9]')", "null"),
    ]);
    refused("regexpLike('a', '(')", "is no regular expression");
    refused("regexpLike('a', 'a{1000}{1000}{1000}')", "too large");
    refused("regexpLike('a', 'a', 'x')", "allowed are c, i");
    refused("regexpLike(repeat('a', 40), '^(a|a|aa)+\\1c')", "too many steps");
}

#[test]
fn extracts_groups() {
    check_all(&[
        ("regexpExtract('abe ace ade', '(a[bcd]e) (a[bcd]e) (a[bcd]e)', 3)", "ade"),
        ("regexpExtract('host-17.example', '[0-9]+')", "17"),
        ("regexpExtract('host-17', '(\\w+)-([0-9]+)', 2)", "17"),
        ("regexpExtract('host', '[0-9]+')", ""),
        ("regexpExtract('host', '[0-9]+', 0, 'none')", "none"),
        ("regexpExtract('host-17', '[0-9]+', 1, 'none')", "none"),
        ("regexpExtractVar('b', '(a)|b', 1)", "null"),
    ]);
}

#[test]
fn replaces_what_is_found() {
    check_all(&[
        ("regexpReplace('foo', 'o', 'X')", "fXX"),
        (
            "regexpReplace('healthy, wealthy, and wise', '\\w+thy', 'something')",
            "something, something, and wise",
        ),
        (
            "regexpReplace('healthy, wealthy, and wise', '\\w+thy', 'something', 0, 1)",
            "healthy, something, and wise",
        ),
        (
            "regexpReplace('healthy, wealthy, stealthy and wise', '\\w+thy', 'something', 8, 1)",
            "healthy, wealthy, something and wise",
        ),
        ("regexpReplace('healthy, Wealthy', 'wealthy', 'rich', 0, -1, 'i')", "healthy, rich"),
        ("regexpReplace('bananas', '(a)(n)', '$2$1')", "bnanaas"),
        ("regexpReplace('bananas', '(?<first>a)(n)', '${first}')", "baaas"),
        ("regexpReplace('ab', '', '-')", "-a-b-"),
        ("regexpReplace('a$b', '\\$', '\\$\\$')", "a$$b"),
        // One occurrence takes the replacement as it is.
        ("regexpReplace('bananas', 'an', '$1', 0, 0)", "b$1anas"),
        ("regexpReplace('x', 'x', '$0$0')", "xx"),
    ]);
    refused("regexpReplace('a', 'a', '$1')", "no group 1");
    refused("regexpReplace('a', 'a', 'b', 5)", "outside of the text");
}
