//! COCO's character code for run lengths, written from a list of counts so that the IR holds one form only.

/// Writes run lengths as COCO's compressed string, one run after another.
///
/// Each run is the difference to the run two before it, from the fourth on, in groups of five bits, low ones first:
/// bit 5 says that more follow, the sign extends the last group, and 48 makes it a printable character.
#[derive(Debug, Default)]
pub(super) struct CountsWriter {
    runs: u64,
    before: [u32; 2],
}

impl CountsWriter {
    /// Appends one run to `out`.
    pub fn push(&mut self, run: u32, out: &mut Vec<u8>) {
        let mut rest = i64::from(run);
        if self.runs > 2 {
            rest -= i64::from(self.before[0]);
        }
        self.before = [self.before[1], run];
        self.runs += 1;
        loop {
            let group = (rest & 0x1f) as u8;
            rest >>= 5;
            let last = rest == if group & 0x10 == 0 { 0 } else { -1 };
            out.push(48 + if last { group } else { group | 0x20 });
            if last {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CountsWriter;

    fn written(runs: &[u32]) -> String {
        let (mut writer, mut out) = (CountsWriter::default(), Vec::new());
        runs.iter().for_each(|&run| writer.push(run, &mut out));
        String::from_utf8(out).unwrap_or_default()
    }

    #[test]
    fn writes_what_pycocotools_writes() {
        assert_eq!(written(&[]), "");
        assert_eq!(written(&[0, 1, 2, 3]), "0122");
        assert_eq!(written(&[15, 16, 31, 32, 1023, 1024]), "?`0o0`0Po0Po0");
        assert_eq!(written(&[6, 1, 40, 4, 5, 4, 5, 4, 21]), "61X13mN000`0");
        assert_eq!(written(&[u32::MAX, 0, 1, u32::MAX]), "oooooo301oooooo3");
    }
}
