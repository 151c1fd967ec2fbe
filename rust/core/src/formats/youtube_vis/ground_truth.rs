//! The ground truth of YouTube-VIS: videos with the files of their frames, and categories.

use std::collections::HashMap;

use crate::error::Result;
use crate::formats::json_values::{count, member, name, string};
use crate::formats::list_entries::CHUNK_BYTES;
use crate::json::{only_space, plain, Scan, Scanner, Window};
use crate::source::{number_at_end, SourceFile};

/// Videos and categories by their ids.
#[derive(Debug, Default)]
pub(super) struct GroundTruth {
    pub videos: HashMap<String, Video>,
    pub classes: HashMap<String, String>,
}

/// A video.
#[derive(Debug, Default)]
pub(super) struct Video {
    /// The folder of its frames, else its id.
    pub name: String,
    /// How many frames of it are listed.
    pub length: Option<u32>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Whether the numbers of its frames do not follow each other, as in 00000.jpg, 00005.jpg.
    pub is_sampled: bool,
}

/// What a member of the file lists.
enum Section {
    Videos,
    Categories,
    Other,
}

impl GroundTruth {
    /// Reads the `videos` and `categories` of a file.
    ///
    /// # Errors
    /// [`crate::error::Error::Source`] where it is not JSON, or lists no videos.
    pub fn read(file: &SourceFile) -> Result<Self> {
        let mut window = Window::open(file, 0, CHUNK_BYTES)?;
        let mut found = Self::default();
        window.item(|scanner| {
            scanner.skip_mark()?;
            scanner.expect(b'{', "expected a JSON object, the ground truth with its `videos`")
        })?;
        let (mut first, mut has_videos) = (true, false);
        while let Some(section) = next_section(&mut window, &mut first)? {
            match section {
                Section::Videos => {
                    has_videos = true;
                    list(&mut window, video, |(id, video)| {
                        found.videos.extend(id.map(|id| (id, video)))
                    })?;
                }
                Section::Categories => list(&mut window, category, |class| found.classes.extend(class))?,
                Section::Other => window.skip()?,
            }
        }
        window.item(only_space)?;
        if !has_videos {
            return Err(file.error(
                0,
                "the object has no `videos`; expected the ground truth of YouTube-VIS",
            ));
        }
        Ok(found)
    }
}

fn next_section(window: &mut Window, first: &mut bool) -> Result<Option<Section>> {
    window.release();
    let was_first = std::mem::take(first);
    window.item(|scanner| {
        let key = scanner.next_key(&mut { was_first })?;
        Ok(key.map(|key| match plain(scanner, key, &mut Vec::new()) {
            b"videos" => Section::Videos,
            b"categories" => Section::Categories,
            _ => Section::Other,
        }))
    })
}

/// Reads the entries of a list.
fn list<T>(window: &mut Window, read: impl Fn(&mut Scanner<'_>) -> Scan<T>, mut take: impl FnMut(T)) -> Result<()> {
    window.item(|scanner| scanner.expect(b'[', "expected a list"))?;
    let mut first = true;
    loop {
        window.release();
        let was_first = std::mem::take(&mut first);
        let entry = window.item(|scanner| {
            if !scanner.next_item(&mut { was_first })? {
                return Ok(None);
            }
            read(scanner).map(Some)
        })?;
        match entry {
            Some(entry) => take(entry),
            None => return Ok(()),
        }
    }
}

/// Reads a video and its id; members that are not what they should be are passed over.
fn video(scanner: &mut Scanner<'_>) -> Scan<(Option<String>, Video)> {
    let (mut id, mut title, mut folder) = (None, None, None);
    let mut video = Video::default();
    scanner.expect(b'{', "expected an object, a video")?;
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        match plain(scanner, key, &mut Vec::new()) {
            b"id" => id = member(scanner, "id", &mut None, name)?,
            b"name" => title = member(scanner, "name", &mut None, name)?,
            b"width" => video.width = member(scanner, "width", &mut None, count)?,
            b"height" => video.height = member(scanner, "height", &mut None, count)?,
            b"length" => video.length = member(scanner, "length", &mut None, count)?,
            b"file_names" if scanner.peek()? == b'[' => (folder, video.is_sampled) = file_names(scanner)?,
            _ => scanner.skip()?,
        }
    }
    video.name = folder.or(title).or_else(|| id.clone()).unwrap_or_default();
    Ok((id, video))
}

/// Reads the names of a video's frames: the folder of the first, and whether the second is not the next one.
fn file_names(scanner: &mut Scanner<'_>) -> Scan<(Option<String>, bool)> {
    scanner.at += 1;
    let (mut first, mut names) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        if names.len() < 2 && scanner.peek()? == b'"' {
            let text = scanner.string()?;
            names.push(string(scanner, text));
        } else {
            scanner.skip()?;
        }
    }
    let folder = names.first().and_then(|name| name.rsplit_once(['/', '\\']));
    let numbers: Vec<i64> = names.iter().filter_map(|name| number_at_end(name)).collect();
    let is_sampled = matches!(numbers[..], [one, other] if other != one.saturating_add(1));
    Ok((folder.map(|(folder, _)| folder.to_owned()), is_sampled))
}

/// Reads a category: its id and its name.
fn category(scanner: &mut Scanner<'_>) -> Scan<Option<(String, String)>> {
    let (mut id, mut title) = (None, None);
    scanner.expect(b'{', "expected an object, a category")?;
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        match plain(scanner, key, &mut Vec::new()) {
            b"id" => id = member(scanner, "id", &mut None, name)?,
            b"name" => title = member(scanner, "name", &mut None, name)?,
            _ => scanner.skip()?,
        }
    }
    Ok(id.zip(title))
}
