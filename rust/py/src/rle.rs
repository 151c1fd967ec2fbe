//! Run-length encoded masks: batches in, batches out, with the GIL released.
//!
//! `ropewalk.rle` is the public face; the functions here take what it has already brought into shape.

use std::cell::Cell;

use numpy::ndarray::aview2;
use numpy::{
    PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2, PyUntypedArrayMethods, ToPyArray,
};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyString};
use pyo3::Borrowed;
use rayon::prelude::*;
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use ropewalk_core::rle::{
    encode_above, encode_mask, read_dense, transpose_string, ColumnMajor, MemoryOrder, Order, Outlines, Rle, RleError,
    RowMajor, Scratch, Size,
};

use crate::counts::Counts;
use crate::errors::{item_error, ItemError};
use crate::{memory, pool};

/// (h, w), px, as declared.
type DeclaredSize = (u64, u64);

fn read_counts<'py>(counts: &'py [Bound<'py, PyAny>]) -> PyResult<Vec<Counts<'py>>> {
    counts.iter().map(Counts::read).collect()
}

/// Memory that a thread keeps between calls, bytes.
const MAX_KEPT_BYTES: usize = 32 << 20;

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
    static TEXT: Cell<Vec<u8>> = Cell::default();
}

/// Lends the thread's scratch memory.
fn with_scratch<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH.take();
    let result = work(&mut scratch);
    scratch.release_above(MAX_KEPT_BYTES);
    SCRATCH.set(scratch);
    result
}

/// Maps items in parallel without the GIL; the first error by index is raised.
fn map_items<T: Sync, R: Send>(
    py: Python<'_>,
    items: &[T],
    threads: Option<usize>,
    work: impl Fn(&mut Scratch, &T) -> Result<R, ItemError> + Sync,
) -> PyResult<Vec<R>> {
    let results = py
        .detach(|| run(items, threads, &work))
        .map_err(|error| PyRuntimeError::new_err(format!("cannot start {threads:?} threads: {error}")))?;
    let result = |(index, result): (usize, Result<R, ItemError>)| {
        result.map_err(|error| item_error(py, &error, index, items.len()))
    };
    results.into_iter().enumerate().map(result).collect()
}

/// Runs on the calling thread, on a pool of `threads`, or on the common one if that has no more.
fn run<T: Sync, R: Send>(
    items: &[T],
    threads: Option<usize>,
    work: impl Fn(&mut Scratch, &T) -> Result<R, ItemError> + Sync,
) -> Result<Vec<Result<R, ItemError>>, ThreadPoolBuildError> {
    let one = |item| with_scratch(|scratch| work(scratch, item));
    let parallel = || {
        // Else what one thread makes and another one frees goes back to the system each time.
        memory::keep_blocks();
        items.par_iter().map(one).collect()
    };
    let processors = pool::processors();
    let threads = threads.unwrap_or(processors);
    match threads.min(items.len()) {
        0 | 1 => Ok(items.iter().map(one).collect()),
        few if threads < processors => Ok(ThreadPoolBuilder::new().num_threads(few).build()?.install(parallel)),
        // To start a pool of as many threads as the common one has would take longer than many masks do.
        _ => Ok(pool::common()?.install(parallel)),
    }
}

/// ASCII by construction.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

fn size((h, w): DeclaredSize) -> Result<Size, RleError> {
    Size::new(h, w)
}

/// Rewrites run lengths in the other pixel order: COCO to Encord, or back with `from_rows`.
#[pyfunction]
fn rle_transpose(
    py: Python<'_>,
    counts: Vec<Bound<'_, PyAny>>,
    sizes: Vec<DeclaredSize>,
    from_rows: bool,
    threads: Option<usize>,
) -> PyResult<Vec<String>> {
    let items: Vec<_> = read_counts(&counts)?.into_iter().zip(sizes).collect();
    map_items(py, &items, threads, |scratch, (counts, declared)| {
        let mut out = Vec::new();
        transpose(counts, *declared, from_rows, scratch, &mut out)?;
        Ok(text(out))
    })
}

/// As [`rle_transpose`] for one mask.
#[pyfunction]
fn rle_transpose_one(
    py: Python<'_>,
    counts: &Bound<'_, PyAny>,
    size: DeclaredSize,
    from_rows: bool,
) -> PyResult<Py<PyString>> {
    let counts = Counts::read(counts)?;
    let mut out = TEXT.take();
    out.clear();
    let result = py.detach(|| with_scratch(|scratch| transpose(&counts, size, from_rows, scratch, &mut out)));
    let string = match result {
        Ok(()) => PyString::from_bytes(py, &out).map(Bound::unbind),
        Err(error) => Err(item_error(py, &error.into(), 0, 1)),
    };
    if out.capacity() <= MAX_KEPT_BYTES {
        TEXT.set(out);
    }
    string
}

fn transpose(
    counts: &Counts<'_>,
    declared: DeclaredSize,
    from_rows: bool,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RleError> {
    fn one<O: Order>(
        counts: &Counts<'_>,
        size: Size,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RleError> {
        match counts {
            Counts::Text(string) => transpose_string::<O>(string, size, scratch, out)?,
            Counts::List(runs) => Rle::<O>::from_counts(runs, size)?
                .transpose_with(scratch)?
                .to_string_into(out),
            Counts::Wrong(error) => return Err(error.clone()),
        }
        Ok(())
    }
    let size = size(declared)?;
    if from_rows {
        one::<RowMajor>(counts, size, scratch, out)
    } else {
        one::<ColumnMajor>(counts, size, scratch, out)
    }
}

/// How a mask without gaps lies in memory.
fn memory_order(c_contiguous: bool) -> MemoryOrder {
    if c_contiguous {
        MemoryOrder::C
    } else {
        MemoryOrder::F
    }
}

/// A dense array without gaps: its elements, its shape, and their order.
type Lying<'a, T> = (&'a [T], DeclaredSize, MemoryOrder);

fn lying<'a, T: numpy::Element>(arrays: &'a [PyReadonlyArray2<'_, T>]) -> PyResult<Vec<Lying<'a, T>>> {
    let lies = |array: &'a PyReadonlyArray2<'_, T>| {
        let (h, w) = array.as_array().dim();
        let memory = memory_order(array.is_c_contiguous());
        Ok((array.as_slice()?, (h as u64, w as u64), memory))
    };
    arrays.iter().map(lies).collect()
}

/// Encodes dense masks without gaps, in C or Fortran order.
#[pyfunction]
fn rle_encode(
    py: Python<'_>,
    masks: Vec<PyReadonlyArray2<'_, u8>>,
    to_rows: bool,
    threads: Option<usize>,
) -> PyResult<Vec<String>> {
    map_items(py, &lying(&masks)?, threads, |scratch, (mask, declared, memory)| {
        let size = size(*declared)?;
        let mut out = Vec::new();
        if to_rows {
            encode_mask::<RowMajor>(mask, size, *memory, scratch, &mut out)?;
        } else {
            encode_mask::<ColumnMajor>(mask, size, *memory, scratch, &mut out)?;
        }
        Ok(text(out))
    })
}

/// Encodes, along the rows, the masks of what is above a threshold in arrays without gaps, in C or Fortran order.
#[pyfunction]
fn rle_encode_above(
    py: Python<'_>,
    scores: Vec<PyReadonlyArray2<'_, f32>>,
    threshold: f32,
    threads: Option<usize>,
) -> PyResult<Vec<String>> {
    map_items(py, &lying(&scores)?, threads, |scratch, (scores, declared, memory)| {
        let mut out = Vec::new();
        encode_above::<RowMajor>(scores, threshold, size(*declared)?, *memory, scratch, &mut out)?;
        Ok(text(out))
    })
}

/// Decodes run lengths into `out`, arrays without gaps in C or Fortran order, or into new ones in C order.
///
/// All run lengths are checked before the first array is made or written.
#[pyfunction]
fn rle_decode<'py>(
    py: Python<'py>,
    counts: Vec<Bound<'py, PyAny>>,
    sizes: Vec<DeclaredSize>,
    out: Option<Vec<Bound<'py, PyArray2<u8>>>>,
    from_rows: bool,
    threads: Option<usize>,
) -> PyResult<Vec<Bound<'py, PyArray2<u8>>>> {
    if from_rows {
        decode::<RowMajor>(py, &counts, sizes, out, threads)
    } else {
        decode::<ColumnMajor>(py, &counts, sizes, out, threads)
    }
}

fn decode<'py, O: Order>(
    py: Python<'py>,
    counts: &[Bound<'py, PyAny>],
    sizes: Vec<DeclaredSize>,
    out: Option<Vec<Bound<'py, PyArray2<u8>>>>,
    threads: Option<usize>,
) -> PyResult<Vec<Bound<'py, PyArray2<u8>>>> {
    let items: Vec<_> = read_counts(counts)?.into_iter().zip(sizes).collect();
    let masks = map_items(py, &items, threads, |_, (counts, declared)| {
        let mask = counts.decode::<O>(size(*declared)?)?;
        mask.check_dense()?;
        Ok(mask)
    })?;
    let out = match out {
        Some(out) => out,
        None => masks
            .iter()
            .map(|mask| unwritten(py, mask.size()))
            .collect::<PyResult<_>>()?,
    };
    let mut buffers = out
        .iter()
        .map(|array| {
            array
                .try_readwrite()
                .map_err(|error| PyValueError::new_err(format!("out: {error}")))
        })
        .collect::<PyResult<Vec<PyReadwriteArray2<'_, u8>>>>()?;
    // The locks are never waited for: they let a shared batch hand out its buffers to be written.
    let jobs = masks
        .iter()
        .zip(&mut buffers)
        .map(|(mask, buffer)| {
            let memory = memory_order(buffer.is_c_contiguous());
            Ok((mask, std::sync::Mutex::new(buffer.as_slice_mut()?), memory))
        })
        .collect::<PyResult<Vec<_>>>()?;
    map_items(py, &jobs, threads, |_, (mask, buffer, memory)| {
        let mut buffer = buffer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(mask.decode_into(&mut buffer, *memory)?)
    })?;
    drop(jobs);
    drop(buffers);
    Ok(out)
}

/// As [`rle_decode`] for one mask.
#[pyfunction]
fn rle_decode_one<'py>(
    py: Python<'py>,
    counts: Bound<'py, PyAny>,
    size: DeclaredSize,
    out: Option<Bound<'py, PyArray2<u8>>>,
    from_rows: bool,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    if from_rows {
        decode_one::<RowMajor>(py, counts, size, out)
    } else {
        decode_one::<ColumnMajor>(py, counts, size, out)
    }
}

fn decode_one<'py, O: Order>(
    py: Python<'py>,
    counts: Bound<'py, PyAny>,
    declared: DeclaredSize,
    out: Option<Bound<'py, PyArray2<u8>>>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let Counts::Text(string) = Counts::read(&counts)? else {
        let masks = decode::<O>(py, &[counts], vec![declared], out.map(|out| vec![out]), Some(1))?;
        return masks
            .into_iter()
            .next()
            .ok_or_else(|| PyRuntimeError::new_err("no mask"));
    };
    let error = |error: RleError| item_error(py, &error.into(), 0, 1);
    let size = size(declared).map_err(error)?;
    let memory = memory_order(out.as_ref().is_none_or(|out| out.is_c_contiguous()));
    with_scratch(|scratch| {
        let dense = py
            .detach(|| read_dense::<O>(&string, size, memory, scratch))
            .map_err(error)?;
        let out = out.map_or_else(|| unwritten(py, size), Ok)?;
        let mut buffer = out
            .try_readwrite()
            .map_err(|error| PyValueError::new_err(format!("out: {error}")))?;
        let pixels = buffer.as_slice_mut()?;
        py.detach(|| dense.write(pixels)).map_err(error)?;
        drop(buffer);
        Ok(out)
    })
}

/// A new array, not zeroed: every byte is going to be written.
fn unwritten<'py>(py: Python<'py>, size: Size) -> PyResult<Bound<'py, PyArray2<u8>>> {
    static EMPTY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let array = EMPTY
        .import(py, "numpy", "empty")?
        .call1(((size.h(), size.w()), "uint8"))?;
    Ok(array.cast_into()?)
}

/// A ring's coordinates, x y x y ... in px.
enum Ring<'py> {
    Array(PyReadonlyArray1<'py, f64>),
    List(Vec<f64>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Ring<'py> {
    type Error = PyErr;

    fn extract(ring: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match ring.cast::<PyList>() {
            Ok(list) => list
                .iter()
                .map(|value| value.extract())
                .collect::<PyResult<_>>()
                .map(Self::List),
            Err(_) => Ok(Self::Array(ring.extract()?)),
        }
    }
}

impl Ring<'_> {
    fn coordinates(&self) -> PyResult<&[f64]> {
        match self {
            Self::Array(array) => Ok(array.as_slice()?),
            Self::List(values) => Ok(values),
        }
    }
}

/// Draws parts (outer ring, holes ...; x y x y ... in px) and unites the parts of each item.
#[pyfunction]
fn rle_from_parts(
    py: Python<'_>,
    items: Vec<Vec<Vec<Ring<'_>>>>,
    sizes: Vec<DeclaredSize>,
    threads: Option<usize>,
) -> PyResult<Vec<String>> {
    let mut jobs = Vec::with_capacity(items.len());
    for (parts, size) in items.iter().zip(sizes) {
        let parts = parts
            .iter()
            .map(|rings| rings.iter().map(Ring::coordinates).collect::<PyResult<Vec<_>>>())
            .collect::<PyResult<Vec<_>>>()?;
        jobs.push((parts, size));
    }
    map_items(py, &jobs, threads, |scratch, (parts, declared)| {
        let size = size(*declared)?;
        let mut drawn = Vec::with_capacity(parts.len());
        for (place, rings) in parts.iter().enumerate() {
            let (outer, holes): (&[f64], _) = rings
                .split_first()
                .map_or((&[], &[][..]), |(outer, holes)| (outer, holes));
            drawn.push(Rle::from_part(outer, holes, size).map_err(|error| ItemError::Polygon(place, error))?);
        }
        Ok(Rle::union_of(drawn, size)?.transpose_with(scratch)?.to_rle_string())
    })
}

/// A mask's parts, each the list of its rings as (n, 2) arrays, the outer one first.
type Parts<'py> = Vec<Vec<Bound<'py, PyArray2<f64>>>>;

/// Follows pixel edges: for each mask its parts, each a list of (n, 2) rings, the outer one first.
#[pyfunction]
fn rle_to_parts<'py>(
    py: Python<'py>,
    rle_strings: Vec<Bound<'py, PyAny>>,
    sizes: Vec<DeclaredSize>,
    threads: Option<usize>,
) -> PyResult<Vec<Parts<'py>>> {
    let items: Vec<_> = read_counts(&rle_strings)?.into_iter().zip(sizes).collect();
    let masks = map_items(py, &items, threads, |scratch, (counts, declared)| {
        Ok(counts.decode::<RowMajor>(size(*declared)?)?.to_outlines(scratch))
    })?;
    masks.iter().map(|outlines| part_arrays(py, outlines)).collect()
}

fn part_arrays<'py>(py: Python<'py>, outlines: &Outlines) -> PyResult<Parts<'py>> {
    let mut parts: Parts<'py> = Vec::with_capacity(outlines.parts());
    for (part, corners) in outlines.rings() {
        let array = aview2(corners).to_pyarray(py);
        match parts.get_mut(part) {
            Some(rings) => rings.push(array),
            None => parts.push(vec![array]),
        }
    }
    Ok(parts)
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(rle_transpose, m)?)?;
    m.add_function(wrap_pyfunction!(rle_transpose_one, m)?)?;
    m.add_function(wrap_pyfunction!(rle_encode, m)?)?;
    m.add_function(wrap_pyfunction!(rle_encode_above, m)?)?;
    m.add_function(wrap_pyfunction!(rle_decode, m)?)?;
    m.add_function(wrap_pyfunction!(rle_decode_one, m)?)?;
    m.add_function(wrap_pyfunction!(rle_from_parts, m)?)?;
    m.add_function(wrap_pyfunction!(rle_to_parts, m)?)?;
    Ok(())
}
