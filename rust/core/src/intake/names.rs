//! The names of a batch: resolved once each, and numbered where the reader did not do so.

use std::sync::Arc;

use hashbrown::HashMap;

use super::sources::{AsRead, Sources};
use crate::batch::{Annotation, Kind};
use crate::error::Result;
use crate::formats::registry::named;
use crate::formats::{Batch, Format, Lists, Names, ReadOptions, Texts};
use crate::reject::Origin;
use crate::resolve::{Resolver, SourceResolver};
use crate::source::{ClassName, Folder, Frames, MediaName, Source};

/// What is kept of a source from batch to batch.
pub(super) struct Learned {
    files: Files,
    /// Name that the media of its rows may go by.
    file_name: String,
    frames: FramesOf,
    /// The resolver of a source whose reader numbers names, once there was a batch.
    whole: Option<SourceResolver>,
    /// Likewise, of each source that the lines of a reject file name: objects are recognised by them, and a source's name may
    /// be that of its medium.
    of_lines: HashMap<Arc<str>, SourceResolver>,
    /// Numbers of the sources that rows name, and of the files in them.
    numbers: HashMap<(Arc<str>, Option<Arc<str>>), u32>,
}

/// Where the texts of a source's rows can be read again.
pub(super) enum Files {
    /// Nowhere, as those of tables in memory.
    Nowhere,
    One(AsRead),
    Folder(Folder),
}

impl Files {
    pub fn of(source: &Source) -> Self {
        match source {
            Source::File(file) => Self::One(AsRead::new(file)),
            Source::Folder(folder) => Self::Folder(folder.clone()),
            Source::Table(_) => Self::Nowhere,
        }
    }

    /// The file that rows with these texts are in, where their texts are to be read again.
    fn of_rows(&self, texts: &Texts, member: Option<&str>) -> Option<AsRead> {
        match (texts, self) {
            (Texts::Spans(_) | Texts::Held { .. }, Self::One(file)) => Some(file.clone()),
            (Texts::Spans(_) | Texts::Held { .. }, Self::Folder(folder)) => {
                let member = folder.files().iter().find(|file| Some(&*file.shown()) == member)?;
                Some(AsRead::new(&folder.file(member)))
            }
            _ => None,
        }
    }
}

/// How frames are counted: as the format of a source does, or its options say. The lines of a reject file keep the formats
/// that they came from.
pub(super) struct FramesOf {
    own: Frames,
    format: &'static str,
    options: ReadOptions,
}

impl FramesOf {
    pub fn new(format: &Format, options: &ReadOptions) -> Result<Self> {
        Ok(Self {
            own: format.frames(options)?,
            format: format.name,
            options: options.clone(),
        })
    }

    fn of(&self, origin: &Origin) -> Frames {
        let other = origin.format.as_deref().filter(|name| *name != self.format);
        let named = other.and_then(|name| named(name).ok());
        named
            .and_then(|format| format.frames(&self.options).ok())
            .unwrap_or(self.own)
    }
}

/// Which resolver takes the rows of a batch, and under which numbers of their medium and class.
pub(super) enum RowNames<'b> {
    /// The reader's own numbers.
    Numbered { media: &'b [u32], classes: &'b [u32] },
    /// Numbers that hold for this batch: nothing is kept a frame.
    ByText {
        sources: Vec<SourceResolver>,
        /// Of each row, which of the sources it is of, and its numbers there.
        rows: Vec<(u32, (u32, u32))>,
    },
}

impl Learned {
    pub fn new(files: Files, file_name: &str, frames: FramesOf) -> Self {
        Self {
            files,
            file_name: file_name.to_owned(),
            frames,
            whole: None,
            of_lines: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// Resolves the names that a batch uses.
    pub fn learn<'b>(
        &mut self,
        rules: &mut Resolver,
        sources: &mut Sources,
        batch: &'b Batch,
        lists: Option<&dyn Lists>,
    ) -> RowNames<'b> {
        match (&batch.names, lists) {
            (Names::Numbered { media, classes }, Some(lists)) => {
                if batch.origins.is_empty() {
                    self.learn_numbers(rules, sources, batch, lists, media, classes);
                } else {
                    self.learn_lines(rules, sources, batch, lists, media, classes);
                }
                RowNames::Numbered { media, classes }
            }
            _ => self.learn_texts(rules, sources, batch),
        }
    }

    /// Takes note of the media that the source lists and no row is on.
    pub fn note(&self, rules: &mut Resolver, lists: &dyn Lists) {
        let rowless;
        let whole = match &self.whole {
            Some(whole) => whole,
            None => {
                rowless = SourceResolver::new(0, &self.file_name, self.frames.own);
                &rowless
            }
        };
        // The lines of a reject file are of images that are listed beside it.
        let listed = if self.of_lines.is_empty() {
            lists.own_media()
        } else {
            0..lists.media_len()
        };
        for number in listed {
            whole.note_medium(rules, number as u32, || lists.media(number));
        }
    }

    /// The resolver of row `index`, and the numbers of its names there.
    #[inline]
    pub fn of<'s>(&'s self, names: &'s RowNames<'_>, index: usize, label: &str) -> (&'s SourceResolver, (u32, u32)) {
        match names {
            RowNames::ByText { sources, rows } => {
                let (source, numbers) = rows[index];
                (&sources[source as usize], numbers)
            }
            RowNames::Numbered { media, classes } => {
                let named = if self.of_lines.is_empty() {
                    None
                } else {
                    self.of_lines.get(label)
                };
                let Some(resolver) = named.or(self.whole.as_ref()) else {
                    unreachable!("a row of a source that was not learnt")
                };
                (resolver, (media[index], classes[index]))
            }
        }
    }

    fn learn_numbers(
        &mut self,
        rules: &mut Resolver,
        sources: &mut Sources,
        batch: &Batch,
        lists: &dyn Lists,
        media: &[u32],
        classes: &[u32],
    ) {
        if batch.rows.is_empty() {
            return;
        }
        let (files, file_name, frames) = (&self.files, &self.file_name, self.frames.own);
        let whole = self.whole.get_or_insert_with(|| {
            let file = files.of_rows(&batch.texts, None);
            let number = sources.add(file, &batch.texts, batch.origin_of(0));
            SourceResolver::new(number, file_name, frames)
        });
        for &number in media {
            whole.learn_medium(rules, number, || lists.media(number as usize));
        }
        for &number in classes {
            whole.learn_class(rules, number, || (lists.class(number as usize), Kind::Object));
        }
    }

    fn learn_lines(
        &mut self,
        rules: &mut Resolver,
        sources: &mut Sources,
        batch: &Batch,
        lists: &dyn Lists,
        media: &[u32],
        classes: &[u32],
    ) {
        for row in 0..batch.rows.len() {
            let origin = batch.origin_of(row);
            let label = Arc::clone(&origin.source);
            let (files, frames) = (&self.files, self.frames.of(&origin));
            let made = || {
                let file = files.of_rows(&batch.texts, None);
                SourceResolver::of_rejects(sources.add(file, &batch.texts, origin), &label, frames)
            };
            let source = self.of_lines.entry(Arc::clone(&label)).or_insert_with(made);
            let (medium, class) = (media[row], classes[row]);
            source.learn_medium(rules, medium, || lists.media(medium as usize));
            source.learn_class(rules, class, || (lists.class(class as usize), Kind::Object));
        }
    }

    fn learn_texts<'b>(&mut self, rules: &mut Resolver, sources: &mut Sources, batch: &'b Batch) -> RowNames<'b> {
        let mut found = Texted::default();
        let mut rows = Vec::with_capacity(batch.rows.len());
        for index in 0..batch.rows.len() {
            let row = batch.rows.row(index);
            let line = batch.origins.get(index).and_then(|origin| origin.as_deref());
            let member = match line {
                Some(line) => line.member.as_deref(),
                None => batch.member_of(index).map(|member| &**member),
            };
            let key = (row.source, member);
            let source = found.source(key, || {
                let origin = batch.origin_of(index);
                let frames = self.frames.of(&origin);
                let number = self.number(sources, batch, origin);
                // A line of a reject file may go by the name of the file that it came from.
                let own = member.unwrap_or(&self.file_name);
                let name = line.map_or(own, |line| &line.source);
                SourceResolver::new(number, name, frames)
            });
            let frameless = batch.frameless.get(index).copied().unwrap_or(false);
            let frame = match frameless {
                false => RowFrame::Given(row.frame),
                true if row.kind == Kind::Answer && row.frame_last.is_none() => RowFrame::NoneOrAll,
                true => RowFrame::None,
            };
            rows.push((source, found.learn(rules, source, &row, frame)));
        }
        RowNames::ByText {
            sources: found.sources.into_iter().map(|source| source.resolver).collect(),
            rows,
        }
    }

    /// The number of a source that a row names.
    fn number(&mut self, sources: &mut Sources, batch: &Batch, origin: Origin) -> u32 {
        let key = (Arc::clone(&origin.source), origin.member.clone());
        if let Some(&known) = self.numbers.get(&key) {
            return known;
        }
        let file = self.files.of_rows(&batch.texts, origin.member.as_deref());
        let number = sources.add(file, &batch.texts, origin);
        self.numbers.insert(key, number);
        number
    }
}

/// The names of the rows of one batch, numbered as they come.
#[derive(Default)]
struct Texted<'b> {
    sources: Vec<OneSource<'b>>,
    numbers: HashMap<Named<'b>, u32>,
    /// The source of the row before: most follow one of their own.
    last: Option<(Named<'b>, u32)>,
}

/// The label of a source, and the file in it that the line of a reject file names.
type Named<'b> = (&'b str, Option<&'b str>);

/// What a row says of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum RowFrame {
    Given(u32),
    /// Nothing: the medium's name may say it.
    None,
    /// Nothing: the medium's name may say it, else the row is about all of the medium.
    NoneOrAll,
}

/// What tells one image from another: its medium, its frame, and its width and height.
type Image<'b> = (&'b str, RowFrame, Option<u32>, Option<u32>);

struct OneSource<'b> {
    resolver: SourceResolver,
    media: HashMap<Image<'b>, u32>,
    /// The image of the row before: most rows are beside others of theirs.
    last: Option<(Image<'b>, u32)>,
    classes: HashMap<(&'b str, u8), u32>,
}

impl<'b> Texted<'b> {
    fn source(&mut self, named: Named<'b>, resolver: impl FnOnce() -> SourceResolver) -> u32 {
        if let Some((last, number)) = self.last {
            if last == named {
                return number;
            }
        }
        let sources = &mut self.sources;
        let number = *self.numbers.entry(named).or_insert_with(|| {
            sources.push(OneSource {
                resolver: resolver(),
                media: HashMap::new(),
                last: None,
                classes: HashMap::new(),
            });
            sources.len() as u32 - 1
        });
        self.last = Some((named, number));
        number
    }

    /// Numbers of a row's medium and class in its source.
    fn learn(&mut self, rules: &mut Resolver, source: u32, row: &Annotation<'b>, frame: RowFrame) -> (u32, u32) {
        let OneSource {
            resolver,
            media,
            last,
            classes,
        } = &mut self.sources[source as usize];
        let next = media.len() as u32;
        let place = (row.media, frame, row.width_px, row.height_px);
        let medium = match *last {
            Some((before, number)) if before == place => number,
            _ => *media.entry(place).or_insert_with(|| {
                resolver.learn_medium(rules, next, || media_name(row, frame));
                next
            }),
        };
        *last = Some((place, medium));
        let next = classes.len() as u32;
        let class = *classes.entry((row.class, row.kind as u8)).or_insert_with(|| {
            let name = ClassName {
                id: None,
                name: Some(row.class),
                keypoints: &[],
                declared: true,
            };
            resolver.learn_class(rules, next, || (name, row.kind));
            next
        });
        (medium, class)
    }
}

fn media_name<'a>(row: &Annotation<'a>, frame: RowFrame) -> MediaName<'a> {
    let known = |size: Option<u32>| size.filter(|&size| size > 0);
    MediaName {
        image_id: None,
        file_name: Some(row.media),
        video: Some(row.media),
        title: None,
        frame_index: match frame {
            RowFrame::Given(frame) => Some(frame.into()),
            RowFrame::None | RowFrame::NoneOrAll => None,
        },
        width: known(row.width_px),
        height: known(row.height_px),
        declared: true,
        id_is_name: false,
        may_be_whole: frame == RowFrame::NoneOrAll,
    }
}
