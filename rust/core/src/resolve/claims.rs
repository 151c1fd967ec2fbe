//! Which names of the sources lead to which media. Some are refused once all names are known: what else a source names says
//! whether a match makes sense.

use std::collections::{BTreeMap, HashMap};

use super::ends::{folders, split_folder};
use super::readings::Reading;
use super::titles::{Rule, Titles};
use crate::media::shown_title;
use crate::reject::{Counts, Reason};
use crate::source::stems;

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lead {
    /// Number of the target.
    pub target: u32,
    /// Number of the name, by which it may be refused in the end; 0 for what names a medium beyond doubt.
    pub name: u32,
}

/// A name that is not the title of a medium.
struct Name {
    name: Box<str>,
    /// Number of the target that it leads to, and by which rule; none where it finds nothing.
    lead: Option<(u32, Rule)>,
    /// Whether it is a folder, whose files are the frames of a video.
    of_frames: bool,
}

/// The names of the sources so far.
pub(super) struct Claims {
    /// By target, the rule by which something names it beyond doubt, and whether a row does.
    sure: Vec<Option<(Rule, bool)>>,
    /// The least name that names them so, where that is not their title.
    aliases: HashMap<u32, String>,
    names: Vec<Name>,
    /// By name: its number, or why it finds nothing.
    known: HashMap<Box<str>, Result<u32, Reason>>,
    /// By folder: its number; 0 where it does not name a video.
    frame_folders: HashMap<Box<str>, u32>,
    /// By the number that an id is: its number as a name.
    numbers: HashMap<i64, u32>,
}

impl Claims {
    pub fn new(targets: usize) -> Self {
        Self {
            sure: vec![None; targets],
            aliases: HashMap::new(),
            names: Vec::new(),
            known: HashMap::new(),
            frame_folders: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// Notes a target that `name` names beyond doubt; `by_row` where a row names it.
    pub fn surely(&mut self, target: u32, rule: Rule, name: &str, by_row: bool) -> Lead {
        if rule != Rule::Title && by_row {
            keep_least(self.aliases.entry(target).or_insert_with(|| name.into()), name);
        }
        let (rule_before, by_row_before) = self.sure[target as usize].unwrap_or((rule, false));
        self.sure[target as usize] = Some((rule.max(rule_before), by_row | by_row_before));
        Lead { target, name: 0 }
    }

    /// Where a name leads that was learnt before.
    pub fn of(&self, name: &str) -> Option<Result<Lead, Reason>> {
        Some(match self.known.get(name)? {
            Ok(number) => Ok(self.lead(*number)),
            Err(reason) => Err(reason.clone()),
        })
    }

    /// Keeps where a name leads, or why nowhere.
    pub fn learn(&mut self, name: &str, found: Result<(u32, Rule), Reason>) -> Result<Lead, Reason> {
        let number = self.number(name, found.as_ref().ok().copied(), false);
        let found = found.map(|_| number);
        self.known.insert(name.into(), found.clone());
        found.map(|number| self.lead(number))
    }

    /// Where a folder of frames leads that was learnt before.
    pub fn of_frames(&self, folder: &str) -> Option<Option<Lead>> {
        let number = *self.frame_folders.get(folder)?;
        Some((number > 0).then(|| self.lead(number)))
    }

    /// Keeps the video that a folder names.
    pub fn learn_frames(&mut self, folder: &str, found: Option<(u32, Rule)>) -> Option<Lead> {
        let number = found.map_or(0, |found| self.number(folder, Some(found), true));
        self.frame_folders.insert(folder.into(), number);
        (number > 0).then(|| self.lead(number))
    }

    /// Keeps the target that the number of an id leads to.
    pub fn learn_number(&mut self, number: i64, found: (u32, Rule)) -> Lead {
        let name = match self.numbers.get(&number) {
            Some(known) => *known,
            None => self.number(&number.to_string(), Some(found), false),
        };
        self.numbers.insert(number, name);
        self.lead(name)
    }

    fn number(&mut self, name: &str, lead: Option<(u32, Rule)>, of_frames: bool) -> u32 {
        self.names.push(Name {
            name: name.into(),
            lead,
            of_frames,
        });
        self.names.len() as u32
    }

    fn lead(&self, number: u32) -> Lead {
        let target = self.names[number as usize - 1].lead.map_or(0, |(target, _)| target);
        Lead { target, name: number }
    }

    /// Decides which names are refused, now that all of them are known. Their order plays no part.
    pub fn settle(&self, titles: &Titles) -> Settled {
        let mut fates: Vec<Fate> = self.names.iter().map(|name| Fate::of(name, titles)).collect();
        if fates.iter().any(|fate| fate.differs.is_some()) {
            let bases = self.folders_by_base_name(titles);
            for fate in &mut fates {
                fate.refuse_if_folders_contradict(titles, &bases);
            }
        }
        self.refuse_shared(titles, &mut fates);
        let mut media = BTreeMap::new();
        for (target, sure) in (0..).zip(&self.sure) {
            if let Some((rule, true)) = sure {
                let alias = self.aliases.get(&target).map(String::as_str);
                let name = alias.unwrap_or_else(|| titles.title(target));
                note(&mut media, titles.target(target).medium(), *rule, name);
            }
        }
        Settled { fates, media }
    }

    /// By the base names of the sources, the folders that they are in.
    fn folders_by_base_name(&self, titles: &Titles) -> HashMap<String, Folders> {
        let mut bases: HashMap<String, Folders> = HashMap::new();
        let mut note = |name: &str| {
            let path = Reading::Loose.path(name);
            let (folder, base) = split_folder(&path);
            if !folder.is_empty() {
                bases.entry(base.to_owned()).or_default().note(folder);
            }
        };
        self.names.iter().for_each(|name| note(&name.name));
        for (target, sure) in (0..).zip(&self.sure) {
            if sure.is_some_and(|(rule, _)| rule == Rule::Title) {
                note(titles.title(target));
            }
        }
        bases
    }

    /// Refuses names of which several lead to one target, but for its title and where all are forms of one name.
    fn refuse_shared(&self, titles: &Titles, fates: &mut [Fate]) {
        let mut by_target: HashMap<u32, Vec<usize>> = HashMap::new();
        for (at, (name, fate)) in self.names.iter().zip(&*fates).enumerate() {
            if let (Some((target, _)), None) = (name.lead, &fate.refused) {
                by_target.entry(target).or_default().push(at);
            }
        }
        for (target, names) in by_target {
            let title = titles.title(target);
            let whole = [titles.path(target, Reading::AsIs), Reading::AsIs.path(title)];
            // A title with its group before it, or with other slashes, is the title.
            let name_of = |at: &usize| match &*self.names[*at].name {
                name if whole.contains(&Reading::AsIs.path(name)) => title,
                name => name,
            };
            let mut all: Vec<&str> = names.iter().map(name_of).collect();
            all.extend(self.sure[target as usize].map(|_| title));
            all.sort_unstable();
            all.dedup();
            let agree = all
                .iter()
                .enumerate()
                .all(|(at, one)| all[..at].iter().all(|other| is_same(one, other)));
            let titled = all.contains(&title);
            for at in names {
                let media = name_of(&at);
                let other = if titled {
                    Some(title)
                } else {
                    all.iter().copied().find(|name| *name != media)
                };
                match other.filter(|other| *other != media) {
                    Some(_) if agree => fates[at].joined = true,
                    Some(other) => {
                        fates[at].refused = Some(Reason::SharedMedium {
                            media: media.to_owned(),
                            other: shown_title(other).to_owned(),
                            title: shown_title(title).to_owned(),
                        });
                    }
                    None => {}
                }
            }
        }
    }
}

/// Whether two names are one name: the same path, or the same without its suffix.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (Reading::Composed.path(one), Reading::Composed.path(other));
    let ((one_folder, one), (other_folder, other)) = (split_folder(&one), split_folder(&other));
    let is_stem = |stem: &str, name: &str| {
        let (inner, whole) = stems(name);
        stem == inner || stem == whole
    };
    one_folder == other_folder && (one == other || is_stem(one, other) || is_stem(other, one))
}

/// The folders that a base name is in.
#[derive(Default)]
struct Folders {
    first: Option<String>,
    several: bool,
}

impl Folders {
    fn note(&mut self, folder: &str) {
        let first = self.first.get_or_insert_with(|| folder.to_owned());
        self.several |= first != folder;
    }
}

/// What becomes of a name.
struct Fate {
    /// Number of the target that it leads to, its medium, and by which rule.
    lead: Option<(u32, u32, Rule)>,
    of_frames: bool,
    name: Box<str>,
    /// Where its folder is another than that of the title.
    differs: Option<Box<Paths>>,
    /// Whether other forms of the same name lead there as well.
    joined: bool,
    refused: Option<Reason>,
    /// Rows that were found by it and stay.
    rows: u64,
}

/// A name and the title that it leads to, as they are and in the loosest reading.
struct Paths {
    source: String,
    project: String,
    loose_source: String,
    by_base_name: bool,
}

impl Fate {
    /// What becomes of a name as far as it alone tells.
    fn of(name: &Name, titles: &Titles) -> Self {
        let lead = name
            .lead
            .map(|(target, rule)| (target, titles.target(target).medium(), rule));
        let by_file_name = lead.filter(|(.., rule)| rule.ignores_folders());
        let differs = by_file_name.and_then(|(target, _, rule)| {
            let loose_source = Reading::Loose.path(&name.name);
            let loose_project = titles.path(target, Reading::Loose);
            let folder = folders(&loose_source).last()?;
            let differs = folders(&loose_project).last().is_some_and(|other| other != folder);
            differs.then(|| {
                Box::new(Paths {
                    source: name.name.to_string(),
                    project: shown_title(&titles.path(target, Reading::AsIs)).to_owned(),
                    loose_source: loose_source.into_owned(),
                    by_base_name: rule == Rule::BaseName,
                })
            })
        });
        Self {
            lead,
            of_frames: name.of_frames,
            name: name.name.clone(),
            differs,
            joined: false,
            refused: None,
            rows: 0,
        }
    }

    /// Refuses the name where folders that differ say that it and the title are two things.
    fn refuse_if_folders_contradict(&mut self, titles: &Titles, bases: &HashMap<String, Folders>) {
        let (Some(paths), Some((target, ..))) = (&self.differs, self.lead) else {
            return;
        };
        let (_, base) = split_folder(&paths.loose_source);
        let folder = folders(&paths.loose_source).last().unwrap_or_default();
        if bases.get(base).is_some_and(|folders| folders.several)
            || (paths.by_base_name && titles.with_base_name(base) > 1)
            || titles.is_folder_of_others(folder, target)
        {
            self.refused = Some(Reason::FoldersContradict {
                media: paths.source.clone(),
                title: paths.project.clone(),
            });
        }
    }
}

/// What became of the names of all sources.
pub struct Settled {
    fates: Vec<Fate>,
    /// By index of the medium, what is known of those that are found beyond doubt.
    media: BTreeMap<u32, FoundMedium>,
}

/// A medium that rows are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMedium {
    rule: Rule,
    /// What the sources call it: the least name where there are several, as of the images of a group.
    pub name: String,
    /// How many names lead to it.
    pub names: u64,
}

impl FoundMedium {
    /// The rule by which it is found, the strongest of several, as the report calls it.
    pub fn rule(&self) -> &'static str {
        self.rule.name()
    }
}

/// Counts of what the names of media came to, for the summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaFound {
    /// Media by the rule by which they were found.
    pub by_rule: Counts,
    /// The media, by their index in the plan.
    pub media: BTreeMap<u32, FoundMedium>,
    /// (folder in the source, folder in the project) -> annotations that were matched by file name all the same.
    pub folders: BTreeMap<(String, String), u64>,
    /// Annotations that are worth a warning, by its name.
    pub warnings: Counts,
}

impl Settled {
    /// Counts a row that was found by the name with this number; why it is refused, if it is.
    pub fn count(&mut self, name: u32) -> Option<&Reason> {
        let fate = &mut self.fates[name as usize - 1];
        if fate.refused.is_none() {
            fate.rows += 1;
        }
        fate.refused.as_ref()
    }

    /// What the names came to, once all rows are counted.
    pub fn found(self) -> MediaFound {
        let mut found = MediaFound::default();
        let mut media = self.media;
        for fate in self.fates.into_iter().filter(|fate| fate.rows > 0) {
            if let Some((_, medium, rule)) = fate.lead {
                note(&mut media, medium, rule, shown_title(&fate.name));
            }
            let mut warn = |warning| *found.warnings.entry(warning).or_default() += fate.rows;
            if fate.differs.is_some() {
                warn("folders_differ");
            }
            if fate.joined {
                warn("names_joined");
            }
            if fate.of_frames {
                warn("frame_from_name");
            }
            if let Some(paths) = fate.differs {
                let folder = |path: &str| split_folder(&Reading::AsIs.path(path)).0.to_owned();
                let folders = (folder(shown_title(&paths.source)), folder(&paths.project));
                *found.folders.entry(folders).or_default() += fate.rows;
            }
        }
        for medium in media.values() {
            *found.by_rule.entry(medium.rule()).or_default() += 1;
        }
        found.media = media;
        found
    }
}

/// Notes a name by which a medium is found; the strongest rule counts.
fn note(media: &mut BTreeMap<u32, FoundMedium>, medium: u32, rule: Rule, name: &str) {
    let known = media.entry(medium).or_insert_with(|| FoundMedium {
        rule,
        name: name.to_owned(),
        names: 0,
    });
    known.rule = rule.min(known.rule);
    known.names += 1;
    keep_least(&mut known.name, name);
}

/// Keeps the lesser of two names: which one came first plays no part.
fn keep_least(known: &mut String, name: &str) {
    if name < known.as_str() {
        name.clone_into(known);
    }
}
