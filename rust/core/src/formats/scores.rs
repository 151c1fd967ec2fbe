//! Confidences are numbers from 0 to 1. Those of all formats are looked at here, batch by batch.

use arrow_array::Float64Array;
use serde::Deserialize;

use super::Batch;
use crate::error::Result;
use crate::reject::Reason;

/// How far outside 0 to 1 a confidence is still one of them: softmax in 32-bit floats gives 1.0000001.
const ROUNDING: f64 = 1e-6;

/// What becomes of a confidence outside 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scores {
    /// It is rejected.
    #[default]
    Reject,
    /// It becomes 0 or 1, and is counted.
    Clamp,
    /// It stays as it is, to be looked at: such rows cannot be written.
    Keep,
}

impl Scores {
    /// Makes the confidences of a batch numbers from 0 to 1, and rejects of rows whose confidence is none.
    ///
    /// # Errors
    /// As [`crate::batch::AnnotationBatch::filtered`].
    pub(super) fn settle(self, mut batch: Batch) -> Result<Batch> {
        let given = batch.rows.scores();
        if self == Self::Keep || given.iter().flatten().all(|score| (0.0..=1.0).contains(&score)) {
            return Ok(batch);
        }
        let (mut keep, mut clamped) = (Vec::with_capacity(given.len()), 0);
        let mut rejects = Vec::new();
        let settled: Float64Array = given
            .iter()
            .enumerate()
            .map(|(row, score)| {
                let settled = score.map(|score| self.settled(score)).transpose();
                keep.push(settled.is_ok());
                let settled = settled.unwrap_or_else(|reason| {
                    rejects.push(batch.reject(row, reason));
                    None
                });
                clamped += u64::from(settled != score && settled.is_some());
                settled
            })
            .collect();
        batch.warn("score_clamped", clamped);
        batch.rejects.append(&mut rejects);
        batch.rows = batch.rows.with_scores(settled)?;
        batch.keep(keep)
    }

    fn settled(self, score: f64) -> std::result::Result<f64, Reason> {
        if !score.is_finite() {
            return Err(Reason::NotFinite { field: "score" });
        }
        if self == Self::Clamp || (-ROUNDING..=1.0 + ROUNDING).contains(&score) {
            return Ok(score.clamp(0.0, 1.0));
        }
        Err(Reason::ScoreRange { score })
    }
}
