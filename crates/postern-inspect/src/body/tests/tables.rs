//! CSV and its kin: columns name their values, fields stay fields, and nothing is found less than
//! in the same bytes read as plain text.

use super::*;

const CSV: &str = "text/csv";
const TABS: &str = "text/tab-separated-values";

fn all() -> DataRuleSpec {
    let mut spec = spec(DataAction::Mask);
    spec.classes = vec![ClassSelector::All];
    spec.custom = vec![postern_types::CustomDetector {
        class: DataClass::parse("custom:badge").unwrap(),
        pattern: Some("BX[0-9]{3}[,;\t\"\r\n]{1,4}[0-9]{3}".to_owned()),
        words: Vec::new(),
    }];
    spec
}

/// What goes on under a rule for everything, whatever the cut.
fn table(content_type: &str, body: &str) -> Result<String, InspectError> {
    let clean = |cut| clean_with(all(), &typed(content_type), body.as_bytes(), cut);
    let whole = clean(usize::MAX);
    for cut in [1, 5] {
        assert_eq!(clean(cut), whole, "{content_type} cut at {cut}: {body:?}");
    }
    whole.map(|clean| String::from_utf8(clean).unwrap())
}

/// Goal: what escapes say in JSON that stands in a field is read. Method: a value spelled so, in
/// strings, names and JSON in a string; and what only looks like JSON, or like an escape.
#[test]
fn escapes_of_json_in_a_field_hide_nothing() {
    let rows = [
        (
            r#"1,"{""to"":""jane.doe\u0040example.com""}",x"#,
            r#"1,"{""to"":""[EMAIL]""}",x"#,
        ),
        (
            r#"1,"[""\u0034539578763621486"",""\ud83d\ude00 ok""]",x"#,
            r#"1,"[""[CARD]"",""\ud83d\ude00 ok""]",x"#,
        ),
        (
            r#"1,"{""a"":""{\""to\"":\""jane.doe\\u0040example.com\""}""}",x"#,
            r#"1,"{""a"":""{\""to\"":\""[EMAIL]\""}""}",x"#,
        ),
        (
            r"{to:jane.doe\u0040example.com},jane.doe@example.com,x",
            r"{to:[EMAIL]},[EMAIL],x",
        ),
        (
            r"C:\new\u00e6bler,[a\q\u00,x",
            r"C:\new\u00e6bler,[a\q\u00,x",
        ),
    ];
    for (row, expected) in rows {
        let body = format!("a,b,c\n{row}\n");
        assert_eq!(table(CSV, &body).unwrap(), format!("a,b,c\n{expected}\n"));
    }
}

/// Goal: JSON in JSON in a field is read as deep as anywhere, and what is deeper does not pass.
/// Method: a value in strings inside of each other, in its letters and in an escape, and the same
/// as a document.
#[test]
fn json_in_json_in_a_field_is_read_as_deep_as_elsewhere() {
    for value in ["jane.doe@example.com", "jane.doe\\u0040example.com"] {
        let mut json = format!("{{\"to\":\"{value}\"}}");
        for depth in 0..10 {
            let field = json.replace('"', "\"\"");
            let read = table(CSV, &format!("a,b\n1,\"{field}\"\n"));
            let document = clean_with(all(), &typed("application/json"), json.as_bytes(), 99);
            let document = document.map(|clean| String::from_utf8(clean).unwrap());
            let hides = |read: &Result<String, InspectError>| match read {
                Ok(out) => !out.contains("jane.doe") && out.contains("[EMAIL]"),
                Err(error) => matches!(error, InspectError::CannotInspect(_)),
            };
            assert!(hides(&document), "{depth}: {document:?}");
            assert!(hides(&read), "{depth}: {read:?}");
            json = serde_json::json!({ "a": json }).to_string();
        }
    }
}

/// Goal: who reads a record finds the value's column and row in the file, and no value in the
/// record. Method: a table with a name for each column, one that a rule's own class knows, one
/// without names, more findings than rows are told for, and other line ends.
#[test]
fn findings_in_tables_tell_column_and_row() {
    let places = |spec: DataRuleSpec, body: &str, cut: usize| -> Vec<String> {
        let mut body_cleaner = BodyCleaner::new(&typed(CSV), cleaner(spec));
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(cut) {
            body_cleaner
                .push(Bytes::copy_from_slice(piece), &mut out)
                .unwrap();
        }
        body_cleaner.finish(&mut out).unwrap();
        let all = body_cleaner.findings().into_iter();
        all.map(|it| it.place).collect()
    };
    let mail = "jane.doe@example.com";
    let card = "4539578763621486";
    let classes = ["card", "email"].map(|class| ClassSelector::parse(class).unwrap());
    let two = DataRuleSpec {
        classes: classes.to_vec(),
        ..spec(DataAction::Mask)
    };
    let mut own = two.clone();
    own.custom = vec![postern_types::CustomDetector {
        class: DataClass::parse("custom:project").unwrap(),
        pattern: None,
        words: vec!["falcon".to_owned()],
    }];
    let rows = [
        (
            two.clone(),
            format!("id,email\r\n1,x\r\n\r\n{card},\"{mail}\"\r\n"),
            vec!["csv:row 3, column id", "csv:row 3, column email"],
        ),
        (
            two.clone(),
            format!("e-mail,n\n{mail},1\n"),
            vec!["csv:row 2, column 1"],
        ),
        (
            two.clone(),
            format!("{mail},1\n2,{mail}\n"),
            vec!["csv:row 1, column 1", "csv:row 2, column 2"],
        ),
    ];
    for (spec, body, expected) in rows {
        for cut in [1, 7, usize::MAX] {
            assert_eq!(places(spec.clone(), &body, cut), expected, "{body}");
        }
    }
    let told = places(own, &format!("falcon,b\n{mail},{card}\n"), 5);
    assert!(!told.concat().contains("falcon"), "{told:?}");
    let long = format!("mail\n{}", format!("{mail}\n").repeat(100));
    let told = places(two, &long, usize::MAX);
    assert_eq!(told.len(), 17);
    assert_eq!(told[16], "csv:column mail");
}

/// Goal: a column's name says what its values are, as a key of JSON does, and what changes keeps
/// its row in shape. Method: one row a way to write it.
#[test]
fn a_column_names_its_values() {
    let rows = [
        (CSV, "ssn,name\n552601815,Bob", "ssn,name\n[US_SSN],Bob"),
        (
            CSV,
            "name,ssn\r\nBob,552601815\r\nAl,1\r\n",
            "name,ssn\r\nBob,[US_SSN]\r\nAl,1\r\n",
        ),
        (
            CSV,
            "\"ssn\",\"n\"\n\"552601815\",\"a \"\"b\"\", c\"\n",
            "\"ssn\",\"n\"\n\"[US_SSN]\",\"a \"\"b\"\", c\"\n",
        ),
        (CSV, "ssn;a, b\n552601815;1,5\n", "ssn;a, b\n[US_SSN];1,5\n"),
        (
            CSV,
            "sep=|\nssn|a,b,c\n552601815|x\n",
            "sep=|\nssn|a,b,c\n[US_SSN]|x\n",
        ),
        (
            CSV,
            "\u{feff}\"ssn\",a\n552601815,x\n",
            "\u{feff}\"ssn\",a\n[US_SSN],x\n",
        ),
        (
            CSV,
            "a,ssn\n\"two\nlines\",552601815\n\n1,2,3,4\n",
            "a,ssn\n\"two\nlines\",[US_SSN]\n\n1,2,3,4\n",
        ),
        (CSV, "order,x\n552601815,5\n", "order,x\n552601815,5\n"),
        (CSV, "ssn,x\r552601815,5\r", "ssn,x\r[US_SSN],5\r"),
        (
            TABS,
            "ssn\tsize\n552601815\t5\" pipe\n",
            "ssn\tsize\n[US_SSN]\t5\" pipe\n",
        ),
        (
            TABS,
            "ssn, x\ty;z\n552601815\t1\n",
            "ssn, x\ty;z\n[US_SSN]\t1\n",
        ),
    ];
    for (content_type, body, expected) in rows {
        assert_eq!(
            table(content_type, body).as_deref(),
            Ok(expected),
            "{body:?}"
        );
    }
}

/// Goal: where no name helps, and where a value goes over a border, rows stay rows. Method: as
/// above.
#[test]
fn rows_without_names_and_values_over_borders_stay_rows() {
    let rows = [
        // The first row names nothing where it is a value itself, or is said to be none.
        (
            CSV,
            "4539578763621486,ssn\n552601815,5\n",
            "[CARD],ssn\n[US_SSN],5\n",
        ),
        // Quotes and separators inside a value, and in what is found over a border.
        (
            CSV,
            "a,b\nx,\"to \"\"ann@example.org\"\" now\"\n",
            "a,b\nx,\"to \"\"[EMAIL]\"\" now\"\n",
        ),
        (
            CSV,
            "a,b,c\nBX123,456,z\n\"BX123\",\"456\"\n",
            "a,b,c\n[CUSTOM_BADGE],,z\n\"[CUSTOM_BADGE]\",\"\"\n",
        ),
        (CSV, "a,b\nx,BX123\n456,y\n", "a,b\nx,[CUSTOM_BADGE]\n,y\n"),
        (
            CSV,
            "\r\n\r\nssn;x\r\n552601815;1\r\n",
            "\r\n\r\nssn;x\r\n[US_SSN];1\r\n",
        ),
        (CSV, "", ""),
        (CSV, "\n\r\n,\n", "\n\r\n,\n"),
    ];
    for (content_type, body, expected) in rows {
        assert_eq!(
            table(content_type, body).as_deref(),
            Ok(expected),
            "{body:?}"
        );
    }
    let absent = "text/csv; header=absent";
    let clean = table(absent, "order,x\n552601815,y\n").unwrap();
    assert!(!clean.contains("552601815"), "a number alone: {clean}");
    let part = |text: &str| {
        let head = "Content-Disposition: form-data; name=\"f\"\r\nContent-Type: text/csv";
        parts(&[(head, text)])
    };
    let clean = table(PARTS, &part("ssn,x\n552601815,5"));
    assert_eq!(clean, Ok(part("ssn,x\n[US_SSN],5")));
}

#[test]
fn quotes_with_two_readings_are_refused() {
    let rows = [
        (CSV, "a,b\n\"x\"y,1\n"),
        (CSV, "a,b\n5\" pipe,1\n"),
        (CSV, "a,b\n1, \"x\"\n"),
        (CSV, "a,b\n\"x,1\n"),
        (CSV, "a,b\n\"x\\\"y\",1\n"),
        (TABS, "a\tb\n\"x\"y\t1\n"),
        (TABS, "a\tb\n\"x\t1\n"),
    ];
    for (content_type, body) in rows {
        let refused = table(content_type, body);
        assert!(
            matches!(refused, Err(InspectError::CannotInspect(_))),
            "{body:?}: {refused:?}"
        );
    }
}

#[test]
fn a_coded_table_goes_the_same_way() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"ssn,name\n552601815,Bob\n").unwrap();
    let coded = gzip.finish().unwrap();
    let kind = BodyKind {
        content_type: Some(CSV),
        content_encoding: Some("gzip"),
    };
    let clean = clean_with(all(), &kind, &coded, 3);
    assert_eq!(clean.as_deref(), Ok(&b"ssn,name\n[US_SSN],Bob\n"[..]));
}

/// Goal: what is turned back in an answer makes no field of its own. Method: a value with a
/// separator in it, made a placeholder in a request and turned back in two kinds of field.
#[test]
fn what_is_turned_back_stays_in_its_field() {
    let mut spec = all();
    spec.action = DataAction::Pseudonym(postern_types::PseudonymScope::Request);
    let mut request = cleaner(spec);
    let text = "badge BX123,456 today";
    let clean = request.clean_value("text", "", text).unwrap().unwrap();
    let placeholder = clean.split(' ').nth(1).unwrap();
    let body = format!("a,b\n{placeholder},\"{placeholder}\"\n");
    let mut answer = BodyCleaner::new(&typed(CSV), request.for_response(&[]));
    let mut out = Vec::new();
    answer.push(Bytes::from(body), &mut out).unwrap();
    answer.finish(&mut out).unwrap();
    let out = String::from_utf8(out.concat()).unwrap();
    assert_eq!(out, "a,b\n\"BX123,456\",\"BX123,456\"\n");
}

/// How many fields each row has, to a reader of another make.
fn shape(text: &str, separator: u8) -> Vec<usize> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for row in reader.records() {
        rows.push(row.unwrap().len());
    }
    rows
}

/// The runs of letters and digits that stand in the text once, those of three and more.
fn runs(text: &str) -> Vec<&str> {
    let all = text.split(|c: char| !c.is_ascii_alphanumeric());
    let long = all.filter(|run| run.len() >= 3);
    long.filter(|run| text.matches(run).count() == 1).collect()
}

proptest::proptest! {
    /// Goal: reading columns finds at least what reading plain text does, and no row gains or loses
    /// a field. Method: tables of values, names and borders in any order; each run of letters and
    /// digits that the plain reading takes away is gone from the table too, and another reader
    /// counts the same fields before and after.
    #[test]
    fn columns_hide_all_that_plain_text_hides(
        names in "(ssn|passport no|name|order|value)",
        fields in proptest::collection::vec((
            "(4539578763621486|4539 5787|6362 1486|552601815|ann@example\\.org|55\\.676[1-9]\
              |12\\.5683|BX1[0-9]2|45[0-9]|AKIA[A-Z2-7]{16}|\\+45 2[0-9]{3}|born 1|/4/1970|iban\
              |ssn|password|[0-9]{4}|[a-z0-9 ,;|\t\n]{0,8}|\\PC{0,3}|\u{ff14}539578763621486){1,2}",
            proptest::bool::ANY,
            "(s|s|s|\n|\r\n)",
        ), 0..14),
        separator in proptest::sample::select(vec![',', ';', '\t', '|']),
        cut in 1usize..9,
    ) {
        let mut body = format!("{names}{separator}b{separator}c\n");
        for (text, quoted, border) in fields {
            let text = text.replace('"', "");
            if quoted || text.contains([',', ';', '\t', '|', '\r', '\n']) {
                body.push_str(&format!("\"{}\"", text.replace(' ', " \"\"")));
            } else {
                body.push_str(&text);
            }
            body.push_str(&border.replace('s', &separator.to_string()));
        }
        let content_type = if separator == '\t' { TABS } else { CSV };
        let clean = |kind, cut| {
            let clean = clean_with(all(), &typed(kind), body.as_bytes(), cut);
            clean.map(|clean| String::from_utf8(clean).unwrap())
        };
        let columns = clean(content_type, cut).unwrap();
        let plain = clean("text/plain", usize::MAX).unwrap();
        for run in runs(&body) {
            let shown = columns.contains(run) && !plain.contains(run);
            proptest::prop_assert!(!shown, "{}: {:?} {:?} {:?}", run, body, plain, columns);
        }
        proptest::prop_assert_eq!(clean(content_type, usize::MAX).unwrap(), columns.clone());
        let separator = separator as u8;
        proptest::prop_assert_eq!(shape(&body, separator), shape(&columns, separator), "{}", columns);
    }
}
