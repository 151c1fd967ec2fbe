//! What the classes of the sources became, for a summary: objects and classifications of the ontology.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::reject::Counts;

/// What a row of a class became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Became {
    /// Whether it answers a classification; else it is an object.
    pub is_answer: bool,
    /// Index of the ontology object in the plan; of the classification for an answer.
    pub feature: u32,
    /// What the source has from which its shape is made: `box`, `mask`, `polygon`, `keypoints` or another shape. `range` for
    /// what lies on a range, `answer` for an answer.
    pub made_from: &'static str,
}

/// How many rows became that, and what is worth a look on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassSum {
    /// Annotations.
    pub annotations: u64,
    /// Those that are worth a warning, by its name.
    pub warnings: Counts,
}

/// Sums by the names of classes in the sources.
pub type ClassesFound = BTreeMap<(String, Became), ClassSum>;

/// The sums of a run of rows. Names are few, rows are many: a row costs one look-up.
#[derive(Debug, Default)]
pub(super) struct Classes {
    by_name: HashMap<String, Vec<(Became, ClassSum)>>,
}

impl Classes {
    /// Counts a row with its warnings.
    pub fn count(&mut self, class: &str, became: Became, warnings: &[&'static str]) {
        let of_class = self.by_name.entry_ref(class).or_default();
        let at = of_class.iter().position(|(known, _)| *known == became);
        let at = at.unwrap_or_else(|| {
            of_class.push((became, ClassSum::default()));
            of_class.len() - 1
        });
        let sum = &mut of_class[at].1;
        sum.annotations += 1;
        for &name in warnings {
            *sum.warnings.entry(name).or_default() += 1;
        }
    }

    /// Adds the sums to those of all rows.
    pub fn add_to(self, found: &mut ClassesFound) {
        for (name, of_class) in self.by_name {
            for (became, sum) in of_class {
                let all = found.entry((name.clone(), became)).or_default();
                all.annotations += sum.annotations;
                for (warning, count) in sum.warnings {
                    *all.warnings.entry(warning).or_default() += count;
                }
            }
        }
    }
}
