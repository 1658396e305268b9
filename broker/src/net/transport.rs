//! What a connection needs of its socket. The one of the machine is here; a simulation brings its own.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{SendAncillaryBuffer, SendFlags};
use strandline_protocol::frame::FrameAssembler;
use tokio::io::{AsyncWrite, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::io::poll_read_buf;

/// One end of a connection, owned by one task.
pub trait Transport: Send + Unpin + 'static {
    /// Reads what is there into the assembler's room, which it asks for only when something may be; 0 at the end.
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        assembler: &mut FrameAssembler,
    ) -> Poll<io::Result<usize>>;

    /// Writes as much as there is room for. With `more_follows` what is written may wait for that.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
        more_follows: bool,
    ) -> Poll<io::Result<usize>>;

    /// Sends bytes of a file as far as there is room for them: 0 if the file has none there. None if this cannot
    /// send from files.
    fn poll_send_file(
        &mut self,
        context: &mut Context<'_>,
        file: BorrowedFd<'_>,
        position: u64,
        length: usize,
    ) -> Option<Poll<io::Result<usize>>>;

    /// Says that nothing more will be written.
    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Where connections come from.
pub trait Acceptor: Send + 'static {
    /// What they are.
    type Transport: Transport + fmt::Debug;

    /// The next one, and who is at its other end. May be given up and tried again without losing one.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Transport, SocketAddr)>> + Send;
}

impl Acceptor for TcpListener {
    type Transport = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = Self::accept(self).await?;
        // Answers leave when they are ready: they are gathered here, and not by the kernel.
        stream.set_nodelay(true)?;
        Ok((stream, peer))
    }
}

impl Transport for TcpStream {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        assembler: &mut FrameAssembler,
    ) -> Poll<io::Result<usize>> {
        // First whether there is something, which costs no system call: an idle connection has no buffer.
        ready!(self.poll_read_ready(context))?;
        let result = poll_read_buf(Pin::new(self), context, assembler.room());
        if result.is_pending() {
            // A new socket is taken for readable until it is tried.
            assembler.release_empty();
        }
        result
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
        more_follows: bool,
    ) -> Poll<io::Result<usize>> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let flags = if more_follows { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL };
        loop {
            ready!(self.poll_write_ready(context))?;
            let mut written = 0;
            let result = self.try_io(Interest::WRITABLE, || {
                written = match parts {
                    // Most answers are in one part, which the kernel takes without the list of them.
                    [part] => rustix::net::send(&*self, part, flags)?,
                    _ => rustix::net::sendmsg(&*self, parts, &mut SendAncillaryBuffer::default(), flags)?,
                };
                // Less than all: the socket is full. Said like this it is not tried again to find that out.
                if written < length { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match result {
                Err(error) if written == 0 => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
                _ => return Poll::Ready(Ok(written)),
            }
        }
    }

    fn poll_send_file(
        &mut self,
        context: &mut Context<'_>,
        file: BorrowedFd<'_>,
        position: u64,
        length: usize,
    ) -> Option<Poll<io::Result<usize>>> {
        loop {
            match self.poll_write_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
            let mut position = position;
            let result = self.try_io(Interest::WRITABLE, || {
                Ok(rustix::fs::sendfile(&*self, file, Some(&mut position), length)?)
            });
            match result {
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                result => return Some(Poll::Ready(result)),
            }
        }
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(self), context)
    }
}
