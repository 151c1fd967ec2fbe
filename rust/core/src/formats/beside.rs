//! Files beside the sources, such as the one with the images and categories: read once for all sources that name them.

use std::any::Any;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;

/// What readers made of the files beside their sources.
#[derive(Debug, Default)]
pub struct Beside(Mutex<HashMap<PathBuf, Arc<dyn Any + Send + Sync>>>);

impl Beside {
    /// What `read` makes of the file at `path`, from the first time on.
    ///
    /// # Errors
    /// Those of `read`; a later source tries again.
    pub fn get<T: Any + Send + Sync>(&self, path: &Path, read: impl FnOnce(&Path) -> Result<T>) -> Result<Arc<T>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another format may have made something else of the same file.
        if let Some(found) = known.get(path).and_then(|found| Arc::clone(found).downcast().ok()) {
            return Ok(found);
        }
        let made = Arc::new(read(path)?);
        known.insert(path.to_owned(), Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        Ok(made)
    }
}
