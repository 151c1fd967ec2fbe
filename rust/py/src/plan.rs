//! The plan of an import. Its rules are a JSON text; its media are taken from Python's objects one by one, since a project
//! may have many.

use std::collections::HashSet;
use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use ropewalk_core::plan::{AudioFormat, DataType, DataUnit, Medium, Plan as CorePlan, Space, StorageItem};
use ropewalk_core::resolve::Resolver;

use crate::errors::to_py;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Plan>()
}

/// A space of a data group: as a medium, the group's number, its name in the layout, and what else label rows have of it.
type GivenSpace<'py> = (Bound<'py, PyAny>, u32, Option<String>, String);

/// Index of a medium in the plan, of an image in it, the frame that its name gives, and the pattern by which the name would lead to one.
type FoundMedium = (Option<u32>, Option<u32>, Option<i64>, Option<String>);

/// What an import is to do, and the project that it is for.
#[pyclass(module = "ropewalk._core", frozen)]
pub(crate) struct Plan(pub Arc<CorePlan>);

#[pymethods]
impl Plan {
    #[new]
    fn new(
        py: Python<'_>,
        rules: &str,
        media: &Bound<'_, PyTuple>,
        keys: &Bound<'_, PyList>,
        spaces: Vec<GivenSpace<'_>>,
    ) -> PyResult<Self> {
        let mut plan = CorePlan::from_json(rules).map_err(|e| to_py(py, e))?;
        let mut shared = Shared::default();
        plan.media.reserve_exact(media.len() + spaces.len());
        for (medium, key) in media.iter().zip(keys) {
            let key: Option<String> = key.extract()?;
            plan.media.push(Medium {
                key: key.map(String::into_boxed_str),
                ..shared.medium(&medium)?
            });
        }
        for (medium, group, layout_key, info) in spaces {
            let info = serde_json::value::RawValue::from_string(info);
            let info = info.map_err(|e| pyo3::exceptions::PyValueError::new_err(e.to_string()))?;
            let space = Space {
                group,
                layout_key,
                info,
            };
            plan.media.push(Medium {
                space: Some(Box::new(space)),
                ..shared.medium(&medium)?
            });
        }
        Ok(Self(Arc::new(plan)))
    }

    /// Tells for each name of a medium where it leads by itself.
    fn find_media(&self, py: Python<'_>, names: Vec<String>) -> PyResult<Vec<FoundMedium>> {
        let found = py.detach(|| {
            let mut rules = Resolver::new(&self.0)?;
            Ok(names.iter().map(|name| rules.find_medium(name)).collect::<Vec<_>>())
        });
        let found = found.map_err(|e| to_py(py, e))?.into_iter();
        Ok(found
            .map(|one| (one.medium, one.image, one.frame, one.pattern))
            .collect())
    }
}

/// Texts that many media share.
#[derive(Default)]
struct Shared(HashSet<Arc<str>>);

impl Shared {
    /// `ropewalk.project.snapshot.Medium` as the core has it.
    fn medium(&mut self, medium: &Bound<'_, PyAny>) -> PyResult<Medium> {
        let py = medium.py();
        let data_type = text(medium, intern!(py, "data_type"))?;
        let file_type = self.optional(medium, intern!(py, "file_type"))?;
        let images = medium.getattr(intern!(py, "images"))?;
        let images = images.cast::<PyTuple>()?;
        Ok(Medium {
            data_hash: text(medium, intern!(py, "data_hash"))?,
            title: text(medium, intern!(py, "title"))?,
            key: None,
            storage_item: storage_item(medium)?,
            data_type: match file_type.as_deref() {
                // Labels of an HTML document lie on its nodes, not on characters.
                Some("text/html") => DataType::Other,
                _ => DataType::named(&data_type.to_ascii_lowercase()),
            },
            file_type,
            dataset_hash: self.text(medium, intern!(py, "dataset_hash"))?,
            dataset_title: self.text(medium, intern!(py, "dataset_title"))?,
            width: medium.getattr(intern!(py, "width"))?.extract()?,
            height: medium.getattr(intern!(py, "height"))?.extract()?,
            frames: medium.getattr(intern!(py, "number_of_frames"))?.extract()?,
            fps: medium.getattr(intern!(py, "frames_per_second"))?.extract()?,
            duration: medium.getattr(intern!(py, "duration"))?.extract()?,
            audio: audio_format(medium)?,
            units: images.iter().map(|image| self.unit(&image)).collect::<PyResult<_>>()?,
            space: None,
        })
    }

    /// `ropewalk.project.snapshot.MediumImage` as the core has it.
    fn unit(&mut self, image: &Bound<'_, PyAny>) -> PyResult<DataUnit> {
        let py = image.py();
        Ok(DataUnit {
            data_hash: text(image, intern!(py, "image_hash"))?,
            title: text(image, intern!(py, "title"))?,
            file_type: self.optional(image, intern!(py, "file_type"))?,
            width: image.getattr(intern!(py, "width"))?.extract()?,
            height: image.getattr(intern!(py, "height"))?.extract()?,
        })
    }

    fn text(&mut self, of: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<Arc<str>> {
        let value = of.getattr(name)?;
        Ok(self.share(value.cast::<PyString>()?.to_str()?))
    }

    fn optional(&mut self, of: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<Option<Arc<str>>> {
        let value = of.getattr(name)?;
        if value.is_none() {
            return Ok(None);
        }
        Ok(Some(self.share(value.cast::<PyString>()?.to_str()?)))
    }

    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }
}

fn text(of: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<Box<str>> {
    let value = of.getattr(name)?;
    Ok(value.cast::<PyString>()?.to_str()?.into())
}

fn storage_item(medium: &Bound<'_, PyAny>) -> PyResult<Option<StorageItem>> {
    let item = medium.getattr(intern!(medium.py(), "backing_item_uuid"))?;
    if item.is_none() {
        return Ok(None);
    }
    Ok(StorageItem::parse(item.cast::<PyString>()?.to_str()?))
}

/// How sound was recorded; none where nothing is known.
fn audio_format(medium: &Bound<'_, PyAny>) -> PyResult<Option<Box<AudioFormat>>> {
    let py = medium.py();
    let format = AudioFormat {
        codec: medium.getattr(intern!(py, "audio_codec"))?.extract()?,
        sample_rate: medium.getattr(intern!(py, "audio_sample_rate"))?.extract()?,
        bit_depth: medium.getattr(intern!(py, "audio_bit_depth"))?.extract()?,
        num_channels: medium.getattr(intern!(py, "audio_num_channels"))?.extract()?,
    };
    Ok((format != AudioFormat::default()).then(|| Box::new(format)))
}
