use super::*;

fn findings(read: impl FnOnce(&mut Findings)) -> String {
    let mut findings = Findings::default();
    read(&mut findings);
    findings.problems.iter().chain(&findings.warnings).map(|found| format!("{found}\n")).collect()
}

fn map(text: &str) -> Map<String, Value> {
    parse_object(text).expect("test document is an object")
}

#[test]
fn takes_the_spellings_that_jackson_takes() {
    let map = map(r#"{"flag": "False", "number": "5", "whole": 5.0, "text": 7, "none": null}"#);
    let object = JsonObject::new(&map, "");
    let said = findings(|found| {
        assert_eq!(object.boolean("flag", found), Some(false));
        assert_eq!(object.integer("number", 0, 9, found), Some(5));
        assert_eq!(object.integer("whole", 0, i64::MAX, found), Some(5));
        assert_eq!(object.text("text", found).as_deref(), Some("7"));
        assert_eq!(object.boolean("none", found), None);
        assert_eq!(object.texts("none", found), vec![]);
    });
    assert_eq!(said, "");
}

#[test]
fn says_what_stands_in_place_of_the_right_kind() {
    let map = map(r#"{"a/b": {"flag": 1, "number": "x", "list": "y", "object": []}}"#);
    let top = JsonObject::new(&map, "");
    let said = findings(|found| {
        let object = top.object("a/b", found).expect("is an object");
        object.boolean("flag", found);
        object.integer("number", 0, 9, found);
        object.texts("list", found);
        object.object("object", found);
        object.required_text("name", "a name", found);
    });
    expect_test::expect![[r#"
        /a~1b/flag: expected true or false, found `1`: write `"flag": true` or `false`
        /a~1b/number: expected a whole number, found `"x"`
        /a~1b/list: expected a list […], found `"y"`
        /a~1b/object: expected an object {…}, found a list
        /a~1b/name: `name` is missing: write a name
    "#]]
    .assert_eq(&said);
}

#[test]
fn malformed_text_is_told_with_line_and_column() {
    let problem = parse_object("{\n  \"a\": 1,\n  oops\n}").expect_err("is no JSON");
    assert_eq!(problem.to_string(), "not valid JSON at line 3, column 3: key must be a string");
    assert_eq!(parse_object("[]").expect_err("is a list").message, "expected a JSON object, found a list");
}

#[test]
fn unknown_keys_are_found_at_their_places_only() {
    const KNOWN: &[KnownKeys] =
        &[KnownKeys { place: "", keys: &["list", "free"] }, KnownKeys { place: "/list/*", keys: &["name"] }];
    let map = map(r#"{"list": [{"nmae": 1}], "free": {"anything": 1}, "fere": 2}"#);
    let mut found = Findings::default();
    find_unrecognized(&map, KNOWN, &mut found);
    let said: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "/list/0/nmae: unknown key `nmae`, ignored; did you mean `name`?",
            "/fere: unknown key `fere`, ignored; did you mean `free`?",
        ]
    );
    assert_eq!(found.unrecognized.get("/list/0/nmae"), Some(&Value::from(1)));
}

#[test]
fn keys_written_twice_are_found_in_every_object() {
    let text = r#"{"a": {"x": 1, "y": [{"k": null, "k": true}], "x": -2.5}, "b": "s", "a": 3}"#;
    let paths: Vec<String> = duplicate_keys(text).into_iter().map(|found| found.path).collect();
    assert_eq!(paths, ["/a/y/0/k", "/a/x", "/a"]);
    assert_eq!(duplicate_keys("{\"a\": 1, \"a\": "), vec![]);
}
