//! What must hold for the examples of every format: tests/formats/README.md says what they are.

use ropewalk_core::batch::{row_json, AttributeValue};
use ropewalk_core::error::Error;
use ropewalk_core::formats::registry::FORMATS;
use ropewalk_core::formats::{
    open, Beside, Document, Documents, Files, Format, Head, Opening, ReadOptions, Reader, Sure,
};
use ropewalk_core::source::{Folder, Frames, Naming, Source, SourceFile};
use ropewalk_testkit::examples::{self, name};
use serde_json::{json, Map, Value};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// What a source gives.
#[derive(Debug, Default, PartialEq)]
struct Found {
    /// Rows as they are in expected.ndjson.
    rows: Vec<Value>,
    /// Lines of the reject file.
    rejects: Vec<Value>,
}

/// The formats that read files.
fn formats() -> impl Iterator<Item = &'static Format> {
    let of_files = |format: &&Format| !matches!(format.files, Files::None);
    FORMATS.iter().copied().filter(of_files)
}

/// What options.json of a format's examples says.
fn given(format: &Format) -> Map<String, Value> {
    let path = examples::root().join(format.name).join("options.json");
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str(&text).unwrap()
}

/// Whether a format's examples say that the format must be named, since their files do not tell it.
fn must_be_named(format: &Format) -> bool {
    given(format).get("format").is_some_and(|name| name == format.name)
}

/// The reading options of a format's examples. A text that is the name of a file in the format's folder is that file.
fn options(format: &Format, chunk_bytes: Option<usize>) -> ReadOptions {
    let folder = examples::root().join(format.name);
    let mut given = given(format);
    given.remove("format");
    for value in given.values_mut() {
        if let Some(file) = value
            .as_str()
            .map(|text| folder.join(text))
            .filter(|path| path.is_file())
        {
            *value = json!(file);
        }
    }
    ReadOptions {
        chunk_bytes,
        ..ReadOptions::from_json(&Value::Object(given).to_string()).unwrap()
    }
}

/// The documents of a source, which are all of the format that is named, under the labels that an import gives them.
fn documents(path: &Path, named: Option<&'static Format>) -> Result<Vec<Document>, Error> {
    let source: Source = if path.is_dir() {
        Folder::at(path)?.into()
    } else {
        SourceFile::path(path).into()
    };
    let mut documents = Documents::of(source, &Naming::default(), named)?;
    let mut found = Vec::new();
    while let Some(document) = documents.next_document()? {
        found.push(document);
    }
    Ok(found)
}

fn reader(document: Document, options: &ReadOptions) -> Result<Box<dyn Reader>, Error> {
    let opening = Opening {
        source: document.source,
        label: &document.label,
        options,
        project: None,
        beside: &Beside::default(),
        sure: document.sure,
    };
    open(document.format, opening).map(|(_, reader)| reader)
}

/// Reads to the end.
fn take(reader: &mut dyn Reader, found: &mut Found) -> Result<(), Error> {
    while let Some(batch) = reader.next_batch()? {
        let batch = batch.checked()?;
        for index in 0..batch.rows.len() {
            let row = batch.rows.row(index);
            let attributes: Vec<AttributeValue<'_>> = batch.rows.attributes(index).collect();
            let mut members = Map::from_iter([("source".to_owned(), json!(row.source))]);
            members.extend(serde_json::from_str::<Map<String, Value>>(&row_json(&row, &attributes)).unwrap());
            found.rows.push(Value::Object(members));
        }
        for reject in &batch.rejects {
            found
                .rejects
                .push(serde_json::from_str(&reject.to_json_line()).unwrap());
        }
    }
    Ok(())
}

fn read(format: &'static Format, path: &Path, chunk_bytes: Option<usize>) -> Result<Found, Error> {
    let mut found = Found::default();
    let options = options(format, chunk_bytes);
    for document in documents(path, Some(format))? {
        take(reader(document, &options)?.as_mut(), &mut found)?;
    }
    Ok(found)
}

fn read_in_pieces(format: &'static Format, path: &Path, len_bytes: u64) -> Result<Found, Error> {
    let mut found = Found::default();
    let options = options(format, None);
    for document in documents(path, Some(format))? {
        let mut whole = reader(document, &options)?;
        let Some(pieces) = whole.pieces(len_bytes)? else {
            take(whole.as_mut(), &mut found)?;
            continue;
        };
        assert!(pieces.len() > 1, "{}", path.display());
        for open in pieces {
            take(open()?.as_mut(), &mut found)?;
        }
    }
    Ok(found)
}

/// A row with all numbers as floats: 4 and 4.0 are one.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn every_format_has_examples_and_every_folder_is_a_format() {
    let named: BTreeSet<String> = formats().map(|format| format.name.to_owned()).collect();
    assert_eq!(examples::formats().into_iter().collect::<BTreeSet<_>>(), named);
    for format in formats() {
        assert!(!examples::good(format.name).is_empty(), "{}", format.name);
        assert!(!examples::malformed(format.name).is_empty(), "{}", format.name);
    }
}

/// How the formats count frames that do not count every frame from 0 on: as their own tools do.
const COUNTED: [(&str, Frames); 4] = [
    ("labelstudio", Frames::FROM_1),
    ("mot", Frames::FROM_1),
    ("sav", Frames { base: 0, stride: 4 }),
    ("yolo", Frames::FROM_1),
];

#[test]
fn frames_are_counted_as_each_format_counts_them() {
    for format in FORMATS {
        let own = COUNTED.iter().find(|(name, _)| *name == format.name);
        let expected = own.map_or(Frames::FROM_0, |(_, frames)| *frames);
        assert_eq!(format.frames, expected, "{}", format.name);
    }
}

#[test]
fn good_sources_are_detected_as_their_format_and_as_nothing_else() {
    for format in formats() {
        for path in examples::recognised(format.name) {
            let must_be_named = must_be_named(format);
            let documents = documents(&path, must_be_named.then_some(format)).unwrap();
            assert!(!documents.is_empty(), "{}", path.display());
            for document in documents {
                assert_eq!(document.format.name, format.name, "{}", document.label);
                let files = match &document.source {
                    Source::File(file) => vec![file.clone()],
                    Source::Folder(folder) => folder.files().iter().map(|member| folder.file(member)).collect(),
                    Source::Table(_) => panic!("{} is a table", document.label),
                };
                let mut sure = HashSet::new();
                for file in files {
                    let head = Head::of(&file).unwrap();
                    sure.insert((format.detect)(&head));
                    for other in FORMATS.iter().filter(|other| other.name != format.name) {
                        assert_eq!((other.detect)(&head), Sure::No, "{} as {}", document.label, other.name);
                    }
                }
                if must_be_named {
                    assert_eq!(sure, HashSet::from([Sure::No]), "{}", document.label);
                } else {
                    // Some files of a folder may be empty.
                    assert!(sure.contains(&Sure::Yes), "{}", document.label);
                }
            }
        }
    }
}

#[test]
fn sources_whose_format_has_to_be_named_are_claimed_by_no_format() {
    for format in formats() {
        for path in examples::named(format.name) {
            assert!(documents(&path, None).is_err(), "{}", path.display());
        }
    }
}

#[test]
fn good_sources_give_the_expected_rows() {
    for format in formats() {
        let mut rows = Vec::new();
        for path in examples::good(format.name) {
            let found = read(format, &path, None).unwrap();
            assert!(found.rejects.is_empty(), "{}: {:?}", path.display(), found.rejects);
            rows.extend(found.rows);
        }
        let path = examples::root().join(format.name).join("expected.ndjson");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let expected: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let equal = |(found, expected): (&Value, &Value)| plain(found) == plain(expected);
        if rows.len() != expected.len() || !rows.iter().zip(&expected).all(equal) {
            let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
            panic!("{} is not what was read:\n{}", path.display(), lines.join("\n"));
        }
    }
}

#[test]
fn what_is_read_does_not_depend_on_chunks_or_pieces() {
    let shown = |found: Result<Found, Error>| found.map_err(|cause| cause.to_string());
    for format in formats() {
        let malformed = examples::malformed(format.name).into_iter().map(|found| found.path);
        for path in examples::good(format.name).into_iter().chain(malformed) {
            let whole = shown(read(format, &path, None));
            for chunk_bytes in [1, 7, 4096] {
                let cut = shown(read(format, &path, Some(chunk_bytes)));
                assert_eq!(cut, whole, "{} in chunks of {chunk_bytes}", path.display());
            }
            for len_bytes in [1, 2, 3, 100, 10_000] {
                let put_together = shown(read_in_pieces(format, &path, len_bytes));
                assert_eq!(put_together, whole, "{} in pieces of {len_bytes} bytes", path.display());
            }
        }
    }
}

#[test]
fn malformed_sources_give_their_code_and_its_place() {
    for format in formats() {
        let path = examples::root().join(format.name).join("malformed.json");
        let mut places: Map<String, Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for example in examples::malformed(format.name) {
            let (code, key) = (&example.code, format!("{}/{}", example.code, name(&example.path)));
            let place = places.remove(&key);
            let place = place.unwrap_or_else(|| panic!("{} does not name {key}", path.display()));
            match (code.strip_prefix("blocker-"), read(format, &example.path, None)) {
                (Some(word), Err(cause)) => {
                    let byte = match &cause {
                        Error::Source { byte, .. } => json!(byte),
                        _ => Value::Null,
                    };
                    // The path has the word, too.
                    let message = cause.to_string().replace(&example.path.display().to_string(), "");
                    assert!(message.contains(word), "{} {key}: {cause}", format.name);
                    assert_eq!(byte, place["byte"], "{} {key}: {cause}", format.name);
                }
                (None, Ok(found)) => {
                    let rejects = found.rejects.iter();
                    let found: Vec<Value> = rejects
                        .map(|line| json!([line["code"], line["byte"], line["member"], line["format"]]))
                        .collect();
                    let expected = json!([code, place["byte"], place["member"], format.name]);
                    // Some values are only looked at when they are resolved.
                    let by_reader = place["found"] != "resolving";
                    assert_eq!(
                        found,
                        Vec::from_iter(by_reader.then_some(expected)),
                        "{} {key}",
                        format.name
                    );
                }
                (_, found) => panic!("{} {key}: {found:?}", format.name),
            }
        }
        assert!(places.is_empty(), "{}: {places:?} are not there", path.display());
    }
}
