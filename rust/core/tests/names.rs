//! Which medium a name means: the ladder case by case, and random trees of titles and names against rules written without a
//! look at the code. The order of rows and of files plays no part.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use ropewalk_core::formats::ReadOptions;
use ropewalk_core::intake::{Finished, Intake, Tally};
use ropewalk_core::plan::Plan;
use ropewalk_core::reject::Unresolved;
use ropewalk_core::source::SourceFile;
use ropewalk_core::stage::StageBuilder;
use serde_json::{json, Value};

/// What became of each name: the title of the medium that its rows are on (and the frame), or the code of their rejects.
type Fates = BTreeMap<String, String>;

/// An image of a source: its name, and whether an annotation is on it.
#[derive(Debug, Clone)]
struct Image {
    name: String,
    used: bool,
}

fn plan(media: &[Value], changes: Value) -> Arc<Plan> {
    let mut plan = json!({
        "branch": "b",
        "ontology": [{"feature_hash": "car00000", "name": "Car", "color": "#111111", "shape": "bounding_box"}],
        "media": media,
    });
    plan.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    Arc::new(Plan::from_json(&plan.to_string()).unwrap())
}

fn medium(number: usize, title: &str) -> Value {
    let data_type = match title.rsplit('.').next() {
        Some("mp4") => "video",
        Some("gz") => "nifti",
        _ => "image",
    };
    json!({"data_hash": format!("hash-{number:04}"), "title": title, "data_type": data_type, "dataset_hash": "d",
           "dataset_title": "", "width": 10, "height": 8, "frames": if data_type == "image" { 1 } else { 100 }})
}

fn media(titles: &[&str]) -> Vec<Value> {
    (0..).zip(titles).map(|(number, title)| medium(number, title)).collect()
}

/// Images with these names, each with an annotation.
fn all_used(names: &[&str]) -> Vec<Image> {
    let used = |name: &&str| Image {
        name: (*name).to_owned(),
        used: true,
    };
    names.iter().map(used).collect()
}

/// One COCO document, whose annotations carry the name of their image as their track.
fn document(images: &[Image]) -> Value {
    let listed = (1..)
        .zip(images)
        .map(|(id, image)| json!({"id": id, "file_name": image.name, "width": 10, "height": 8}));
    let used = (1..).zip(images).filter(|(_, image)| image.used);
    let annotations = used.map(
        |(id, image)| json!({"id": id, "image_id": id, "category_id": 1, "bbox": [1, 1, 2, 2], "track_id": image.name}),
    );
    json!({"images": listed.collect::<Vec<_>>(), "categories": [{"id": 1, "name": "Car"}],
           "annotations": annotations.collect::<Vec<_>>()})
}

/// Takes documents in; on disk where `budget_bytes` says so.
fn take(plan: &Arc<Plan>, documents: &[Value], budget_bytes: usize, threads: usize) -> (Fates, Tally) {
    let (file, dir) = (tempfile::NamedTempFile::new().unwrap(), tempfile::tempdir().unwrap());
    let stage = StageBuilder::new(Some(dir.path().to_path_buf()), budget_bytes);
    let mut intake = Intake::new(plan, stage, file.path(), threads).unwrap();
    for (number, document) in documents.iter().enumerate() {
        let name = format!("{number}.json");
        let input = SourceFile::bytes(&name, document.to_string().into_bytes());
        intake
            .add(input, name.as_str(), None, &ReadOptions::default(), |_| Ok(()))
            .unwrap();
    }
    let Finished { staged, tally, .. } = intake.finish().unwrap();
    assert_eq!(tally.read, tally.staged + tally.rejected() + tally.filtered_total());
    let lines = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(lines.lines().count() as u64, tally.rejected());
    let mut fates = Fates::new();
    for label_row in staged.label_rows() {
        let title = &plan.media[label_row.medium as usize].title;
        let visit = |row: &ropewalk_core::stage::record::StagedRow<'_>, _| {
            fates.insert(row.track.unwrap().to_owned(), format!("{title} {}", row.key.frame));
            Ok(())
        };
        staged.for_each(label_row, visit).unwrap();
    }
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        // Rejects that show only once all names are known carry their place and text as all others do.
        let track = line["annotation"]["track_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{line}"));
        assert!(line["byte"].as_u64().unwrap() > 0 && !line["source"].as_str().unwrap().is_empty());
        fates.insert(track.to_owned(), line["code"].as_str().unwrap().to_owned());
    }
    (fates, tally)
}

fn fates(titles: &[&str], names: &[&str], changes: Value) -> Fates {
    let images = all_used(names);
    take(&plan(&media(titles), changes), &[document(&images)], 1 << 20, 1).0
}

/// Checks what becomes of names; none for [`AMBIGUOUS`].
fn check(titles: &[&str], expected: &[(&str, &str)]) {
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let found = fates(titles, &names, json!({}));
    for (name, fate) in expected {
        let known = &found[*name];
        assert!(
            known == fate || *known == format!("{fate} 0"),
            "{titles:?}: {name} is {known}, not {fate}"
        );
    }
}

const AMBIGUOUS: &str = "ambiguous_media";

#[test]
fn the_longest_common_end_of_whole_parts_decides() {
    let titles = [
        "train/1.jpg",
        "val/1.jpg",
        "bucket/set/a/2.jpg",
        "bucket/set/b/2.jpg",
        "x1.jpg",
    ];
    check(
        &titles,
        &[
            ("/data/set/train/1.jpg", "train/1.jpg"),
            (r"C:\set\val\1.jpg", "val/1.jpg"),
            ("set/a/2.jpg", "bucket/set/a/2.jpg"),
            ("s3://other/b/2.jpg", "bucket/set/b/2.jpg"),
            ("1.jpg", AMBIGUOUS),
            ("retrain/1.jpg", AMBIGUOUS),
        ],
    );
    check(&["a/s/1.jpg", "b/s/1.jpg"], &[("s/1.jpg", AMBIGUOUS)]);
}

#[test]
fn a_suffix_may_differ_where_folders_agree() {
    check(
        &["train/1.jpg", "val/1.jpg", "run.v1.2.mp4", "vol.nii.gz"],
        &[("masks/train/1.png", "train/1.jpg"), ("val/1", "val/1.jpg")],
    );
    let no_frame = "no_frame";
    check(
        &["run.v1.2.mp4", "run.v1.mp4", "vol.nii.gz"],
        &[
            ("run.v1.2", no_frame),
            ("run.v1", no_frame),
            ("vol", no_frame),
            ("vol.nii", no_frame),
        ],
    );
    check(&["run.v1.mp4"], &[("run.v1.2", "unknown_media")]);
}

#[test]
fn several_names_of_one_medium_are_refused_but_for_its_title() {
    check(&["1.jpg"], &[("cam1/1.jpg", AMBIGUOUS), ("cam2/1.jpg", AMBIGUOUS)]);
    check(&["1.jpg"], &[("1.jpg", "1.jpg"), ("cam2/1.jpg", AMBIGUOUS)]);
    check(&["1.jpg"], &[("1.jpg", "1.jpg"), ("1.JPG", AMBIGUOUS)]);
    check(&["1.jpg"], &[("1.png", AMBIGUOUS), ("1.bmp", AMBIGUOUS)]);
    check(&["1.jpg"], &[("1.png", "1.jpg")]);
    // Forms of one name are one.
    check(&["1.jpg"], &[("1.jpg", "1.jpg"), ("1", "1.jpg")]);
    check(
        &["Caf\u{e9}.jpg"],
        &[("Caf\u{e9}.jpg", "Caf\u{e9}.jpg"), ("Cafe\u{301}.jpg", "Caf\u{e9}.jpg")],
    );
    check(
        &["1.jpg"],
        &[("a/1.png", AMBIGUOUS), ("a/1", AMBIGUOUS), ("a/1.bmp", AMBIGUOUS)],
    );
}

#[test]
fn folders_that_contradict_are_refused() {
    // The other folder is in the source, in the project, or in neither.
    check(
        &["val/1.jpg"],
        &[("train/1.jpg", AMBIGUOUS), ("val/1.jpg", "val/1.jpg")],
    );
    check(&["b/val/1.jpg", "b/train/2.jpg"], &[("train/1.jpg", AMBIGUOUS)]);
    check(&["cloud/raw/1.jpg"], &[("/home/me/images/1.jpg", "cloud/raw/1.jpg")]);
    check(
        &["set/cam1/1.jpg", "set/cam1/2.jpg"],
        &[("/my/set/1.jpg", "set/cam1/1.jpg")],
    );
}

#[test]
fn a_listed_image_without_annotations_is_a_name_too() {
    let image = |name: &str, used| Image {
        name: name.to_owned(),
        used,
    };
    let plan = plan(&media(&["val/1.jpg", "2.jpg"]), json!({}));
    let listed = [
        image("train/1.jpg", true),
        image("val/1.jpg", false),
        image("2.jpg", false),
        image("a/2.jpg", true),
    ];
    let (found, tally) = take(&plan, &[document(&listed)], 1 << 20, 1);
    assert_eq!(found.values().collect::<Vec<_>>(), [AMBIGUOUS; 2]);
    assert!(tally.media_found.by_rule.is_empty());
}

#[test]
fn names_are_read_in_several_ways() {
    check(
        &[
            "my photo (1).jpg",
            "Caf\u{e9}.png",
            "IMG_7.JPG",
            "a b.jpg",
            "set/c.jpg",
            "https://h/b/d.jpg?sig=1",
        ],
        &[
            ("my%20photo%20%281%29.jpg", "my photo (1).jpg"),
            ("up/Cafe%CC%81.png", "Caf\u{e9}.png"),
            ("img_7.jpg", "IMG_7.JPG"),
            ("A_B.jpg", "a b.jpg"),
            ("/data/local-files/?d=set%2Fc.jpg&x=1", "set/c.jpg"),
            ("https://h/b/d.jpg?sig=2&x=a/b", "https://h/b/d.jpg?sig=1"),
        ],
    );
    check(
        &["Twin.jpg", "twin.jpg"],
        &[("twin.jpg", "twin.jpg"), ("TWIN.jpg", AMBIGUOUS)],
    );
    check(&["Train/1.jpg", "val/1.jpg"], &[("train/1.jpg", "Train/1.jpg")]);
    // Letter case comes after folders, and before suffixes.
    check(&["A/x.jpg", "s/a/x.jpg"], &[("a/x.jpg", "s/a/x.jpg")]);
    check(&["IMG_7.JPG", "IMG_7.MOV"], &[("IMG_7.jpg", "IMG_7.JPG")]);
}

#[test]
fn images_inside_groups_have_the_title_of_the_group_as_their_folder() {
    let group = |number: usize, title: &str| {
        let unit = json!({"data_hash": format!("unit-{number}"), "title": "w0.png", "width": 10, "height": 8});
        let other = json!({"data_hash": format!("other-{number}"), "title": format!("{title}.png")});
        json!({"data_hash": format!("hash-{number:04}"), "title": title, "data_type": "img_group", "dataset_hash": "d",
               "dataset_title": "", "frames": 2, "units": [other, unit]})
    };
    let plan = plan(&[group(0, "Grp-A"), group(1, "Grp-B")], json!({}));
    let names = [
        "Grp-B/w0.png",
        "x/grp-a/w0.png",
        "w0.png",
        "c/w0.png",
        "unit-1.png",
        "grp-a.png",
    ];
    let images = all_used(&names);
    let (found, _) = take(&plan, &[document(&images)], 1 << 20, 1);
    let found: Vec<&str> = names.iter().map(|name| found[*name].as_str()).collect();
    assert_eq!(
        found,
        ["Grp-B 1", "Grp-A 1", AMBIGUOUS, AMBIGUOUS, "Grp-B 1", "Grp-A 0"]
    );
}

#[test]
fn an_option_says_how_far_down_to_go() {
    let titles = ["a/1.jpg", "b/2.jpg", "3.jpg"];
    let names = ["a/1.jpg", "x/b/2.jpg", "3.png"];
    for (most, found) in [("exact", 1), ("suffix", 2), ("name", 3)] {
        let fates = fates(&titles, &names, json!({"media_match": most}));
        let written = names.iter().filter(|name| fates[**name].contains(' ')).count();
        assert_eq!(written, found, "{most}");
    }
}

#[test]
fn a_part_of_a_path_may_be_a_data_hash() {
    check(
        &["clip.mp4", "still.jpg"],
        &[
            ("videos/hash-0000/3.jpg", "clip.mp4 3"),
            ("images/hash-0001.png", "still.jpg"),
            ("hash-0000", "no_frame"),
            ("dicom/hash-0000/1.2.840.7", "no_frame"),
        ],
    );
}

#[test]
fn numbered_files_in_a_folder_named_as_a_video_are_its_frames() {
    check(
        &["cam_00.mp4", "b/walk.mp4", "still.jpg"],
        &[
            ("cam_00/frame_000012.jpg", "cam_00.mp4 12"),
            ("frames/b/walk/7.png", "b/walk.mp4 7"),
            ("still/frame_1.jpg", "unknown_media"),
            ("cam_00/first.jpg", "unknown_media"),
            ("cam_00/frame_000100.jpg", "frame_range"),
        ],
    );
    check(
        &["cam_00.mp4"],
        &[("x/cam_00/1.jpg", AMBIGUOUS), ("y/cam_00/1.jpg", AMBIGUOUS)],
    );
    check(
        &["cam_00.mp4"],
        &[("cam_00.mp4/1.jpg", "cam_00.mp4 1"), ("cam_00.avi/1.jpg", AMBIGUOUS)],
    );
}

#[test]
fn the_counts_say_how_media_were_found() {
    let titles = ["1.jpg", "s/2.jpg", "cloud/3.jpg", "4.jpg", "5.mp4"];
    let names = [
        "1.jpg",
        "x/s/2.jpg",
        "home/3.jpg",
        "4.png",
        "5/000001.jpg",
        "5/000002.jpg",
        "hash-0003.jpg",
    ];
    let images = all_used(&names);
    let (_, tally) = take(&plan(&media(&titles), json!({})), &[document(&images)], 1 << 20, 1);
    let rules: Vec<_> = tally.media_found.by_rule.iter().map(|(rule, n)| (*rule, *n)).collect();
    assert_eq!(
        rules,
        [
            ("base_name", 1),
            ("data_hash", 1),
            ("path", 1),
            ("stem", 1),
            ("title", 1)
        ]
    );
    let folders = BTreeMap::from([(("home".to_owned(), "cloud".to_owned()), 1)]);
    assert_eq!(tally.media_found.folders, folders);
    assert_eq!(
        (tally.warnings["folders_differ"], tally.warnings["frame_from_name"]),
        (1, 2)
    );
}

/// A path by hand: its folders, base name and stem, all in lower case.
fn taken_apart(path: &str) -> (Vec<String>, String, String) {
    let mut parts: Vec<String> = path.to_lowercase().split('/').map(str::to_owned).collect();
    let base = parts.pop().unwrap();
    let stem = base.split('.').next().unwrap().to_owned();
    (parts, base, stem)
}

/// Whether a source's name and a title are in folders that contradict each other, among all names and titles.
fn contradict(name: &str, title: &str, names: &BTreeSet<String>, titles: &BTreeSet<String>) -> bool {
    let ((folders, base, _), (title_folders, ..)) = (taken_apart(name), taken_apart(title));
    let (Some(folder), Some(title_folder)) = (folders.last(), title_folders.last()) else {
        return false;
    };
    let occurs_elsewhere = names.iter().any(|other| {
        let (other_folders, other_base, _) = taken_apart(other);
        other_base == base && !other_folders.is_empty() && other_folders != folders
    });
    let is_of_others = titles
        .iter()
        .any(|other| other != title && taken_apart(other).0.contains(folder));
    folder != title_folder && (occurs_elsewhere || (is_of_others && !title_folders.contains(folder)))
}

/// Whether two names are the same but for a suffix.
fn same_but_for_a_suffix(one: &str, other: &str) -> bool {
    let bare = |name: &str, other: &str| {
        name.len() < other.len() && other[name.len()..].starts_with('.') && other.starts_with(name)
    };
    one == other || bare(one, other) || bare(other, one)
}

/// How many whole parts two paths end in alike.
fn common_parts(one: &str, other: &str) -> usize {
    let pairs = one.rsplit('/').zip(other.rsplit('/'));
    pairs.take_while(|(one, other)| one == other).count()
}

fn path() -> impl Strategy<Value = String> {
    let folder = select(&["a", "b", "c", "A"][..]);
    let base = select(&["x.jpg", "y.jpg", "x.png", "X.jpg", "x", "y.v1.jpg"][..]);
    (prop::collection::vec(folder, 0..4), base).prop_map(|(folders, base)| {
        let parts: Vec<&str> = folders.into_iter().chain([base]).collect();
        parts.join("/")
    })
}

fn images() -> impl Strategy<Value = Vec<Image>> {
    let image = (path(), prop::bool::weighted(0.8)).prop_map(|(name, used)| Image { name, used });
    prop::collection::vec(image, 1..9).prop_map(|mut images| {
        let mut seen = BTreeSet::new();
        images.retain(|image| seen.insert(image.name.clone()));
        images
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_label_is_on_a_medium_that_its_name_does_not_mean(
        titles in prop::collection::btree_set(path(), 1..7),
        images in images(),
    ) {
        let names: BTreeSet<String> = images.iter().map(|image| image.name.clone()).collect();
        let plan = plan(&media(&titles.iter().map(String::as_str).collect::<Vec<_>>()), json!({}));
        let (fates, _) = take(&plan, &[document(&images)], 1 << 20, 1);
        let written: Vec<(&str, &str)> = fates
            .iter()
            .filter_map(|(name, fate)| Some((name.as_str(), fate.split_once(' ')?.0)))
            .collect();
        for &(name, title) in &written {
            prop_assert!(!contradict(name, title, &names, &titles), "{name} is on {title}");
            prop_assert!(!titles.contains(name) || name == title, "{name} is a title, and on {title}");
            prop_assert_eq!(&taken_apart(name).2, &taken_apart(title).2);
            // Nothing else ends in more of the same parts.
            let common = common_parts(name, title);
            let better = titles.iter().find(|other| name != title && common_parts(name, other) > common.max(1));
            prop_assert_eq!(better, None, "{} is on {}", name, title);
            for &(other, other_title) in &written {
                prop_assert!(
                    title != other_title || same_but_for_a_suffix(name, other),
                    "{name} and {other} are on {title}"
                );
            }
        }
        for image in images.iter().filter(|image| image.used) {
            let name = &image.name;
            prop_assert!(!titles.contains(name) || fates[name].contains(' '), "{name} is a title and {}", fates[name]);
            // Whose end several parts long is that of one title alone means that.
            let longest = titles.iter().map(|title| common_parts(name, title)).max().unwrap_or(0);
            let best: Vec<&String> = titles.iter().filter(|title| common_parts(name, title) == longest).collect();
            if let ([only], true) = (&best[..], longest > 1) {
                let fate = &fates[name];
                prop_assert!(fate.starts_with(&format!("{only} ")) || fate == AMBIGUOUS, "{name} is {fate}, not {only}");
            }
        }
    }

    #[test]
    fn the_order_of_rows_and_files_plays_no_part(
        titles in prop::collection::btree_set(path(), 1..7),
        (images, shuffled) in images().prop_flat_map(|images| (Just(images.clone()), Just(images).prop_shuffle())),
        (cut, threads) in (0usize..9, 1usize..3),
        on_disk in any::<bool>(),
    ) {
        let plan = plan(&media(&titles.iter().map(String::as_str).collect::<Vec<_>>()), json!({}));
        let (fates, tally) = take(&plan, &[document(&images)], 1 << 20, 1);
        let (first, rest) = shuffled.split_at(cut.min(shuffled.len()));
        let documents = [document(rest), document(first)];
        let (other_fates, other_tally) = take(&plan, &documents, if on_disk { 200 } else { 1 << 20 }, threads);
        prop_assert_eq!(fates, other_fates);
        prop_assert_eq!(&tally.media_found, &other_tally.media_found);
        prop_assert_eq!(&tally.warnings, &other_tally.warnings);
        let unresolved = |tally: &Tally| {
            let names = tally.unresolved.keys().filter(|(kind, ..)| *kind == Unresolved::Media);
            names.cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(unresolved(&tally), unresolved(&other_tally));
    }
}
