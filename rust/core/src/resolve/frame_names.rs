//! Names of files that may be frames of a video: the pattern that would say so.

use regex::Regex;

use crate::source::{number_at_end, stem};

/// What separates the name of a video from the number of a frame.
const SEPARATORS: [char; 4] = ['-', '_', '.', ' '];

/// How a frame's number and the suffix of its file are matched.
const FRAME: &str = r"(?P<frame>\d+)(?:\.[^./]+)?$";

/// The `--frame-pattern` that makes a name a frame of a video: the video is a folder further up, or stands before the number.
pub(super) fn pattern_for(name: &str, mut is_video: impl FnMut(&str) -> bool) -> Option<String> {
    number_at_end(name)?;
    let stem = stem(name);
    let before_number = stem
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches(SEPARATORS);
    let in_name = (!before_number.is_empty() && is_video(before_number))
        .then(|| (before_number, format!(r"(?P<media>[^/]+?)[-_. ]*{FRAME}")));
    let mut in_folder = || {
        let mut folders = name.rsplit('/').skip(1).filter(|folder| !folder.is_empty()).enumerate();
        let (between, video) = folders.find(|(_, folder)| is_video(folder))?;
        let between = "[^/]+/".repeat(between);
        Some((video, format!(r"(?P<media>[^/]+)/{between}[^/]*?{FRAME}")))
    };
    let (video, pattern) = in_name.or_else(&mut in_folder)?;
    let groups = Regex::new(&pattern).ok()?.captures(name)?;
    (groups.name("media")?.as_str() == video).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(name: &str) -> Option<(String, String)> {
        let pattern = pattern_for(name, |name| ["cam_00", "MOT17-02"].contains(&name))?;
        let pattern = Regex::new(&pattern).ok()?;
        let groups = pattern.captures(name)?;
        let text = |group| groups.name(group).map(|found| found.as_str().to_owned());
        Some((text("media")?, text("frame")?))
    }

    #[test]
    fn patterns_find_the_video_and_the_frame() {
        for (name, media, frame) in [
            ("cam_00_000012.jpg", "cam_00", "000012"),
            ("a/cam_00-12.jpg", "cam_00", "12"),
            ("MOT17-02/img1/000003.jpg", "MOT17-02", "000003"),
            ("x/MOT17-02/a/b/f.000003.png", "MOT17-02", "000003"),
            ("cam_00/7", "cam_00", "7"),
        ] {
            assert_eq!(proposed(name), Some((media.to_owned(), frame.to_owned())), "{name}");
        }
        for name in ["cam_00/x.jpg", "cam_01_000012.jpg", "000012.jpg", ""] {
            assert_eq!(proposed(name), None, "{name}");
        }
    }
}
