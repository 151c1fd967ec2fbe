//! Folders as sources: which files are read, as what, and under which labels.
#![allow(clippy::unwrap_used)]

use ropewalk_core::error::Error;
use ropewalk_core::formats::registry::named;
use ropewalk_core::formats::Documents;
use ropewalk_core::source::Folder;

const COCO: &str = r#"[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}]"#;
const NDJSON: &str = r#"{"media": "a.jpg", "class": "Car", "box": [1, 2, 3, 4], "unit": "px"}"#;
const MOT: &str = "1,3,4.5,6,20.25,10,0.875,-1,-1,-1\n";
const KITTI: &str = "Car 0 0 -1.57 5 6 25 20 1 1 3 0 1 46 -1 0.9\n";

fn folder(files: &[(&str, &str)]) -> Folder {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Folder::of_bytes("run", files)
}

/// Label and format of each document.
type Found = Vec<(String, &'static str)>;

/// The documents, and the files that are left out.
fn documents(files: &[(&str, &str)], format: Option<&str>) -> Result<(Found, Vec<String>), Error> {
    let mut documents = Documents::of(folder(files).into(), "given", format.map(named).transpose()?)?;
    let mut found = Vec::new();
    while let Some(document) = documents.next_document()? {
        found.push((document.label, document.format.name));
    }
    Ok((found, documents.left_out().names.clone()))
}

fn labels(found: &[(&str, &'static str)]) -> Found {
    found
        .iter()
        .map(|(label, format)| ((*label).to_owned(), *format))
        .collect()
}

#[test]
fn each_file_is_a_document_that_goes_by_its_folder_and_name() {
    let files = [
        ("b.json", COCO),
        ("a/deep/c.ndjson", NDJSON),
        ("a/seq.txt", MOT),
        ("notes.md", "# Notes"),
        ("args.json", r#"{"lr": 0.1}"#),
    ];
    let (found, left_out) = documents(&files, None).unwrap();
    let expected = [
        ("deep/c.ndjson", "ndjson"),
        ("a/seq.txt", "mot"),
        ("run/b.json", "coco"),
    ];
    assert_eq!(found, labels(&expected));
    assert_eq!(left_out, ["run/args.json", "run/notes.md"]);
}

#[test]
fn a_folder_is_one_document_where_its_format_says_so() {
    let files = [
        ("000001.txt", KITTI),
        ("000002.txt", ""),
        ("ontology_mapping.json", "{}"),
        ("readme.md", "text"),
    ];
    for format in [None, Some("kitti")] {
        let (found, left_out) = documents(&files, format).unwrap();
        let label = if format.is_some() { "given" } else { "run" };
        assert_eq!(found, labels(&[(label, "kitti")]));
        assert_eq!(left_out, ["run/readme.md"]);
    }
}

#[test]
fn a_format_that_is_named_takes_files_by_their_suffixes() {
    let (found, left_out) = documents(&[("a.txt", "whatever"), ("b.json", COCO)], Some("mot")).unwrap();
    assert_eq!(found, labels(&[("run/a.txt", "mot")]));
    assert_eq!(left_out, ["run/b.json"]);
}

#[test]
fn a_folder_of_two_kinds_is_not_guessed() {
    for files in [
        [("a.txt", KITTI), ("b.json", COCO)],
        [("a.json", COCO), ("b.txt", KITTI)],
    ] {
        let refused = documents(&files, None).unwrap_err().to_string();
        for word in ["kitti", "coco", "--format"] {
            assert!(refused.contains(word), "{refused}");
        }
    }
}

#[test]
fn a_folder_without_predictions_is_refused_with_what_is_in_it() {
    for (files, word) in [(&[("notes.md", "# Notes")][..], "notes.md"), (&[], "there are none")] {
        let refused = documents(files, None).unwrap_err();
        assert!(matches!(refused, Error::Plan(_)));
        assert!(refused.to_string().contains(word), "{refused}");
    }
}
