//! What `<meta>` of a CVAT file says about its videos.

use std::collections::HashMap;

use super::xml::{Token, Xml};
use crate::error::Result;

/// The video that a task is about.
#[derive(Debug, Default, Clone)]
pub(super) struct Task {
    /// Name of its file.
    pub source: Option<String>,
    pub size_wh: [Option<u32>; 2],
    /// Frames of the video from one frame of the task to the next.
    pub step: u32,
}

/// The tasks of a file: one, or those of a project.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub tasks: HashMap<String, Task>,
    /// The first of them.
    pub first: Option<Task>,
}

impl Meta {
    /// Reads up to the end of `<meta>`, whose start was read.
    ///
    /// # Errors
    /// As [`Xml::next`].
    pub fn read(xml: &mut Xml) -> Result<Self> {
        let (mut meta, mut path) = (Self::default(), Vec::new());
        let (mut id, mut task) = (String::new(), Task::default());
        loop {
            match xml.next()? {
                Token::Start(element) => path.push(element.name),
                Token::End(name, _) if path.pop().is_none() => {
                    debug_assert_eq!(name, "meta");
                    return Ok(meta);
                }
                Token::End(name, text) => {
                    let parent = path.last().map_or("", String::as_str);
                    let text = text.trim();
                    match (parent, name.as_str()) {
                        ("task" | "job", "id") => id = text.to_owned(),
                        ("task" | "job", "source") if !text.is_empty() => task.source = Some(text.to_owned()),
                        ("task" | "job", "frame_filter") => task.step = step(text),
                        ("original_size", "width") => task.size_wh[0] = text.parse().ok(),
                        ("original_size", "height") => task.size_wh[1] = text.parse().ok(),
                        (_, "task" | "job") => meta.add(std::mem::take(&mut id), std::mem::take(&mut task)),
                        // Older files have these beside the task.
                        ("", "source") if !text.is_empty() => meta.complete(|first| {
                            first.source.get_or_insert_with(|| text.to_owned());
                        }),
                        ("", "original_size") => {
                            let size_wh = std::mem::take(&mut task.size_wh);
                            meta.complete(|first| first.size_wh = size_wh);
                        }
                        _ => {}
                    }
                }
                Token::Eof => return Ok(meta),
            }
        }
    }

    fn add(&mut self, id: String, mut task: Task) {
        task.step = task.step.max(1);
        self.first.get_or_insert_with(|| task.clone());
        self.tasks.insert(id, task);
    }

    /// Completes the only task by what is beside it.
    fn complete(&mut self, set: impl Fn(&mut Task)) {
        if self.tasks.len() <= 1 {
            self.tasks.values_mut().for_each(&set);
            set(self.first.get_or_insert_with(|| Task {
                step: 1,
                ..Task::default()
            }));
        }
    }

    /// The task of a track or an image: that with an id, or the only one.
    pub fn task(&self, id: Option<&str>) -> Option<&Task> {
        match id {
            Some(id) => self.tasks.get(id).or(self.only()),
            None => self.only(),
        }
    }

    fn only(&self) -> Option<&Task> {
        self.first.as_ref().filter(|_| self.tasks.len() <= 1)
    }
}

/// The step of a frame filter: `step=3`.
fn step(filter: &str) -> u32 {
    let number = filter
        .trim()
        .strip_prefix("step=")
        .and_then(|step| step.trim().parse().ok());
    number.unwrap_or(1).max(1)
}
