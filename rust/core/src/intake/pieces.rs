//! Reads the pieces of a source on all threads, and gives their batches in the order of the source. They are the same for any
//! number of threads, since what is rejected is written batch by batch.

use std::collections::VecDeque;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, TryRecvError};
use std::sync::Arc;
use std::time::Duration;

use rayon::{ThreadPool, Yield};

use crate::error::{Error, Result};
use crate::formats::{Batch, OpenPiece, Reader};

/// Stored bytes of a piece of text, about: a batch or a little less.
const PIECE_BYTES: u64 = 1 << 18;

/// Most stored bytes of a piece, on average: what is read before its turn is held.
const MOST_PIECE_BYTES: u64 = 1 << 20;

/// Pieces that are read before their turn, for each thread.
const AHEAD_A_THREAD: usize = 3;

/// Batches of a piece that are read before its turn.
const MOST_BATCHES: usize = 2;

/// How long a thread without work waits for a piece before it looks for work again.
const WAIT: Duration = Duration::from_micros(200);

/// A reader that reads pieces of a source ahead on the threads of a pool.
pub(super) struct InPieces {
    /// None where one thread does all.
    pool: Option<Arc<ThreadPool>>,
    current: Option<Piece>,
    ahead: VecDeque<Receiver<std::thread::Result<Piece>>>,
    closed: VecDeque<OpenPiece>,
    /// Bytes of the pieces that were given out whole.
    before: u64,
    bytes_read: u64,
}

struct Piece {
    state: State,
    /// What was read and not given out, each with the bytes of the piece up to its end.
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
    /// Splits what `reader` reads, of `len_bytes` stored bytes; gives it back where it cannot be split into parts that are
    /// short.
    ///
    /// # Errors
    /// As [`Reader::pieces`].
    pub fn of(mut reader: Box<dyn Reader>, len_bytes: u64, pool: Option<&Arc<ThreadPool>>) -> Result<Box<dyn Reader>> {
        let pieces = match reader.pieces(PIECE_BYTES)? {
            Some(pieces) if len_bytes <= MOST_PIECE_BYTES * pieces.len() as u64 => pieces,
            _ => return Ok(reader),
        };
        Ok(Box::new(Self {
            pool: pool.cloned(),
            current: None,
            ahead: VecDeque::new(),
            closed: pieces.into(),
            before: 0,
            bytes_read: 0,
        }))
    }

    /// The next piece, which may be read in part; none at the end.
    fn next_piece(&mut self) -> Option<Piece> {
        let Some(pool) = &self.pool else {
            return self.closed.pop_front().map(Piece::new);
        };
        while self.ahead.len() < AHEAD_A_THREAD * pool.current_num_threads() {
            let Some(open) = self.closed.pop_front() else { break };
            let (sender, receiver) = channel();
            pool.spawn(move || {
                let mut piece = Piece::new(open);
                let read = catch_unwind(AssertUnwindSafe(|| {
                    while piece.batches.len() < MOST_BATCHES && piece.read() {}
                    piece
                }));
                // Nobody waits for it where the import was stopped.
                let _ = sender.send(read);
            });
            self.ahead.push_back(receiver);
        }
        self.ahead.pop_front().map(|receiver| wait(&receiver))
    }
}

/// Waits for a piece that is read on some thread. A thread of the pool does other work meanwhile.
fn wait(receiver: &Receiver<std::thread::Result<Piece>>) -> Piece {
    let sent = loop {
        match receiver.try_recv() {
            Ok(sent) => break Some(sent),
            Err(TryRecvError::Disconnected) => break None,
            Err(TryRecvError::Empty) => {}
        }
        match rayon::yield_now() {
            Some(Yield::Executed) => {}
            None => break receiver.recv().ok(),
            Some(Yield::Idle) => match receiver.recv_timeout(WAIT) {
                Ok(sent) => break Some(sent),
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) => {}
            },
        }
    };
    let Some(sent) = sent else {
        unreachable!("whoever reads a piece sends it")
    };
    sent.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Piece {
    fn new(open: OpenPiece) -> Self {
        Self {
            state: State::Closed(open),
            batches: VecDeque::new(),
        }
    }

    /// Reads a batch; false where there is none any more.
    fn read(&mut self) -> bool {
        let state = std::mem::replace(&mut self.state, State::Ended(0));
        let opened = match state {
            State::Closed(open) => open(),
            State::Open(reader) => Ok(reader),
            ended @ (State::Ended(_) | State::Failed(_)) => {
                self.state = ended;
                return false;
            }
        };
        let read = opened.and_then(|mut reader| reader.next_batch().map(|batch| (batch, reader)));
        self.state = match read {
            Ok((Some(batch), reader)) => {
                self.batches.push_back((batch, reader.bytes_read()));
                State::Open(reader)
            }
            Ok((None, reader)) => State::Ended(reader.bytes_read()),
            Err(cause) => State::Failed(cause),
        };
        matches!(self.state, State::Open(_))
    }
}

impl Reader for InPieces {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            let Some(piece) = &mut self.current else {
                self.current = self.next_piece();
                if self.current.is_none() {
                    return Ok(None);
                }
                continue;
            };
            if piece.batches.is_empty() {
                piece.read();
            }
            if let Some((batch, bytes)) = piece.batches.pop_front() {
                self.bytes_read = self.before + bytes;
                return Ok(Some(batch));
            }
            match self.current.take().map(|piece| piece.state) {
                Some(State::Ended(bytes)) => self.before += bytes,
                Some(State::Failed(cause)) => {
                    self.closed.clear();
                    self.ahead.clear();
                    return Err(cause);
                }
                Some(State::Closed(_) | State::Open(_)) | None => {}
            }
        }
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}
