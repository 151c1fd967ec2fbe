//! Which medium a name means: a ladder of rules on whole names, the strongest first. Images inside image groups are found as
//! media are; the title of their group is their folder. So are the spaces of data groups, which go by their names in the
//! group's layout as well.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

use hashbrown::hash_table::{Entry, HashTable};

use super::ends::{folders, starts, Ends, Hit};
use super::readings::{Reading, READINGS};
use crate::media::shown_title;
use crate::media::StorageItem;
use crate::plan::{MediaMatch, Medium, Plan, Space};
use crate::source::{base_name, stem};

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A medium of the project.
    Medium(u32),
    /// An image inside an image group: index of the group, index of the image.
    Image(u32, u32),
}

impl Target {
    /// Index of the medium.
    pub fn medium(self) -> u32 {
        match self {
            Self::Medium(index) | Self::Image(index, _) => index,
        }
    }
}

/// The rule by which a medium is found, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// `--media-map` names it.
    Map,
    /// The name, or a part of its path, is its data_hash.
    DataHash,
    /// The name is its title.
    Title,
    /// The name and the title end in the same folder and file.
    Path,
    /// They have the same file name.
    BaseName,
    /// They have the same file name without its suffix, or but for letters in front of a number.
    Stem,
}

impl Rule {
    /// The rule as the summary and the report call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Map => "media_map",
            Self::DataHash => "data_hash",
            Self::Title => "title",
            Self::Path => "path",
            Self::BaseName => "base_name",
            Self::Stem => "stem",
        }
    }

    /// Whether it looks at file names alone, so that folders may contradict.
    pub fn ignores_folders(self) -> bool {
        self >= Self::BaseName
    }
}

/// Outcome of a look-up. Targets are numbers, see [`Titles::target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    One(u32, Rule),
    None,
    Many(Hit),
}

impl Found {
    fn of(hit: Hit, rule: Rule) -> Self {
        if hit.count == 1 {
            Self::One(hit.first, rule)
        } else {
            Self::Many(hit)
        }
    }
}

/// A step of the ladder below the exact title.
#[derive(Debug, Clone, Copy)]
enum Step {
    Title,
    Path,
    BaseName,
    /// The source's base name as it is, and the title's stem.
    StemAsIs,
    Stem,
}

/// The steps with the rules that they are, and how far down they are: those that compare names of files as a whole come
/// before those that look through suffixes.
const STEPS: [&[(Step, Rule, MediaMatch)]; 2] = [
    &[
        (Step::Title, Rule::Title, MediaMatch::Suffix),
        (Step::Path, Rule::Path, MediaMatch::Suffix),
        (Step::BaseName, Rule::BaseName, MediaMatch::Name),
    ],
    &[
        (Step::StemAsIs, Rule::Stem, MediaMatch::Name),
        (Step::Stem, Rule::Stem, MediaMatch::Name),
    ],
];

/// The readings in which all steps are tried before the next ones: letter case is looked through last, but for blanks.
const ROUNDS: [std::ops::Range<usize>; 3] = [0..3, 3..4, 4..5];

pub(super) struct Titles {
    plan: Arc<Plan>,
    targets: Vec<Target>,
    /// Targets by their names, and by their data_hashes. The texts are those of the plan.
    titles: HashTable<Hit>,
    hashes: HashTable<u32>,
    /// Targets by their other names: those of spaces in their groups.
    names: HashMap<Box<str>, Hit>,
    /// Media by their storage items; one may be behind several.
    items: HashTable<Hit>,
    hasher: RandomState,
    /// What the steps below the exact title need, by reading; made for the first name that needs it.
    ends: [OnceLock<Ends>; READINGS.len()],
    numbers: OnceLock<HashMap<i64, Hit>>,
    folders: OnceLock<HashSet<Box<str>>>,
}

fn title_in(plan: &Plan, target: Target) -> &str {
    match target {
        Target::Medium(index) => plan.media[index as usize].name(),
        Target::Image(index, position) => &plan.media[index as usize].units[position as usize].title,
    }
}

fn data_hash_in(plan: &Plan, target: Target) -> &str {
    match target {
        Target::Medium(index) => &plan.media[index as usize].data_hash,
        Target::Image(index, position) => &plan.media[index as usize].units[position as usize].data_hash,
    }
}

impl Titles {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let mut titles = Self {
            plan: Arc::clone(plan),
            targets: Vec::with_capacity(plan.media.len()),
            titles: HashTable::with_capacity(plan.media.len()),
            hashes: HashTable::with_capacity(plan.media.len()),
            names: HashMap::new(),
            items: HashTable::new(),
            hasher: RandomState::new(),
            ends: Default::default(),
            numbers: OnceLock::new(),
            folders: OnceLock::new(),
        };
        for (index, medium) in (0u32..).zip(&plan.media) {
            titles.insert(Target::Medium(index));
            if let Some(item) = medium.storage_item {
                titles.insert_item(item);
            }
            if let Some(space) = &medium.space {
                titles.insert_names_of_space(medium, space);
            }
            for position in 0..medium.units.len() as u32 {
                titles.insert(Target::Image(index, position));
            }
        }
        titles
    }

    fn insert(&mut self, target: Target) {
        let number = self.targets.len() as u32;
        self.targets.push(target);
        let Self {
            plan,
            targets,
            titles,
            hashes,
            hasher,
            ..
        } = self;
        let title = |number: u32| title_in(plan, targets[number as usize]);
        let digest = |number: u32| hasher.hash_one(title(number));
        match titles.entry(
            digest(number),
            |hit| title(hit.first) == title(number),
            |hit| digest(hit.first),
        ) {
            Entry::Occupied(mut known) => *known.get_mut() = known.get().and(Hit::one(number)),
            Entry::Vacant(new) => drop(new.insert(Hit::one(number))),
        }
        let data_hash = |number: u32| data_hash_in(plan, targets[number as usize]);
        let digest = |number: u32| hasher.hash_one(data_hash(number));
        // An image group of one image may share its hash with that image: the medium came first and stays.
        hashes
            .entry(
                digest(number),
                |other| data_hash(*other) == data_hash(number),
                |other| digest(*other),
            )
            .or_insert(number);
    }

    /// Notes the storage item of the medium that was inserted last.
    fn insert_item(&mut self, item: StorageItem) {
        let number = self.targets.len() as u32 - 1;
        let Self {
            plan,
            targets,
            items,
            hasher,
            ..
        } = self;
        let of = |hit: &Hit| plan.media[targets[hit.first as usize].medium() as usize].storage_item;
        let digest = |item: Option<StorageItem>| hasher.hash_one(item);
        if items.is_empty() {
            items.reserve(plan.media.len(), |hit| digest(of(hit)));
        }
        match items.entry(digest(Some(item)), |hit| of(hit) == Some(item), |hit| digest(of(hit))) {
            Entry::Occupied(mut known) => *known.get_mut() = known.get().and(Hit::one(number)),
            Entry::Vacant(new) => drop(new.insert(Hit::one(number))),
        }
    }

    /// Notes what names the space that was inserted last besides its title and its id.
    fn insert_names_of_space(&mut self, medium: &Medium, space: &Space) {
        let number = self.targets.len() as u32 - 1;
        let plan = Arc::clone(&self.plan);
        let group = &plan.media[space.group as usize];
        let mut note = |name: String| Hit::note(self.names.entry(name.into()), number);
        for name in std::iter::once(&*medium.title).chain(space.layout_key.as_deref()) {
            note(name.to_owned());
            note(format!("{}/{name}", group.title));
            note(format!("{}/{name}", group.data_hash));
        }
    }

    /// How many targets there are: media, and images inside groups.
    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// The medium or image with a number.
    pub(super) fn target(&self, number: u32) -> Target {
        self.targets[number as usize]
    }

    /// The title of the group that an image or space is in, and its own title.
    fn titles_of(&self, number: u32) -> (Option<&str>, &str) {
        let medium = |index: u32| -> &Medium { &self.plan.media[index as usize] };
        match self.target(number) {
            Target::Medium(index) => {
                let group = medium(index).group().map(|group| medium(group).name());
                (group, medium(index).name())
            }
            Target::Image(index, position) => (
                Some(medium(index).name()),
                &medium(index).units[position as usize].title,
            ),
        }
    }

    /// The title.
    pub(super) fn title(&self, number: u32) -> &str {
        self.titles_of(number).1
    }

    /// The target as messages name it: behind the title of the group that it is in.
    pub(super) fn shown(&self, number: u32) -> String {
        let (group, title) = self.titles_of(number);
        let title = shown_title(title);
        group.map_or_else(|| title.to_owned(), |group| format!("{}/{title}", shown_title(group)))
    }

    /// The path of a target in a reading: of an image inside a group behind the title of that.
    pub(super) fn path(&self, number: u32, reading: Reading) -> Cow<'_, str> {
        self.path_of(number, self.title(number), reading)
    }

    /// The path of a target that goes by `name`.
    fn path_of<'n>(&self, number: u32, name: &'n str, reading: Reading) -> Cow<'n, str> {
        let path = reading.path(name);
        match self.titles_of(number).0 {
            Some(group) => Cow::Owned(format!("{}/{path}", reading.path(group))),
            None => path,
        }
    }

    /// The names of a target: its title, and that of a space in its group's layout.
    fn names_of(&self, number: u32) -> impl Iterator<Item = &str> {
        let space = match self.target(number) {
            Target::Medium(index) => self.plan.media[index as usize].space.as_ref(),
            Target::Image(..) => None,
        };
        let title = self.title(number);
        let key = space.and_then(|space| space.layout_key.as_deref());
        std::iter::once(title).chain(key.filter(move |key| *key != title))
    }

    /// The target with this data_hash, or the only one with this storage item.
    pub(super) fn by_hash(&self, hash: &str) -> Option<u32> {
        let is_it = |number: &u32| data_hash_in(&self.plan, self.target(*number)) == hash;
        let number = self.hashes.find(self.hasher.hash_one(hash), is_it).copied();
        number.or_else(|| self.by_item(hash).filter(|hit| hit.count == 1).map(|hit| hit.first))
    }

    fn by_item(&self, text: &str) -> Option<Hit> {
        let item = Some(StorageItem::parse(text)?);
        let of = |hit: &Hit| self.plan.media[self.target(hit.first).medium() as usize].storage_item;
        self.items
            .find(self.hasher.hash_one(item), |hit| of(hit) == item)
            .copied()
    }

    /// The target whose data_hash is a part of a path, or that part without its suffix, and whether it is the folder of a
    /// file. The last such part decides.
    pub(super) fn by_hash_in(&self, path: &str) -> Option<(u32, bool)> {
        let mut parts = path.rsplit(['/', '\\']).enumerate();
        parts.find_map(|(at, part)| {
            let target = self.by_hash(part).or_else(|| self.by_hash(stem(part)))?;
            Some((target, at == 1))
        })
    }

    /// The target whose title is a name to the letter; several, too, where the name is a storage item of several.
    pub(super) fn by_title(&self, name: &str) -> Found {
        let digest = self.hasher.hash_one(name);
        let titled = self.titles.find(digest, |hit| self.title(hit.first) == name);
        let hits = titled.into_iter().chain(self.names.get(name)).copied();
        let shared = || self.by_item(name).filter(|hit| hit.count > 1);
        hits.reduce(Hit::and)
            .or_else(shared)
            .map_or(Found::None, |hit| Found::of(hit, Rule::Title))
    }

    /// The target that a name means which is not a title: by the strongest rule by which anything fits, down to `most`.
    pub(super) fn by_name(&self, name: &str, most: MediaMatch) -> Found {
        let paths = READINGS.map(|reading| reading.path(name));
        for steps in STEPS {
            let mut many: Option<(Hit, usize)> = None;
            for round in ROUNDS {
                let tried = steps.iter().filter(|(.., needed)| *needed <= most);
                for (&(step, rule, _), at) in tried.flat_map(|step| round.clone().map(move |at| (step, at))) {
                    match self.by_step(step, rule, &paths, at) {
                        Found::None => {}
                        // A looser reading may tell several apart by a longer end, but not find another one instead.
                        Found::One(target, rule) => match many {
                            Some((hit, at)) if !self.is_as_near(target, hit.first, &paths[at], at) => {}
                            _ => return Found::One(target, rule),
                        },
                        Found::Many(hit) => many = many.or(Some((hit, at))),
                    }
                }
            }
            if let Some((hit, _)) = many {
                return Found::Many(hit);
            }
        }
        Found::None
    }

    /// Whether a target ends in as many parts of a path as another one does, in reading number `at`.
    fn is_as_near(&self, target: u32, other: u32, path: &str, at: usize) -> bool {
        let common = |number| {
            let own = self.path(number, READINGS[at]);
            let pairs = own.rsplit('/').zip(path.rsplit('/'));
            pairs.take_while(|(own, part)| own == part).count()
        };
        common(target) >= common(other)
    }

    /// What a step finds in reading number `at`, of the readings' `paths`.
    fn by_step(&self, step: Step, rule: Rule, paths: &[Cow<'_, str>], at: usize) -> Found {
        let path = &paths[at];
        // Nothing that the reading before did not find.
        if at > 0 && *path == paths[at - 1] && self.ends_of(at).is_empty() {
            return Found::None;
        }
        // What is the same to a stricter reading is the same to this one.
        let look_up = |find: &dyn Fn(&Ends) -> Option<Hit>| {
            let hits = (0..=at).filter_map(|stricter| find(self.ends_of(stricter)));
            hits.reduce(Hit::and)
        };
        let hit = match step {
            Step::Title => look_up(&|ends| ends.whole(path)),
            Step::Path => longest(path, 2, |end| look_up(&|ends| ends.end(end))),
            Step::BaseName => look_up(&|ends| ends.end(base_name(path))),
            Step::StemAsIs => longest(path, 1, |end| look_up(&|ends| ends.stem(end))),
            Step::Stem => {
                let cut = base_name(path).len() - stem(path).len();
                longest(&path[..path.len() - cut], 1, |end| look_up(&|ends| ends.stem(end)))
            }
        };
        hit.map_or(Found::None, |hit| Found::of(hit, rule))
    }

    /// What titles end in, in reading number `at`, where that is not what they end in in the one before.
    fn ends_of(&self, at: usize) -> &Ends {
        self.ends[at].get_or_init(|| {
            let mut ends = Ends::default();
            let names = (0..self.len() as u32).flat_map(|number| self.names_of(number).map(move |name| (number, name)));
            for (number, name) in names {
                let path = self.path_of(number, name, READINGS[at]);
                let before = at
                    .checked_sub(1)
                    .map(|before| self.path_of(number, name, READINGS[before]));
                if before.as_ref() == Some(&path) {
                    continue;
                }
                ends.add(number, &path, before.as_deref());
                let title = READINGS[at].path(name);
                let title_before = at.checked_sub(1).map(|before| READINGS[before].path(name));
                if title != path && title_before.as_ref() != Some(&title) {
                    ends.add_title(number, &title);
                }
            }
            ends
        })
    }

    /// The target whose title's stem is this number, with any zeros in front: what is left of `000042.jpg` in an id.
    pub(super) fn by_number(&self, number: i64) -> Found {
        let numbers = self.numbers.get_or_init(|| {
            let mut numbers = HashMap::new();
            for target in 0..self.len() as u32 {
                let stem = stem(self.title(target));
                if stem.bytes().all(|byte| byte.is_ascii_digit()) {
                    if let Ok(number) = stem.parse() {
                        Hit::note(numbers.entry(number), target);
                    }
                }
            }
            numbers
        });
        numbers
            .get(&number)
            .map_or(Found::None, |hit| Found::of(*hit, Rule::Stem))
    }

    /// Whether a title other than that of a target has this folder, and that one has not; in the loosest reading.
    pub(super) fn is_folder_of_others(&self, folder: &str, number: u32) -> bool {
        let known = self.folders.get_or_init(|| {
            let paths = (0..self.len() as u32).map(|number| self.path(number, Reading::Loose));
            paths
                .flat_map(|path| folders(&path).map(Box::from).collect::<Vec<_>>())
                .collect()
        });
        known.contains(folder) && !folders(&self.path(number, Reading::Loose)).any(|own| own == folder)
    }

    /// How many titles have this base name in the loosest reading.
    pub(super) fn with_base_name(&self, base: &str) -> usize {
        let hits = (0..READINGS.len()).filter_map(|at| self.ends_of(at).end(base));
        hits.reduce(Hit::and).map_or(0, |hit| hit.count as usize)
    }
}

/// What the longest end of `least` or more whole parts of a path finds.
fn longest(path: &str, least: usize, find: impl Fn(&str) -> Option<Hit>) -> Option<Hit> {
    let parts = starts(path).count();
    let mut long_enough = starts(path).take((parts + 1).saturating_sub(least));
    long_enough.find_map(|start| find(&path[start..]))
}
