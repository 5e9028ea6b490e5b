//! A connection that ends at a moment, whatever the server does.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::address::{Address, Scheme};

/// A connection to a server.
pub(super) trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

/// Connects to a server, with TLS if its address says so.
pub(super) fn connect(address: &Address, until: Instant) -> io::Result<Box<dyn Wire>> {
    let plain = Plain::connect(address, until)?;
    match address.scheme {
        #[cfg(feature = "tls")]
        Scheme::Https => Ok(Box::new(super::tls::over(plain, &address.host)?)),
        #[cfg(not(feature = "tls"))]
        Scheme::Https => Err(io::ErrorKind::Unsupported.into()),
        _ => Ok(Box::new(plain)),
    }
}

/// A plain connection.
pub(super) struct Plain {
    stream: TcpStream,
    until: Instant,
}

impl Plain {
    /// Connects to the first address of a host that answers.
    fn connect(address: &Address, until: Instant) -> io::Result<Plain> {
        let mut failure = io::ErrorKind::AddrNotAvailable.into();
        for place in (address.host.as_str(), address.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&place, left(until)?) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Plain { stream, until });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The system says that it would block when the time is over.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for Plain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.until)?))?;
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.until)?))?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A line, without its end. Fails if it has more bytes than are left.
pub(super) fn line(from: &mut impl Read, left: &mut usize) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        *left = left.checked_sub(1).ok_or(io::ErrorKind::InvalidData)?;
        match byte {
            [b'\n'] => break,
            [byte] => line.push(byte),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// As many bytes as a server has announced. They come before memory is reserved for them.
pub(super) fn exactly(from: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}
