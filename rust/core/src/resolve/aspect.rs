//! Whether the source's image has the shape of the medium: coordinates mean the same places only then.

use super::places::Place;

/// How the sides of the source's image and of the medium compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    /// The same up to scale, or not known.
    Same,
    /// The same once width and height are swapped: the one is the other turned by 90 degrees.
    Swapped {
        /// Width and height of the source's image, px.
        image: (u32, u32),
        /// Width and height of the medium, px.
        medium: (u32, u32),
    },
    /// Neither.
    Other,
}

/// Compares the sides; rounding to whole pixels makes no difference.
#[inline]
pub(super) fn aspect(place: &Place) -> Aspect {
    let known = (place.source_width_px.zip(place.source_height_px)).zip(place.width_px.zip(place.height_px));
    let Some((image, medium)) = known.filter(|(image, medium)| image != medium) else {
        return Aspect::Same;
    };
    let rounding = u64::from(image.0.max(image.1).max(medium.0).max(medium.1));
    // Swapped sides are a reason to reject, so that each side of the smaller one must be within half a pixel.
    let around = |(width, height): (u32, u32)| u64::from(width) + u64::from(height);
    let larger = around(image).max(around(medium));
    let area = |one: u32, other: u32| u64::from(one) * u64::from(other);
    if area(image.0, medium.1).abs_diff(area(image.1, medium.0)) <= rounding {
        Aspect::Same
    } else if 2 * area(image.0, medium.0).abs_diff(area(image.1, medium.1)) < larger {
        Aspect::Swapped { image, medium }
    } else {
        Aspect::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: (u32, u32), medium: (u32, u32)) -> Aspect {
        aspect(&Place {
            medium: 0,
            name: 0,
            frame: Some(0),
            width_px: Some(medium.0),
            height_px: Some(medium.1),
            source_width_px: Some(source.0),
            source_height_px: Some(source.1),
        })
    }

    #[test]
    fn sides_compare_up_to_scale_and_rounding() {
        let medium = (1920, 1080);
        for same in [(1920, 1080), (640, 360), (853, 480), (3840, 2160)] {
            assert_eq!(of(same, medium), Aspect::Same, "{same:?}");
        }
        for image in [(1080, 1920), (360, 640), (480, 853)] {
            assert_eq!(of(image, medium), Aspect::Swapped { image, medium });
        }
        for other in [(640, 640), (1080, 1900), (1920, 1000)] {
            assert_eq!(of(other, medium), Aspect::Other, "{other:?}");
        }
        assert_eq!(of((22, 14), (24, 40)), Aspect::Other, "22 of 40 go with 13 of 24");
        assert_eq!(of((7, 7), (9, 9)), Aspect::Same);
    }
}
