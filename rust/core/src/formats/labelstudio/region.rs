//! One result of a prediction: a region, its labels or an answer.

use crate::formats::json_values::{angle, count, flag, member, name, numbers, place, score, string, Value, Wrong};
use crate::json::{plain, starts_number, Scan, Scanner};
use crate::reject::Reason;

/// What a result is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    Rectangle,
    Ellipse,
    Polygon,
    Keypoint,
    Brush,
    /// A rectangle that moves from keyframe to keyframe.
    Video,
    /// Labels of a region that another result with its id draws.
    Labels,
    /// An answer, about a region or about all of the task.
    Answer,
    /// Which of two regions is what of the other.
    Relation,
    #[default]
    Other,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name.strip_suffix("labels").unwrap_or(name) {
            "rectangle" => Self::Rectangle,
            "ellipse" => Self::Ellipse,
            "polygon" => Self::Polygon,
            "keypoint" => Self::Keypoint,
            "brush" => Self::Brush,
            "videorectangle" => Self::Video,
            "" => Self::Labels,
            "choices" | "textarea" | "rating" | "number" | "datetime" => Self::Answer,
            "relation" => Self::Relation,
            _ => Self::Other,
        }
    }

    /// Whether it draws something.
    pub fn draws(self) -> bool {
        !matches!(self, Self::Labels | Self::Answer | Self::Relation | Self::Other)
    }
}

/// A result.
#[derive(Debug, Default)]
pub(super) struct Region {
    /// Where it begins and ends.
    pub place: std::ops::Range<usize>,
    pub id: Option<String>,
    pub kind: Kind,
    pub type_name: String,
    pub from_name: String,
    pub size_wh: [Option<u32>; 2],
    pub score: Option<f64>,
    pub labels: Vec<String>,
    pub answers: Vec<String>,
    x: Option<f64>,
    y: Option<f64>,
    width: Option<f64>,
    height: Option<f64>,
    rotation: Option<f64>,
    radii: [Option<f64>; 2],
    /// x and y of the points of a polygon, in percent.
    pub points: Vec<f64>,
    /// The bytes of a mask.
    pub rle: Option<Vec<u8>>,
    /// Where the list of keyframes begins.
    pub sequence: Option<usize>,
    pub frames: Option<u32>,
    pub odd: Option<Reason>,
}

/// A keyframe.
pub(super) struct VideoKeyframe {
    pub at: usize,
    pub frame: u32,
    /// Of the corner and size in fractions, and degrees.
    pub numbers: [f64; 5],
    pub is_enabled: bool,
}

fn missing(field: &'static str) -> Reason {
    Reason::MissingField { field }
}

impl Region {
    /// Reads a result.
    pub fn read(scanner: &mut Scanner<'_>) -> Scan<Self> {
        scanner.peek()?;
        let start = scanner.at;
        let mut region = Self::default();
        if !begin(scanner)? {
            region.odd = Some(Wrong::Expected("an object").reason("result", scanner.since(start)));
        } else {
            let mut first = true;
            while let Some(key) = scanner.next_key(&mut first)? {
                let odd = &mut region.odd;
                match plain(scanner, key, &mut Vec::new()) {
                    b"id" => region.id = member(scanner, "id", odd, name)?,
                    b"type" => {
                        region.type_name = member(scanner, "type", odd, name)?.unwrap_or_default();
                        region.kind = Kind::of(&region.type_name);
                    }
                    b"from_name" => region.from_name = member(scanner, "from_name", odd, name)?.unwrap_or_default(),
                    b"original_width" => region.size_wh[0] = member(scanner, "original_width", odd, count)?,
                    b"original_height" => region.size_wh[1] = member(scanner, "original_height", odd, count)?,
                    b"score" => region.score = member(scanner, "score", odd, score)?,
                    b"value" => region.value(scanner)?,
                    _ => scanner.skip()?,
                }
            }
        }
        region.place = start..scanner.at;
        Ok(region)
    }

    fn value(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        scanner.peek()?;
        let start = scanner.at;
        if !begin(scanner)? {
            self.odd = Some(Wrong::Expected("an object").reason("value", scanner.since(start)));
            return Ok(());
        }
        let (mut first, odd) = (true, &mut self.odd);
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"x" => self.x = member(scanner, "x", odd, coordinate)?,
                b"y" => self.y = member(scanner, "y", odd, coordinate)?,
                b"width" => self.width = member(scanner, "width", odd, coordinate)?,
                b"height" => self.height = member(scanner, "height", odd, coordinate)?,
                b"rotation" => self.rotation = member(scanner, "rotation", odd, angle)?,
                b"radiusX" => self.radii[0] = member(scanner, "radiusX", odd, coordinate)?,
                b"radiusY" => self.radii[1] = member(scanner, "radiusY", odd, coordinate)?,
                b"points" => self.points = member(scanner, "points", odd, points)?,
                b"rle" => self.rle = member(scanner, "rle", odd, bytes)?,
                b"sequence" => {
                    self.sequence = member(scanner, "sequence", odd, |scanner| place(scanner, b'['))?;
                }
                b"framesCount" => self.frames = member(scanner, "framesCount", odd, count)?,
                b"choices" | b"text" | b"rating" | b"number" | b"datetime" => {
                    self.answers = member(scanner, "value", odd, texts)?;
                }
                name if name.ends_with(b"labels") => self.labels = member(scanner, "labels", odd, texts)?,
                _ => scanner.skip()?,
            }
        }
        Ok(())
    }

    /// Corner and size in fractions, and degrees.
    pub fn corner_and_size(&self) -> Result<[f64; 5], Reason> {
        Ok([
            self.x.ok_or(missing("x"))? / 100.0,
            self.y.ok_or(missing("y"))? / 100.0,
            self.width.ok_or(missing("width"))? / 100.0,
            self.height.ok_or(missing("height"))? / 100.0,
            self.rotation.unwrap_or(0.0),
        ])
    }

    /// Centre and radii in fractions, and degrees.
    pub fn centre_and_radii(&self) -> Result<[f64; 5], Reason> {
        let [x, y] = self.centre()?;
        let [rx, ry] = self.radii;
        let radii = [
            rx.ok_or(missing("radiusX"))? / 100.0,
            ry.ok_or(missing("radiusY"))? / 100.0,
        ];
        Ok([x, y, radii[0], radii[1], self.rotation.unwrap_or(0.0)])
    }

    /// A point in fractions.
    pub fn centre(&self) -> Result<[f64; 2], Reason> {
        Ok([self.x.ok_or(missing("x"))? / 100.0, self.y.ok_or(missing("y"))? / 100.0])
    }

    /// How many times the image's height its width is.
    ///
    /// # Errors
    /// [`Reason::MissingField`] where its size is not known, but needed, since something is turned in it.
    pub fn aspect(&self, is_turned: bool) -> Result<f64, Reason> {
        match self.size_wh {
            [Some(width), Some(height)] if width > 0 && height > 0 => Ok(f64::from(width) / f64::from(height)),
            _ if !is_turned => Ok(1.0),
            [Some(1..), _] => Err(missing("original_height")),
            _ => Err(missing("original_width")),
        }
    }
}

/// Reads the keyframes of a region, in the order of their frames.
pub(super) fn keyframes(mut scanner: Scanner<'_>) -> Scan<Result<Vec<VideoKeyframe>, (usize, Reason)>> {
    let (mut first, mut keyframes) = (true, Vec::new());
    scanner.at += 1;
    while scanner.next_item(&mut first)? {
        scanner.peek()?;
        let at = scanner.at;
        match keyframe(&mut scanner)? {
            Ok(keyframe) => keyframes.push(keyframe),
            Err(reason) => return Ok(Err((at, reason))),
        }
    }
    keyframes.sort_by_key(|keyframe: &VideoKeyframe| keyframe.frame);
    Ok(Ok(keyframes))
}

fn keyframe(scanner: &mut Scanner<'_>) -> Scan<Result<VideoKeyframe, Reason>> {
    let at = scanner.at;
    let (mut region, mut frame, mut is_enabled, mut odd) = (Region::default(), None, true, None);
    if !begin(scanner)? {
        return Ok(Err(Wrong::Expected("an object").reason("sequence", scanner.since(at))));
    }
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        match plain(scanner, key, &mut Vec::new()) {
            b"frame" => frame = member(scanner, "frame", &mut odd, count)?,
            b"x" => region.x = member(scanner, "x", &mut odd, coordinate)?,
            b"y" => region.y = member(scanner, "y", &mut odd, coordinate)?,
            b"width" => region.width = member(scanner, "width", &mut odd, coordinate)?,
            b"height" => region.height = member(scanner, "height", &mut odd, coordinate)?,
            b"rotation" => region.rotation = member(scanner, "rotation", &mut odd, angle)?,
            b"enabled" => is_enabled = member(scanner, "enabled", &mut odd, flag)?,
            _ => scanner.skip()?,
        }
    }
    if let Some(reason) = odd {
        return Ok(Err(reason));
    }
    Ok(region.corner_and_size().and_then(|numbers| {
        Ok(VideoKeyframe {
            at,
            frame: frame.ok_or(missing("frame"))?,
            numbers,
            is_enabled,
        })
    }))
}

/// Consumes the `{` of an object; passes over any other value, and says so.
pub(super) fn begin(scanner: &mut Scanner<'_>) -> Scan<bool> {
    if scanner.peek()? == b'{' {
        scanner.at += 1;
        return Ok(true);
    }
    scanner.skip()?;
    Ok(false)
}

/// Reads a number; none for null.
fn coordinate(scanner: &mut Scanner<'_>) -> Value<Option<f64>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    if !starts_number(scanner.peek()?) {
        return Ok(Err(Wrong::Expected("a number, in percent of the image")));
    }
    let value = scanner.number()?.as_f64();
    Ok(if value.is_finite() {
        Ok(Some(value))
    } else {
        Err(Wrong::NotFinite)
    })
}

/// Reads the points of a polygon.
fn points(scanner: &mut Scanner<'_>) -> Value<Vec<f64>> {
    const EXPECTED: Wrong = Wrong::Expected("points in percent of the image, [[x, y], ...]");
    if scanner.peek()? != b'[' {
        return Ok(Err(EXPECTED));
    }
    scanner.at += 1;
    let (mut first, mut points) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        match numbers::<2>(scanner)? {
            Some((point, 2)) if point.iter().all(|number| number.is_finite()) => points.extend(point),
            Some((_, 2)) => return Ok(Err(Wrong::NotFinite)),
            _ => return Ok(Err(EXPECTED)),
        }
    }
    Ok(Ok(points))
}

/// Reads a list of bytes.
fn bytes(scanner: &mut Scanner<'_>) -> Value<Option<Vec<u8>>> {
    const EXPECTED: Wrong = Wrong::Expected("a list of whole numbers from 0 to 255");
    if scanner.null()? {
        return Ok(Ok(None));
    }
    if scanner.peek()? != b'[' {
        return Ok(Err(EXPECTED));
    }
    scanner.at += 1;
    let (mut first, mut bytes) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        if !starts_number(scanner.peek()?) {
            return Ok(Err(EXPECTED));
        }
        match scanner.number()?.as_integer().map(u8::try_from) {
            Some(Ok(byte)) => bytes.push(byte),
            _ => return Ok(Err(EXPECTED)),
        }
    }
    Ok(Ok(Some(bytes)))
}

/// Reads a text, a number, or a list of them, as texts; null is an empty list.
fn texts(scanner: &mut Scanner<'_>) -> Value<Vec<String>> {
    if scanner.peek()? != b'[' {
        return text(scanner).map(|text| text.map(|text| text.into_iter().collect()));
    }
    scanner.at += 1;
    let (mut first, mut texts) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        match text(scanner)? {
            Ok(text) => texts.extend(text),
            Err(wrong) => return Ok(Err(wrong)),
        }
    }
    Ok(Ok(texts))
}

fn text(scanner: &mut Scanner<'_>) -> Value<Option<String>> {
    let byte = scanner.peek()?;
    let start = scanner.at;
    Ok(match byte {
        b'"' => {
            let text = scanner.string()?;
            Ok(Some(string(scanner, text)))
        }
        byte if starts_number(byte) => {
            scanner.number()?;
            Ok(Some(String::from_utf8_lossy(scanner.since(start)).into_owned()))
        }
        _ if scanner.null()? => Ok(None),
        _ => Err(Wrong::Expected("a text or a list of texts")),
    })
}
