//! The geometry of a row in COCO's terms: boxes and areas in px, rings, column-major run lengths, keypoints.

use std::borrow::Cow;

use crate::batch::{Annotation, Points, RleOrder, Shape, Unit};
use crate::polygon::{doubled_area, extent};
use crate::reject::Reason;
use crate::rle::{ColumnMajor, Rle, RleError, RowMajor, Scratch, Size};

/// Width and height of an image, px; neither is 0.
pub(super) type SizeWh = (u32, u32);

/// x and y are multiplied with these. 1 leaves px as they are, bit for bit.
type Scale = (f64, f64);

/// Flags of keypoints. Encord tells a point that its own object hides from one that another hides; COCO knows hidden
/// points only.
const HIDDEN: u8 = 1;
const HIDDEN_BY_ITSELF: u8 = 3;
const VISIBLE: u8 = 2;

/// A row's geometry, in px and finite.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    /// x, y, w, h; of a rotated box before it is rotated.
    pub bbox: [f64; 4],
    /// px^2.
    pub area: f64,
    /// What the shape has besides its box.
    pub drawn: Drawn<'a>,
}

#[derive(Debug)]
pub(super) enum Drawn<'a> {
    /// Nothing.
    Box,
    /// Rings of a polygon without holes, each x y x y ...
    Rings(Vec<Vec<f64>>),
    /// A mask as COCO's run-length string.
    Mask { size: Size, counts: Cow<'a, [u8]> },
    /// x y x y ... and a flag for each point.
    Keypoints { coords: Vec<f64>, flags: Vec<u8> },
}

/// The size that a row tells of its image.
pub(super) fn size_of(row: &Annotation<'_>) -> Option<SizeWh> {
    known_size(row.width_px, row.height_px)
}

/// A size of which both sides are known, and not 0.
pub(super) fn known_size(width: Option<u32>, height: Option<u32>) -> Option<SizeWh> {
    width.zip(height).filter(|&(width, height)| width > 0 && height > 0)
}

/// Lays a row's geometry on its image.
///
/// `row` is an object, not a polyline; `size` is that of the image, where anybody knows it.
///
/// # Errors
/// A mask that does not fit the image, fractions of an image without a size, an object without geometry, numbers that
/// are not finite.
pub(super) fn place<'a>(
    row: &Annotation<'a>,
    size: Option<SizeWh>,
    scratch: &mut Scratch,
) -> Result<Placed<'a>, Reason> {
    finite(row.score.as_slice(), "score")?;
    let scale = scale(row, size)?;
    let own_box = row.bbox.map(|[x, y, w, h]| {
        let (sx, sy) = scale;
        [x * sx, y * sy, w * sx, h * sy]
    });
    let points = row.points.filter(|points| points.parts.len() > 1);
    let mut placed = match (row.shape, row.rle, points) {
        (Some(Shape::Bitmask), Some(rle), _) => mask(row, rle, size, scratch)?,
        (Some(Shape::Skeleton | Shape::Point), ..) => keypoints(row, scale)?,
        (Some(Shape::Circle | Shape::Ellipse), ..) => return around(row, scale),
        (Some(Shape::Polygon), _, Some(points)) => polygon(row, points, size, scale)?,
        _ => Placed {
            bbox: own_box.ok_or(Reason::NoGeometry)?,
            area: 0.0,
            drawn: Drawn::Box,
        },
    };
    placed.bbox = own_box.unwrap_or(placed.bbox);
    if matches!(placed.drawn, Drawn::Box | Drawn::Keypoints { .. }) {
        placed.area = placed.bbox[2] * placed.bbox[3];
    }
    if row.shape == Some(Shape::RotatableBoundingBox) {
        finite(row.theta.as_slice(), "theta")?;
    }
    placed.checked()
}

impl Placed<'_> {
    fn checked(self) -> Result<Self, Reason> {
        finite(&self.bbox, "box")?;
        finite(&[self.area], "area")?;
        if let Drawn::Keypoints { coords, .. } = &self.drawn {
            finite(coords, "points")?;
        }
        Ok(self)
    }
}

fn finite(values: &[f64], field: &'static str) -> Result<(), Reason> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Reason::NotFinite { field })
}

fn scale(row: &Annotation<'_>, size: Option<SizeWh>) -> Result<Scale, Reason> {
    let own = size_of(row);
    if row.unit == Unit::Frac {
        let (w, h) = size.or(own).ok_or_else(|| no_size(row))?;
        return Ok((w.into(), h.into()));
    }
    match size.zip(own) {
        // A mask's size is its own, and has to be the image's.
        Some(((w, h), own)) if (w, h) != own && row.shape != Some(Shape::Bitmask) => {
            Ok((f64::from(w) / f64::from(own.0), f64::from(h) / f64::from(own.1)))
        }
        _ => Ok((1.0, 1.0)),
    }
}

fn no_size(row: &Annotation<'_>) -> Reason {
    Reason::NoSize {
        media: row.media.to_owned(),
    }
}

fn bad_rle(error: &RleError) -> Reason {
    Reason::BadRle {
        code: error.code(),
        message: error.to_string(),
    }
}

fn size_hw((w, h): SizeWh) -> Result<Size, Reason> {
    Size::new(h.into(), w.into()).map_err(|error| bad_rle(&error))
}

fn mask<'a>(
    row: &Annotation<'a>,
    rle: &'a [u8],
    size: Option<SizeWh>,
    scratch: &mut Scratch,
) -> Result<Placed<'a>, Reason> {
    let own = size_of(row).or(size).ok_or_else(|| no_size(row))?;
    if let Some((w, h)) = size.filter(|&size| size != own) {
        return Err(Reason::MaskSize {
            mask: (own.1, own.0),
            media: (h, w),
        });
    }
    let size = size_hw(own)?;
    let error = |error: RleError| bad_rle(&error);
    Ok(if row.rle_order == Some(RleOrder::RowMajor) {
        let rows = Rle::<RowMajor>::from_string(rle, size).map_err(error)?;
        of_mask(&rows.transpose_with(scratch).map_err(error)?, None)
    } else {
        of_mask(&Rle::from_string(rle, size).map_err(error)?, Some(rle))
    })
}

/// Box and area of a mask; `counts` is its string where there is one.
fn of_mask<'a>(mask: &Rle<ColumnMajor>, counts: Option<&'a [u8]>) -> Placed<'a> {
    let counts = counts.map_or_else(
        || {
            let mut counts = Vec::new();
            mask.to_string_into(&mut counts);
            Cow::Owned(counts)
        },
        Cow::Borrowed,
    );
    Placed {
        bbox: mask.bbox().unwrap_or_default().map(f64::from),
        area: mask.area() as f64,
        drawn: Drawn::Mask {
            size: mask.size(),
            counts,
        },
    }
}

fn polygon<'a>(
    row: &Annotation<'_>,
    points: Points<'_>,
    size: Option<SizeWh>,
    scale: Scale,
) -> Result<Placed<'a>, Reason> {
    let parts: Vec<Vec<Vec<f64>>> = points
        .iter()
        .map(|part| part.map(|ring| scaled(ring, scale)).collect())
        .collect();
    for ring in parts.iter().flatten() {
        if ring.len() < 6 {
            return Err(Reason::BadPolygon {
                coordinates: ring.len(),
            });
        }
    }
    for ring in parts.iter().flatten() {
        finite(ring, "points")?;
    }
    if parts.iter().any(|part| part.len() > 1) {
        let size = size.ok_or_else(|| no_size(row))?;
        return Ok(of_mask(&filled(&parts, size_hw(size)?)?, None));
    }
    let rings: Vec<Vec<f64>> = parts.into_iter().flatten().collect();
    Ok(Placed {
        bbox: extent(rings.iter().map(Vec::as_slice)).ok_or(Reason::NoGeometry)?,
        area: rings.iter().map(|ring| doubled_area(ring).abs() / 2.0).sum(),
        drawn: Drawn::Rings(rings),
    })
}

/// Draws parts with holes as a mask: COCO's rings are all filled.
fn filled(parts: &[Vec<Vec<f64>>], size: Size) -> Result<Rle<ColumnMajor>, Reason> {
    let mut drawn = Vec::with_capacity(parts.len());
    for (number, part) in parts.iter().enumerate() {
        let mut rings = part.iter().map(Vec::as_slice);
        let outer = rings.next().unwrap_or_default();
        let holes: Vec<&[f64]> = rings.collect();
        drawn.push(Rle::from_part(outer, &holes, size).map_err(|error| Reason::BadRle {
            code: error.code(),
            message: format!("part {number} of the polygon: {error}"),
        })?);
    }
    Rle::union_of(drawn, size).map_err(|error| bad_rle(&error))
}

fn scaled(coords: &[f64], (sx, sy): Scale) -> Vec<f64> {
    let mut coords = coords.to_vec();
    for point in coords.chunks_exact_mut(2) {
        point[0] *= sx;
        point[1] *= sy;
    }
    coords
}

/// The coordinates of all rings of a row; none where it has no points.
fn all_coords(row: &Annotation<'_>) -> Vec<f64> {
    let points = row.points.iter().flat_map(|points| points.iter().flatten());
    points.flatten().copied().collect()
}

fn keypoints<'a>(row: &Annotation<'_>, scale: Scale) -> Result<Placed<'a>, Reason> {
    let coords = scaled(&all_coords(row), scale);
    let n = coords.len() / 2;
    let flags = match row.visibility {
        None | Some([]) => vec![VISIBLE; n],
        Some(flags) => flags
            .iter()
            .map(|&flag| if flag == HIDDEN_BY_ITSELF { HIDDEN } else { flag })
            .collect(),
    };
    if n > 0 && flags.len() != n {
        return Err(Reason::BadField {
            field: "visibility",
            expected: "one flag for each point",
            found: format!("{} flags for {n} points", flags.len()),
        });
    }
    // Points that are not in the picture may lie anywhere.
    let all_unseen = flags.iter().all(|&flag| flag == 0);
    let points = coords.chunks_exact(2).zip(&flags);
    let seen = points.filter(|(_, &flag)| all_unseen || flag != 0);
    Ok(Placed {
        bbox: extent(seen.map(|(point, _)| point)).ok_or(Reason::NoGeometry)?,
        area: 0.0,
        drawn: Drawn::Keypoints { coords, flags },
    })
}

/// The box around a circle or ellipse. Where it has `points`, these are centre and radii as Encord has them.
fn around<'a>(row: &Annotation<'_>, (sx, sy): Scale) -> Result<Placed<'a>, Reason> {
    let centre_and_radii: Option<[f64; 4]> = all_coords(row).try_into().ok();
    let (x, y, rx, ry) = match (centre_and_radii, row.bbox) {
        (Some([x, y, first, second]), _) => {
            let rx = first * sx;
            // The second radius of a circle is in first ones, both in px.
            let is_circle = row.shape == Some(Shape::Circle);
            (x * sx, y * sy, rx, if is_circle { rx * second } else { second * sy })
        }
        (None, Some([x, y, w, h])) => ((x + w / 2.0) * sx, (y + h / 2.0) * sy, w / 2.0 * sx, h / 2.0 * sy),
        (None, None) => return Err(Reason::NoGeometry),
    };
    let (sin, cos) = row.theta.unwrap_or_default().to_radians().sin_cos();
    let (half_w, half_h) = ((rx * cos).hypot(ry * sin), (rx * sin).hypot(ry * cos));
    Placed {
        bbox: [x - half_w, y - half_h, 2.0 * half_w, 2.0 * half_h],
        area: std::f64::consts::PI * rx * ry,
        drawn: Drawn::Box,
    }
    .checked()
}
