//! Folders as sources: which files are read, as what, and under which labels.
#![allow(clippy::unwrap_used)]

use ropewalk_core::error::Error;
use ropewalk_core::formats::registry::named;
use ropewalk_core::formats::{open, Beside, Documents, Opening, ReadOptions, Reader};
use ropewalk_core::source::{Folder, Naming};

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
    let mut documents = Documents::of(folder(files).into(), &Naming::default(), format.map(named).transpose()?)?;
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
        assert_eq!(found, labels(&[("run", "kitti")]));
        assert_eq!(left_out, ["run/readme.md"]);
    }
}

#[test]
fn the_parts_of_a_table_are_one_document_under_the_name_of_its_folder() {
    let files = [
        ("_SUCCESS", ""),
        ("a/part-0001.ndjson", NDJSON),
        ("a/day=1/part-0000.ndjson", NDJSON),
        ("a/part-0002.json", COCO),
        ("a/own.ndjson", NDJSON),
        ("b/part-0001.ndjson", NDJSON),
        ("part-0001.ndjson", NDJSON),
    ];
    for (format, coco) in [(None, Some(("a/part-0002.json", "coco"))), (Some("ndjson"), None)] {
        let (mut found, left_out) = documents(&files, format).unwrap();
        found.sort();
        let mut expected = vec![
            ("a", "ndjson"),
            ("a/own.ndjson", "ndjson"),
            ("b", "ndjson"),
            ("run", "ndjson"),
        ];
        // What is named to be lines is a part as well.
        expected.extend(coco);
        expected.sort();
        assert_eq!(found, labels(&expected));
        assert_eq!(left_out, ["run/_SUCCESS"]);
    }
}

#[test]
fn a_given_label_is_that_of_all_documents() {
    let files = [("a.json", COCO), ("b/part-0.ndjson", NDJSON), ("c/d.txt", MOT)];
    let mut documents = Documents::of(folder(&files).into(), &Naming::from("model"), None).unwrap();
    let mut found = Vec::new();
    while let Some(document) = documents.next_document().unwrap() {
        found.push(document.label);
    }
    assert_eq!(found, ["model"; 3]);
}

#[test]
fn a_part_reads_as_its_folder_says_and_its_rows_name_it() {
    let row = |frame: u32| NDJSON.replace("\"class\"", &format!("\"frame\": {frame}, \"class\""));
    let texts = [row(0) + "\n" + &row(1), row(2) + "\n7\n", row(3)];
    let names = ["part-0.ndjson", "part-1.ndjson", "x=1/part-0.ndjson"];
    let files: Vec<_> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
    let document = || {
        let source = folder(&files).into();
        Documents::of(source, &Naming::default(), None)
            .unwrap()
            .next_document()
            .unwrap()
            .unwrap()
    };
    let read = |mut reader: Box<dyn Reader>| {
        let mut found = Vec::new();
        while let Some(batch) = reader.next_batch().unwrap() {
            for row in 0..batch.rows.len() {
                let (annotation, member) = (batch.rows.row(row), batch.member_of(row).unwrap());
                found.push((annotation.source.to_owned(), annotation.frame, member.to_string()));
            }
            let rejects = batch.rejects.iter().map(|reject| &reject.origin);
            found.extend(rejects.map(|at| (at.source.to_string(), 99, at.member.as_deref().unwrap().to_owned())));
        }
        (found, reader.bytes_read())
    };
    let opened = || {
        let document = document();
        let opening = Opening {
            source: document.source,
            label: &document.label,
            options: &ReadOptions::default(),
            project: None,
            beside: &Beside::default(),
            sure: document.sure,
        };
        open(document.format, opening).unwrap().1
    };
    let (found, bytes) = read(opened());
    let expected = [(0, 0), (1, 0), (2, 1), (99, 1), (3, 2)];
    let expected = expected.map(|(frame, part)| ("run".to_owned(), frame, names[part].to_owned()));
    assert_eq!(found, expected);
    assert_eq!(bytes, document().len_bytes);
    for len_bytes in [0, 1, 200] {
        let pieces = opened().pieces(len_bytes).unwrap().unwrap();
        assert!((2..=3).contains(&pieces.len()));
        assert_eq!(
            pieces
                .into_iter()
                .flat_map(|open| read(open().unwrap()).0)
                .collect::<Vec<_>>(),
            expected
        );
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
