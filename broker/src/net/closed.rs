//! Why connections end.

use std::io;

use strandline_protocol::frame::FrameError;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Closed {
    /// The other end closed it.
    #[error("the other end closed it")]
    Left,
    /// The other end is gone.
    #[error(transparent)]
    Lost(#[from] io::Error),
    /// It sent what is no frame.
    #[error(transparent)]
    Invalid(#[from] FrameError),
    /// A request was answered by closing.
    #[error("{0}")]
    Answered(&'static str),
    /// Nothing moved.
    #[error("nothing moved for too long")]
    Idle,
    /// It held memory that others waited for.
    #[error("it held memory that others waited for")]
    Stalled,
    /// The broker shuts down.
    #[error("the broker shuts down")]
    ShutDown,
}
