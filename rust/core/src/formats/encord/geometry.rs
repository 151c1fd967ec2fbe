//! The geometry of an object on a frame, in the IR's columns.

use serde::Deserialize;

use crate::batch::{Annotation, Points, RleOrder, Shape, Unit};
use crate::json::Entries;

/// An object on a frame.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    pub object_hash: String,
    pub feature_hash: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub confidence: Option<f64>,
    #[serde(default)]
    pub is_deleted: Option<bool>,
    bounding_box: Option<Box>,
    rotatable_bounding_box: Option<Box>,
    polygon: Option<Ring>,
    polygons: Option<Vec<Vec<Vec<f64>>>>,
    polyline: Option<Ring>,
    point: Option<Ring>,
    bitmask: Option<Bitmask>,
    skeleton: Option<Entries<Vertex>>,
    circle: Option<Circle>,
    ellipse: Option<Ellipse>,
    #[serde(rename = "cuboid_2d")]
    cuboid: Option<Cuboid>,
}

#[derive(Debug, Deserialize)]
struct Box {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
    #[serde(default)]
    theta: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Point {
    x: f64,
    y: f64,
}

/// Points under their numbers, or one after the other.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Ring {
    Listed(Vec<Point>),
    Numbered(Entries<Point>),
}

impl Ring {
    fn flat(&self) -> Option<Vec<f64>> {
        match self {
            Self::Listed(points) => Some(points.iter().flat_map(|point| [point.x, point.y]).collect()),
            Self::Numbered(points) => {
                let points = in_order(points)?;
                Some(points.iter().flat_map(|point| [point.x, point.y]).collect())
            }
        }
    }
}

/// What stands under 0, 1, 2, ... in the order of these numbers.
fn in_order<T>(entries: &Entries<T>) -> Option<Vec<&T>> {
    let mut numbered = Vec::with_capacity(entries.0.len());
    for (number, value) in &entries.0 {
        numbered.push((number.parse::<usize>().ok()?, value));
    }
    numbered.sort_by_key(|(number, _)| *number);
    let complete = numbered.iter().enumerate().all(|(at, (number, _))| at == *number);
    complete.then(|| numbered.into_iter().map(|(_, value)| value).collect())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bitmask {
    height: u32,
    width: u32,
    rle_string: String,
    #[serde(default)]
    top: f64,
    #[serde(default)]
    left: f64,
}

#[derive(Debug, Deserialize)]
struct Vertex {
    x: f64,
    y: f64,
    #[serde(default)]
    visibility: Option<Visibility>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Visibility {
    Invisible,
    Occluded,
    Visible,
    SelfOccluded,
}

#[derive(Debug, Deserialize)]
struct Circle {
    x: f64,
    y: f64,
    r: f64,
    #[serde(default = "one")]
    stretch: f64,
    #[serde(default)]
    theta: f64,
}

#[derive(Debug, Deserialize)]
struct Ellipse {
    x: f64,
    y: f64,
    rx: f64,
    ry: f64,
    #[serde(default)]
    theta: f64,
}

/// A cuboid on a picture: its back lies at an offset, or recedes to a vanishing point.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cuboid {
    front: Vec<f64>,
    offset: Option<Point>,
    vanishing_point: Option<Point>,
    scale_ratio: Option<f64>,
}

impl Cuboid {
    fn draw(&self) -> Result<Drawn, &'static str> {
        let front = Drawn::of(Shape::Cuboid2d).ring(&self.front);
        match (&self.vanishing_point, self.scale_ratio, &self.offset) {
            (Some(point), Some(ratio), _) => Ok(front.ring(&[point.x, point.y]).ring(&[ratio, ratio]).part()),
            (None, _, Some(offset)) => Ok(front.ring(&[offset.x, offset.y]).part()),
            _ => Err("its back has no offset, and no vanishing point with a scale"),
        }
    }
}

fn one() -> f64 {
    1.0
}

/// Geometry with memory of its own, since label rows have points in another form than the IR.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    shape: Option<Shape>,
    bbox: Option<[f64; 4]>,
    theta: Option<f64>,
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
    visibility: Option<Vec<u8>>,
    rle: Option<String>,
    mask_size: Option<(u32, u32)>,
}

impl Drawn {
    fn of(shape: Shape) -> Self {
        Self {
            shape: Some(shape),
            rings: vec![0],
            parts: vec![0],
            ..Self::default()
        }
    }

    fn ring(mut self, ring: &[f64]) -> Self {
        self.coords.extend_from_slice(ring);
        self.rings.push(self.coords.len() as i32);
        self
    }

    fn part(mut self) -> Self {
        self.parts.push(self.rings.len() as i32 - 1);
        self
    }

    fn line(shape: Shape, ring: &[f64]) -> Self {
        Self::of(shape).ring(ring).part()
    }

    fn boxed(shape: Shape, drawn: &Box) -> Self {
        Self {
            bbox: Some([drawn.x, drawn.y, drawn.w, drawn.h]),
            theta: drawn.theta,
            ..Self::of(shape)
        }
    }

    /// The row with this geometry; its size is the mask's, if it has one.
    pub fn on<'a>(&'a self, row: Annotation<'a>) -> Annotation<'a> {
        let points = Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        };
        Annotation {
            shape: self.shape,
            unit: Unit::Frac,
            bbox: self.bbox,
            theta: self.theta,
            points: (self.parts.len() > 1).then_some(points),
            visibility: self.visibility.as_deref(),
            rle: self.rle.as_deref().map(str::as_bytes),
            rle_order: self.rle.as_ref().map(|_| RleOrder::RowMajor),
            width_px: self.mask_size.map_or(row.width_px, |size| Some(size.0)),
            height_px: self.mask_size.map_or(row.height_px, |size| Some(size.1)),
            ..row
        }
    }
}

impl Object {
    /// What it draws, or what keeps that from being read.
    pub fn draw(&self) -> Result<Drawn, &'static str> {
        const NUMBERED: &str = "its points are not numbered from 0 on";
        if let Some(drawn) = &self.bounding_box {
            return Ok(Drawn::boxed(Shape::BoundingBox, drawn));
        }
        if let Some(drawn) = &self.rotatable_bounding_box {
            return Ok(Drawn::boxed(Shape::RotatableBoundingBox, drawn));
        }
        if let Some(parts) = self.polygons.as_ref().filter(|parts| !parts.is_empty()) {
            let mut drawn = Drawn::of(Shape::Polygon);
            for part in parts {
                if part.iter().any(|ring| ring.len() % 2 == 1) {
                    return Err("a ring has an odd number of coordinates");
                }
                drawn = part.iter().fold(drawn, |drawn, ring| drawn.ring(ring)).part();
            }
            return Ok(drawn);
        }
        for (shape, ring) in [
            (Shape::Polygon, &self.polygon),
            (Shape::Polyline, &self.polyline),
            (Shape::Point, &self.point),
        ] {
            if let Some(ring) = ring {
                return Ok(Drawn::line(shape, &ring.flat().ok_or(NUMBERED)?));
            }
        }
        if let Some(mask) = &self.bitmask {
            if mask.top != 0.0 || mask.left != 0.0 {
                return Err("its mask does not begin at the top left corner of the frame");
            }
            return Ok(Drawn {
                rle: Some(mask.rle_string.clone()),
                mask_size: Some((mask.width, mask.height)),
                ..Drawn::of(Shape::Bitmask)
            });
        }
        if let Some(vertices) = &self.skeleton {
            let vertices = in_order(vertices).ok_or(NUMBERED)?;
            let flat: Vec<f64> = vertices.iter().flat_map(|vertex| [vertex.x, vertex.y]).collect();
            let flags = vertices.iter().map(|vertex| vertex.visibility.map(|flag| flag as u8));
            let some = vertices.iter().any(|vertex| vertex.visibility.is_some());
            return Ok(Drawn {
                // Points without a flag beside others that have one are seen.
                visibility: some.then(|| flags.map(|flag| flag.unwrap_or(Visibility::Visible as u8)).collect()),
                ..Drawn::line(Shape::Skeleton, &flat)
            });
        }
        if let Some(Circle {
            x,
            y,
            r,
            stretch,
            theta,
        }) = self.circle
        {
            return Ok(Drawn {
                theta: Some(theta),
                ..Drawn::line(Shape::Circle, &[x, y, r, stretch])
            });
        }
        if let Some(Ellipse { x, y, rx, ry, theta }) = self.ellipse {
            return Ok(Drawn {
                theta: Some(theta),
                ..Drawn::line(Shape::Ellipse, &[x, y, rx, ry])
            });
        }
        if let Some(cuboid) = &self.cuboid {
            return cuboid.draw();
        }
        Err("it has no geometry of a kind that predictions have")
    }
}
