//! Where the name of a medium leads by itself, without a row that is on it.

use super::media::MediaRules;
use super::titles::Target;
use crate::reject::Reason;
use crate::source::MediaName;

/// Where a name alone leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedMedium {
    /// Index of the medium in the plan; none where no medium has the name.
    pub medium: Option<u32>,
    /// Which image of it is meant, where it is an image group.
    pub image: Option<u32>,
    /// The frame that the name is of, as the source counts, where it is the name of a frame.
    pub frame: Option<i64>,
    /// The `--frame-pattern` by which a name that was not found would be that of a frame.
    pub pattern: Option<String>,
}

impl MediaRules {
    /// Where a name leads by itself, as that of an image that says nothing about its frame.
    pub(super) fn find(&mut self, name: &str) -> NamedMedium {
        let image = MediaName {
            image_id: None,
            file_name: Some(name),
            video: None,
            title: None,
            frame_index: None,
            width: None,
            height: None,
            declared: true,
            id_is_name: true,
            may_be_whole: true,
        };
        let led = self.name_and_frame(&image, "").and_then(|named| {
            let led = self.lead(&image, &named, false)?;
            Ok((led, named.frame))
        });
        match led {
            Ok((led, frame)) => {
                let target = self.titles.target(led.lead.target);
                let image_number = match target {
                    Target::Image(_, number) => Some(number),
                    Target::Medium(_) => None,
                };
                NamedMedium {
                    medium: Some(target.medium()),
                    image: image_number,
                    frame: frame.or_else(|| led.frame.number(&image)),
                    pattern: None,
                }
            }
            Err(Reason::UnknownMedia { pattern, .. }) => NamedMedium {
                pattern,
                ..NamedMedium::default()
            },
            Err(_) => NamedMedium::default(),
        }
    }
}
