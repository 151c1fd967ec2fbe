//! Predictions made in memory: seeded, on one video of 1080p, chiral and not square.

use std::f64::consts::TAU;
use std::fmt::Write;

use ropewalk_core::rle::{encode_mask, ColumnMajor, MemoryOrder, Rle, Scratch, Size};

use crate::Result;

const HEIGHT_PX: u32 = 1080;
const WIDTH_PX: u32 = 1920;

/// Vertices of a polygon in a file.
const VERTICES: usize = 110;

/// How far from the edge of a noisy mask pixels scatter, px along the row.
const SCATTER_PX: usize = 4;

/// The size of every mask.
pub fn size() -> Result<Size> {
    Ok(Size::new(HEIGHT_PX.into(), WIDTH_PX.into())?)
}

/// Numbers that follow from a seed (splitmix64).
pub struct Random(u64);

impl Random {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * ((self.bits() >> 11) as f64 / (1u64 << 53) as f64)
    }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}

/// Draws a closed curve as x y x y ..., px with two decimals. Its waves have phases of their own: no mirror image fits.
pub fn ring(random: &mut Random, vertices: usize) -> Vec<f64> {
    let centre = [
        random.between(320.0, f64::from(WIDTH_PX) - 320.0),
        random.between(320.0, f64::from(HEIGHT_PX) - 320.0),
    ];
    let radius = random.between(150.0, 250.0);
    let waves = [1.0, 2.0, 3.0, 5.0].map(|order| (order, random.between(0.0, 0.2) / order, random.between(0.0, TAU)));
    let vertex = |at: usize| {
        let angle = TAU * at as f64 / vertices as f64;
        let wave = |&(order, height, phase): &(f64, f64, f64)| height * (order * angle + phase).cos();
        let radius = radius * (1.0 + waves.iter().map(wave).sum::<f64>());
        [centre[0] + radius * angle.cos(), centre[1] + radius * angle.sin()]
    };
    (0..vertices).flat_map(vertex).map(|value| rounded(value, 2)).collect()
}

/// Draws a mask, a byte a pixel in C order: a smooth blob, or one whose edge scatters as that of a thresholded score map.
pub fn mask(random: &mut Random, noisy: bool) -> Result<Vec<u8>> {
    let smooth = Rle::<ColumnMajor>::from_polygon(&ring(random, 4 * VERTICES), size()?)?.decode()?;
    let mut mask = smooth.clone();
    if noisy {
        let edges = (1..smooth.len()).filter(|&at| smooth[at] != smooth[at - 1]);
        for at in edges {
            mask[at - SCATTER_PX..at + SCATTER_PX].fill_with(|| u8::from(random.between(0.0, 1.0) < 0.5));
        }
    }
    Ok(mask)
}

/// The same mask in Fortran order.
pub fn turned(mask: &[u8]) -> Vec<u8> {
    let width = WIDTH_PX as usize;
    let columns = (0..width).flat_map(|x| mask.iter().skip(x).step_by(width));
    columns.copied().collect()
}

/// The mask's compressed `counts`, as COCO has them.
pub fn counts(mask: &[u8]) -> Result<Vec<u8>> {
    let mut counts = Vec::new();
    encode_mask::<ColumnMajor>(mask, size()?, MemoryOrder::C, &mut Scratch::default(), &mut counts)?;
    Ok(counts)
}

/// A COCO file of one video, and the plan by which it is imported.
pub struct Predictions {
    /// The file's text.
    pub file: String,
    /// The plan as JSON.
    pub plan: String,
    /// Annotations in the file.
    pub annotations: usize,
}

/// Boxes with two decimals; tracked ones are `per_frame` tracks that last for all frames.
pub fn boxes(frames: usize, per_frame: usize, tracked: bool) -> Result<Predictions> {
    predictions("bounding_box", frames, per_frame, |random, number| {
        let [w, h] = [random.between(10.0, 400.0), random.between(10.0, 250.0)];
        let x = random.between(0.0, f64::from(WIDTH_PX) - w);
        let y = random.between(0.0, f64::from(HEIGHT_PX) - h);
        let bbox = [x, y, w - 0.01, h - 0.01].map(|value| rounded(value, 2));
        let track = if tracked {
            format!(", \"track_id\": {number}")
        } else {
            String::new()
        };
        Ok(format!("\"bbox\": {bbox:?}{track}"))
    })
}

/// Polygons of 110 vertices with two decimals.
pub fn polygons(frames: usize, per_frame: usize) -> Result<Predictions> {
    predictions("polygon", frames, per_frame, |random, _| {
        Ok(format!("\"segmentation\": [{:?}]", ring(random, VERTICES)))
    })
}

/// Masks of the whole picture as compressed strings, one a frame, smooth and noisy in turn.
pub fn masks(frames: usize) -> Result<Predictions> {
    let mut turn = 0;
    predictions("bitmask", frames, 1, |random, _| {
        turn += 1;
        let counts = counts(&mask(random, turn % 2 == 0)?)?;
        let counts = String::from_utf8(counts)?.replace('\\', "\\\\");
        Ok(format!(
            "\"segmentation\": {{\"size\": [{HEIGHT_PX}, {WIDTH_PX}], \"counts\": \"{counts}\"}}"
        ))
    })
}

fn predictions(
    shape: &str,
    frames: usize,
    per_frame: usize,
    mut geometry: impl FnMut(&mut Random, usize) -> Result<String>,
) -> Result<Predictions> {
    let random = &mut Random::new(frames as u64);
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for frame in 0..frames {
        images.push(format!(
            "{{\"id\": {frame}, \"file_name\": \"{frame:06}.jpg\", \"width\": {WIDTH_PX}, \"height\": {HEIGHT_PX}, \
             \"video_id\": 1, \"frame_index\": {frame}}}"
        ));
        for number in 0..per_frame {
            let mut annotation = format!(
                "{{\"id\": {}, \"image_id\": {frame}, \"category_id\": {}, ",
                annotations.len(),
                (frame + number) % 2
            );
            annotation += &geometry(random, number)?;
            let [area, score] = [random.between(1.0, 1e5), random.between(0.0, 1.0)];
            let (area, score) = (rounded(area, 2), rounded(score, 5));
            write!(
                annotation,
                ", \"area\": {area:?}, \"iscrowd\": 0, \"score\": {score:?}}}"
            )?;
            annotations.push(annotation);
        }
    }
    let file = format!(
        "{{\"images\": [{}], \"categories\": [{{\"id\": 0, \"name\": \"Car\"}}, {{\"id\": 1, \"name\": \"Traffic light\"}}], \
         \"videos\": [{{\"id\": 1, \"name\": \"drive.mp4\"}}], \"annotations\": [{}]}}",
        images.join(", "),
        annotations.join(", ")
    );
    let object = |hash: &str, name: &str| {
        format!(r##"{{"feature_hash": "{hash}", "name": "{name}", "color": "#D33115", "shape": "{shape}"}}"##)
    };
    let plan = format!(
        r#"{{"branch": "bench", "ontology": [{}, {}], "media": [{{
            "data_hash": "00000000-0000-0000-0000-000000000000", "title": "drive.mp4", "data_type": "video",
            "file_type": "video/mp4", "dataset_hash": "00000000-0000-0000-0000-000000000001", "dataset_title": "",
            "width": {WIDTH_PX}, "height": {HEIGHT_PX}, "frames": {frames}, "fps": 30.0
        }}]}}"#,
        object("car00000", "Car"),
        object("trafficl", "Traffic light")
    );
    Ok(Predictions {
        file,
        plan,
        annotations: annotations.len(),
    })
}
