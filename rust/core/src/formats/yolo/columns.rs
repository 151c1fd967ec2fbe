//! The columns of a line: what it draws, and what stands behind that. Their number does not tell which they are, since six
//! may be a box with a confidence or with a track; so options do.

use serde::Deserialize;

use crate::reject::Reason;

/// Characters of a wrong column that a reject's sentence shows.
const SHOWN_CHARS: usize = 40;

/// What a line draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum YoloTask {
    /// A box: x and y of its centre, width, height.
    #[default]
    Detect,
    /// A polygon of one ring: x and y of each point.
    Segment,
    /// A box, and keypoints.
    Pose,
    /// A turned box: x and y of its four corners.
    Obb,
}

/// What stands behind that. With a track, lines may lack it: those of frames on which the tracker followed nothing do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum YoloExtra {
    /// Nothing.
    #[default]
    #[serde(rename = "none")]
    Nothing,
    /// The confidence.
    #[serde(rename = "conf")]
    Conf,
    /// The track.
    #[serde(rename = "track")]
    Track,
    /// The confidence, then the track.
    #[serde(rename = "conf,track")]
    ConfTrack,
}

/// What there is of each keypoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum YoloKeypoints {
    /// x, y.
    Xy,
    /// x, y, and how it is seen: a flag, or a confidence.
    #[default]
    Xyv,
}

/// Which columns lines have behind the class.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    pub task: YoloTask,
    pub extra: YoloExtra,
    pub keypoints: YoloKeypoints,
}

/// The columns of one line.
#[derive(Debug, PartialEq)]
pub(super) struct Line<'a> {
    pub class: &'a str,
    /// What it draws.
    pub values: Vec<f64>,
    pub score: Option<f64>,
    pub track: Option<&'a str>,
}

impl Layout {
    /// Reads a line.
    ///
    /// # Errors
    /// What of it is not as the layout has it. Confidences and coordinates may be NaN.
    pub fn read<'a>(&self, line: &'a str) -> Result<Line<'a>, Reason> {
        let mut words = line.split_ascii_whitespace();
        let class = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let (has_score, has_track) = self.extra.has();
        let behind = |has_track| usize::from(has_score) + usize::from(has_track);
        // Where a line without its track fits, the same line with one more column does not.
        let found = [has_track, false].into_iter().find_map(|has_track| {
            let drawn = words.len().checked_sub(behind(has_track))?;
            self.fits(drawn).then_some((drawn, has_track))
        });
        let Some((drawn, has_track)) = found else {
            return Err(self.wrong_count(words.len() + 1));
        };
        let (drawn, rest) = words.split_at(drawn);
        let values = drawn.iter().enumerate().map(|(at, word)| coordinate(at, word));
        Ok(Line {
            class,
            values: values.collect::<Result<_, _>>()?,
            score: rest
                .first()
                .filter(|_| has_score)
                .map(|word| number(word).ok_or_else(|| unlike("confidence", "a number from 0 to 1", word)))
                .transpose()?,
            track: rest.last().filter(|_| has_track).map_or(Ok(None), |word| track(word))?,
        })
    }

    /// Whether so many columns can be what the task draws.
    fn fits(&self, columns: usize) -> bool {
        match self.task {
            YoloTask::Detect => columns == 4,
            YoloTask::Segment => columns.is_multiple_of(2),
            YoloTask::Pose => columns > 4 && (columns - 4).is_multiple_of(self.keypoints.columns()),
            YoloTask::Obb => columns == 8,
        }
    }

    fn wrong_count(&self, found: usize) -> Reason {
        let drawn = match (self.task, self.keypoints) {
            (YoloTask::Detect, _) => "class, x, y, width, height",
            (YoloTask::Segment, _) => "class, then x and y of each point",
            (YoloTask::Pose, YoloKeypoints::Xy) => "class, x, y, width, height, then x and y of each keypoint",
            (YoloTask::Pose, YoloKeypoints::Xyv) => {
                "class, x, y, width, height, then x, y and visibility of each keypoint"
            }
            (YoloTask::Obb, _) => "class, then x and y of four corners",
        };
        let behind = match self.extra {
            YoloExtra::Nothing => "nothing behind them",
            YoloExtra::Conf => "then the confidence",
            YoloExtra::Track => "then the track",
            YoloExtra::ConfTrack => "then the confidence and the track",
        };
        let message = format!("it has {found} columns; expected {drawn}, {behind}; see --yolo-task and --yolo-extra");
        Reason::BadLine { message }
    }
}

impl YoloExtra {
    /// Whether there is a confidence, and a track.
    fn has(self) -> (bool, bool) {
        (
            matches!(self, Self::Conf | Self::ConfTrack),
            matches!(self, Self::Track | Self::ConfTrack),
        )
    }
}

impl YoloKeypoints {
    /// Columns of each keypoint.
    pub(super) fn columns(self) -> usize {
        match self {
            Self::Xy => 2,
            Self::Xyv => 3,
        }
    }
}

fn number(word: &str) -> Option<f64> {
    fast_float2::parse(word).ok()
}

/// Reads a column of what is drawn. Boxes reach over the edge, but whatever is further away than the image is large is not a
/// fraction of it: it is in px, or belongs to what stands behind.
fn coordinate(at: usize, word: &str) -> Result<f64, Reason> {
    let Some(value) = number(word) else {
        let word: String = word.chars().take(SHOWN_CHARS).collect();
        let message = format!("its column {} is {word:?}; expected a number", at + 2);
        return Err(Reason::BadLine { message });
    };
    if value.is_finite() && !(-1.0..=2.0).contains(&value) {
        let expected =
            "fractions of the image, about 0 to 1; where lines end in a confidence or track, give --yolo-extra";
        return Err(unlike("coordinates", expected, word));
    }
    Ok(value)
}

/// Reads a track; none for -1 and NaN. Ultralytics rounds numbers of more than six digits, after which they name others.
fn track(word: &str) -> Result<Option<&str>, Reason> {
    let id = word.strip_suffix(".0").unwrap_or(word);
    match id.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(_) => Ok(Some(id)),
        Err(_) if id.eq_ignore_ascii_case("nan") => Ok(None),
        Err(_) => Err(unlike("track", "a whole number that is not rounded", word)),
    }
}

fn unlike(field: &'static str, expected: &'static str, word: &str) -> Reason {
    let found: String = word.chars().take(SHOWN_CHARS).collect();
    Reason::BadField {
        field,
        expected,
        found: format!("{found:?}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// How many columns are drawn, the confidence and the track.
    fn read(task: YoloTask, extra: YoloExtra, columns: usize) -> Option<(usize, bool, bool)> {
        let layout = Layout {
            task,
            extra,
            keypoints: YoloKeypoints::Xyv,
        };
        let line = format!("0{}", " 1".repeat(columns));
        let line = layout.read(&line).ok()?;
        Some((line.values.len(), line.score.is_some(), line.track.is_some()))
    }

    #[test]
    fn columns_are_what_the_options_say() {
        use YoloExtra::{Conf, ConfTrack, Nothing, Track};
        use YoloTask::{Detect, Obb, Pose, Segment};
        for (task, extra, columns, expected) in [
            (Detect, Nothing, 4, Some((4, false, false))),
            (Detect, Nothing, 5, None),
            (Detect, Conf, 5, Some((4, true, false))),
            (Detect, Conf, 4, None),
            (Detect, Track, 5, Some((4, false, true))),
            (Detect, Track, 4, Some((4, false, false))),
            (Detect, ConfTrack, 6, Some((4, true, true))),
            (Detect, ConfTrack, 5, Some((4, true, false))),
            (Detect, ConfTrack, 4, None),
            (Segment, Nothing, 8, Some((8, false, false))),
            (Segment, Nothing, 9, None),
            (Segment, Conf, 9, Some((8, true, false))),
            (Segment, ConfTrack, 10, Some((8, true, true))),
            (Segment, ConfTrack, 9, Some((8, true, false))),
            (Segment, Nothing, 0, Some((0, false, false))),
            (Segment, ConfTrack, 0, None),
            (Obb, Track, 9, Some((8, false, true))),
            (Obb, Nothing, 10, None),
            (Pose, ConfTrack, 12, Some((10, true, true))),
            (Pose, ConfTrack, 11, Some((10, true, false))),
            (Pose, Nothing, 4, None),
            (Pose, Nothing, 9, None),
        ] {
            assert_eq!(read(task, extra, columns), expected, "{task:?} {extra:?} {columns}");
        }
    }

    #[test]
    fn tracks_are_whole_numbers() {
        for (word, expected) in [("7", Some("7")), ("7.0", Some("7")), ("-1", None), ("nan", None)] {
            assert_eq!(track(word).unwrap(), expected, "{word}");
        }
        for word in ["1.23457e+06", "7.5", "x", ""] {
            assert!(track(word).is_err(), "{word}");
        }
    }
}
