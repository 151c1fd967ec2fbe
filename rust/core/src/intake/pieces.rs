//! Reads the pieces of a source on all threads, and gives their batches in the order of the source. They are the same for any
//! number of threads, since what is rejected is written batch by batch.

use std::collections::VecDeque;
use std::sync::Arc;

use rayon::prelude::*;
use rayon::ThreadPool;

use crate::error::{Error, Result};
use crate::formats::{Batch, OpenPiece, Reader};

/// Stored bytes of a piece, about: each is as much as a batch or a little less.
const PIECE_BYTES: u64 = 1 << 18;

/// Most stored bytes of a piece, on average: what is read of pieces before their turn is held.
const MOST_PIECE_BYTES: u64 = 1 << 21;

/// Pieces that are read at a time, for each thread: who is done with one takes another.
const PIECES_A_THREAD: usize = 2;

/// Batches of a piece that are held at a time.
const MOST_BATCHES: usize = 2;

/// A reader that reads pieces of a source ahead on all threads of a pool.
pub(super) struct InPieces {
    /// None where one thread does all.
    pool: Option<Arc<ThreadPool>>,
    pieces: VecDeque<Piece>,
    /// Bytes of the pieces that were given out whole.
    before: u64,
    bytes_read: u64,
}

struct Piece {
    state: State,
    /// What was read ahead, each with the bytes of the piece up to its end.
    batches: VecDeque<(Batch, u64)>,
}

enum State {
    Closed(OpenPiece),
    Open(Box<dyn Reader>),
    /// All was read: so many bytes.
    Ended(u64),
    Failed(Error),
}

impl InPieces {
    /// Splits what `reader` reads, of `len_bytes` stored bytes; gives it back where that is short or cannot be split.
    ///
    /// # Errors
    /// As [`Reader::pieces`].
    pub fn of(mut reader: Box<dyn Reader>, len_bytes: u64, pool: Option<&Arc<ThreadPool>>) -> Result<Box<dyn Reader>> {
        let pieces = match reader.pieces(PIECE_BYTES)? {
            Some(pieces) if len_bytes <= MOST_PIECE_BYTES * pieces.len() as u64 => pieces,
            _ => return Ok(reader),
        };
        let piece = |open| Piece {
            state: State::Closed(open),
            batches: VecDeque::new(),
        };
        Ok(Box::new(Self {
            pool: pool.cloned(),
            pieces: pieces.into_iter().map(piece).collect(),
            before: 0,
            bytes_read: 0,
        }))
    }

    fn read_ahead(&mut self) {
        let Some(pool) = &self.pool else {
            self.pieces.iter_mut().take(1).for_each(Piece::read);
            return;
        };
        let at_a_time = PIECES_A_THREAD * pool.current_num_threads();
        let pieces: Vec<&mut Piece> = self.pieces.iter_mut().take(at_a_time).collect();
        pool.install(|| pieces.into_par_iter().for_each(Piece::read));
    }
}

impl Piece {
    fn read(&mut self) {
        while self.batches.len() < MOST_BATCHES {
            let state = std::mem::replace(&mut self.state, State::Ended(0));
            self.state = match state {
                State::Closed(open) => open().map_or_else(State::Failed, State::Open),
                State::Open(mut reader) => match reader.next_batch() {
                    Ok(Some(batch)) => {
                        self.batches.push_back((batch, reader.bytes_read()));
                        State::Open(reader)
                    }
                    Ok(None) => State::Ended(reader.bytes_read()),
                    Err(cause) => State::Failed(cause),
                },
                ended @ (State::Ended(_) | State::Failed(_)) => {
                    self.state = ended;
                    return;
                }
            };
        }
    }
}

impl Reader for InPieces {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        while let Some(mut piece) = self.pieces.pop_front() {
            if let Some((batch, bytes)) = piece.batches.pop_front() {
                self.bytes_read = self.before + bytes;
                self.pieces.push_front(piece);
                return Ok(Some(batch));
            }
            match piece.state {
                State::Ended(bytes) => self.before += bytes,
                State::Failed(cause) => {
                    self.pieces.clear();
                    return Err(cause);
                }
                State::Closed(_) | State::Open(_) => {
                    self.pieces.push_front(piece);
                    self.read_ahead();
                }
            }
        }
        Ok(None)
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}
