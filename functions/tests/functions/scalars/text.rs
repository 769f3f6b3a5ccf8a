//! Texts. Facts are of Pinot's documentation and source and of Apache Commons Lang.

use super::{check_all, refused};

#[test]
fn takes_parts() {
    check_all(&[
        ("\"substr\"('pinot', 2)", "not"),
        ("\"substr\"('pinot', 0, 2)", "pi"),
        ("\"substr\"('pinot', 1, -1)", "inot"),
        ("\"substr\"('pinot', -3)", "not"),
        ("\"substr\"('pinot', -3, -2)", "n"),
        ("\"substr\"('pinot', 4, 2)", ""),
        ("\"substr\"('pinot', 9)", ""),
        ("\"substr\"('żółw', 1, 3)", "ół"),
        ("\"substr\"(12345, 1, 3)", "23"),
        ("\"substring\"('pinot', 2)", "inot"),
        ("\"substring\"('pinot', 2, 3)", "ino"),
        ("\"substring\"('pinot', 1, 99)", "pinot"),
        ("leftSubStr('pinot', 2)", "pi"),
        ("leftSubStr('pinot', -2)", ""),
        ("rightSubStr('pinot', 2)", "ot"),
        ("rightSubStr('pinot', 9)", "pinot"),
        ("substringIndex('a.b.c.d', '.', 2)", "a.b"),
        ("substringIndex('a.b.c.d', '.', -2)", "c.d"),
        ("substringIndex('a.b.c.d', '.', 10)", "a.b.c.d"),
        ("substringIndex('aaaa', 'aa', -2)", "a"),
        ("firstLine('hello\nworld')", "hello"),
        ("btrim('  a b\t')", "a b"),
        ("ltrim('xxaxx', 'x')", "axx"),
        ("rtrim('xxaxx', 'x')", "xxa"),
        ("\"substr\"(NULL, 1)", "null"),
    ]);
}

#[test]
fn finds_parts() {
    check_all(&[
        ("length('pinot')", "5"),
        ("charLength('żółw')", "4"),
        ("octetLength('żółw')", "7"),
        ("bitLength('é')", "16"),
        ("strpos('pinot noir', 'no')", "2"),
        ("strpos('pinot noir', 'no', 2)", "6"),
        ("strpos('pinot', 'x')", "-1"),
        ("strpos('aaaa', 'aa', 2)", "1"),
        ("strrpos('pinot noir', 'no')", "6"),
        ("strrpos('pinot noir', 'no', 5)", "2"),
        ("strrpos('aéaéa', 'aé', 2)", "2"),
        ("strrpos('aéaéa', 'éa', 2)", "1"),
        ("strpos('aéaéa', 'éa', 2)", "3"),
        ("startsWith('pinot', 'pi')", "true"),
        ("endsWith('pinot', 'pi')", "false"),
        ("startsWithCaseInsensitive('Pinot', 'pI')", "true"),
        ("contains('pinot', 'ino')", "true"),
        ("isValidASCII('żółw')", "false"),
    ]);
}

#[test]
fn changes_texts() {
    check_all(&[
        ("lower('PiNot Ż')", "pinot ż"),
        ("upper('straße')", "STRASSE"),
        ("initcap('hello WORLD')", "Hello World"),
        ("reverse('pinot')", "tonip"),
        ("concat('pinot', 'noir')", "pinotnoir"),
        ("concat('pinot', 'noir', '-')", "pinot-noir"),
        ("concat('pinot', NULL)", "null"),
        ("concat(1, 2.5)", "12.5"),
        ("concatWs('-', 'a', 'b', 'c')", "a-b-c"),
        ("replace('pinot', 'in', 'IN')", "pINot"),
        ("replace('pinot', '', 'x')", "pinot"),
        ("remove('pinot noir', 'no')", "pit ir"),
        ("translate('12300', '0123456789', 'zero')", "erozz"),
        ("\"overlay\"('abcdef', 'XY', 3, 0)", "abXYcdef"),
        ("\"overlay\"('abcdef', 'XY', 3, 4)", "abXY"),
        ("\"overlay\"('abc', 'XY', 10)", "abcXY"),
        ("rpad('a', 4, 'xy')", "axyx"),
        ("lpad('a', 4, '')", "   a"),
        ("lpad('abcde', 4, 'x')", "abcde"),
        ("repeat('ab', 3)", "ababab"),
        ("repeat('ab', '-', 3)", "ab-ab-ab"),
        ("repeat('ab', -3)", ""),
        ("space(2)", "  "),
        ("chr(65)", "A"),
        ("arrayToString(split('a,b', ','), '::')", "a::b"),
        ("codepoint('A')", "65"),
        ("ascii('')", "0"),
        ("toUtf8('ab')", "6162"),
        ("fromUtf8(toUtf8('ż'))", "ż"),
        ("fromBytes(toBytes('ż', 'UTF-16'), 'UTF-16')", "ż"),
        ("toBytes('a', 'EBCDIC')", "null"),
        ("toAscii('aż')", "613f"),
        ("length(normalize('é', 'NFD'))", "2"),
    ]);
    refused("repeat('abcdefgh', 600000)", "at most 4194304 are allowed");
    refused("replace(repeat('a', 4000000), 'a', 'bb')", "at most 4194304 are allowed");
    refused("lpad('a', 9223372036854775807, 'b')", "at most 4194304 are allowed");
    refused("chr(-1)", "no letter's number");
}

#[test]
fn splits_texts() {
    check_all(&[
        ("split('a.b.c', '.')", "[a, b, c]"),
        ("split('a..b.', '.')", "[a, b, ]"),
        ("split('a.b.c', '.', 2)", "[a, b.c]"),
        ("split(' a  b ', '')", "[a, b]"),
        ("splitPart('org.apache.pinot.common.function', '.', 3)", "common"),
        ("splitPart('org.apache.pinot.common.function', '.', 3, -3)", "org"),
        ("splitPart('org.apache.pinot.common.function', '.', 4, -1)", "common.function"),
        ("splitPart('++org++apache++', '+', 0)", "org"),
        ("splitPart('++org++apache++', '+', 100, -4)", "null"),
        ("splitPart('.', '.', -1)", ""),
        ("splitPart('::::org::::apache', '::', 100, -2)", "org"),
        ("splitPart('hello', '', 100, -2)", "null"),
        ("splitPart('', '.', 0)", "null"),
        ("prefixes('abc', 2)", "[a, ab]"),
        ("prefixesWithPrefix('a', 9, '^')", "[^a]"),
        ("prefixesWithPrefix('a', 9, NULL)", "[a]"),
        ("suffixes('abcde', 3)", "[e, de, cde]"),
        ("suffixesWithSuffix('', 3, '$')", "[]"),
        ("uniqueNgrams('banana', 2)", "[ba, an, na]"),
        ("uniqueNgrams('abc', 2, 3)", "[ab, bc, abc]"),
    ]);
}

#[test]
fn compares_texts() {
    check_all(&[
        ("strcmp('abc', 'abd')", "-1"),
        ("strcmp('abc', 'ab')", "1"),
        ("hammingDistance('abc', 'abd')", "1"),
        ("hammingDistance('abc', 'ab')", "-1"),
        ("levenshteinDistance('programming', 'grammar')", "6"),
        ("levenshteinDistance('', 'abc')", "3"),
        // Of the National Archives' description of the code.
        ("soundex('Washington')", "W252"),
        ("soundex('Pfister')", "P236"),
        ("soundex('Tymczak')", "T522"),
        ("soundex('Ashcraft')", "A261"),
        ("difference('Smith', 'Smyth')", "4"),
    ]);
}

#[test]
fn matches_text_as_lucene_does() {
    // The rows and queries of Pinot's compatibility suite, and the syntax of Lucene's classic query parser.
    check_all(&[
        ("textMatch('Java C++ Python', 'Java AND C++')", "true"),
        ("textMatch('Java Python', 'Java AND C++')", "false"),
        ("textMatch('Java C++ golang', 'go*')", "true"),
        ("textMatch('Java C++ golang', '(Java OR C++) AND (golang python)')", "true"),
        ("textMatch('Java C++', '(Java OR C++) AND (golang python)')", "false"),
        ("textMatch('Apache Pinot', 'pinot')", "true"),
        ("textMatch('Apache Pinot', 'druid pinot')", "true"),
        ("textMatch('Apache Pinot', '+druid pinot')", "false"),
        ("textMatch('Apache Pinot', 'apache NOT pinot')", "false"),
        ("textMatch('Apache Pinot', 'apache -druid')", "true"),
        ("textMatch('Apache Pinot', 'NOT druid')", "false"),
        ("textMatch('real time analytics store', '\"time analytics\"')", "true"),
        ("textMatch('real time analytics store', '\"time store\"')", "false"),
        ("textMatch('real time analytics store', '\"time store\"~1')", "true"),
        ("textMatch('machine learning', 'mach?ne')", "true"),
        ("textMatch('machine learning', 'm*ne')", "true"),
        ("textMatch('machine learning', '/[a-z]+ing/')", "true"),
        ("textMatch('machine learning', '/mach/')", "false"),
        ("textMatch('machine learning', 'machnie~')", "true"),
        ("textMatch('machine learning', 'machnie')", "false"),
        ("textMatch('machine learning', '[lea TO lez]')", "true"),
        ("textMatch('machine learning', '{learning TO lez}')", "false"),
        ("textMatch('to be or not', 'the')", "false"),
        ("textMatch('anything', '*:*')", "true"),
        ("textMatch('x', NULL)", "null"),
    ]);
    refused("textMatch('x', '(x')", "not closed");
    refused("textMatch('x', 'field:x')", "names a field");
}
