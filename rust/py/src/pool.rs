//! The threads that all calls share.

use std::sync::{Arc, Mutex, OnceLock};
use std::thread::available_parallelism;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// The pool, and the process that it was started in.
static COMMON: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// The common pool of this process, with a thread for each processor.
///
/// A process that was forked has none of its parent's threads, but all of their locks: a pool of the parent, such as rayon's
/// own global one, would be waited for without end. So each process starts its own.
pub(crate) fn common() -> Result<Arc<ThreadPool>, ThreadPoolBuildError> {
    // Not `lock`: a thread that held it when the process was forked is not there to give it back.
    let Ok(mut common) = COMMON.try_lock() else {
        return start();
    };
    let process = std::process::id();
    if let Some((owner, pool)) = common.as_ref() {
        if *owner == process {
            return Ok(Arc::clone(pool));
        }
    }
    let pool = start()?;
    // The parent's pool is not dropped: that would talk to its threads.
    std::mem::forget(common.replace((process, Arc::clone(&pool))));
    Ok(pool)
}

fn start() -> Result<Arc<ThreadPool>, ThreadPoolBuildError> {
    let pool = ThreadPoolBuilder::new().num_threads(processors()).build()?;
    Ok(Arc::new(pool))
}

/// Processors at hand: more threads only wait for each other. Asked once, as the system reads files to tell; first of all when
/// the module is loaded, so that no process is forked meanwhile.
pub(crate) fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| available_parallelism().map_or(1, usize::from))
}
