//! One request over HTTP/1.1: <https://www.rfc-editor.org/rfc/rfc9112>.

use std::io::{self, BufReader, Read};

use super::Trouble;
use super::wire::{Wire, exactly, line};

/// How long the lines before a body may be together.
const HEAD: usize = 64 << 10;

/// What is asked.
pub(super) struct Request<'a> {
    pub method: &'a str,
    /// The host, with the port if it is unusual.
    pub host: String,
    /// The path, which begins with a slash.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: &'a [u8],
}

/// The body of a successful reply; nothing if the server has none.
pub(super) fn exchange(
    mut wire: impl Wire,
    request: &Request<'_>,
    most: usize,
) -> Result<Option<Vec<u8>>, Trouble> {
    let Request { method, host, path, headers, body } = request;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    let own = [
        ("User-Agent", concat!("tryall/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("Connection", "close".to_owned()),
        ("Content-Length", body.len().to_string()),
    ];
    for (name, value) in own.iter().chain(headers) {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    wire.write_all(&[text.as_bytes(), body].concat())?;
    wire.flush()?;

    let from = &mut BufReader::new(wire);
    let left = &mut HEAD.clone();
    let status = line(from, left)?;
    let status = status.split(' ').nth(1).and_then(|word| word.parse::<u16>().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let (mut length, mut is_chunked) = (None, false);
    loop {
        let line = line(from, left)?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse::<usize>().map_err(|_| io::ErrorKind::InvalidData)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            is_chunked |= value.eq_ignore_ascii_case("chunked");
        }
    }
    match status {
        200 => {}
        201..=299 => return Ok(None),
        404 | 410 => return Ok(None),
        401 | 403 => return Err(Trouble::of(format!("the server refuses (HTTP {status})"))),
        _ => return Err(Trouble::of(format!("the server answers HTTP {status}"))),
    }
    let too_large = || Trouble::of("what it has is too large");
    match length {
        _ if is_chunked => chunks(from, most).map(Some),
        Some(length) if length > most => Err(too_large()),
        Some(length) => Ok(Some(exactly(from, length)?)),
        None => {
            let mut body = Vec::new();
            from.take(most as u64 + 1).read_to_end(&mut body)?;
            if body.len() > most { Err(too_large()) } else { Ok(Some(body)) }
        }
    }
}

fn chunks(from: &mut impl Read, most: usize) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    loop {
        let line = line(from, &mut HEAD.clone())?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if length == 0 {
            return Ok(body);
        }
        if length > most - body.len() {
            return Err(Trouble::of("what it has is too large"));
        }
        body.extend(exactly(from, length)?);
        exactly(from, 2)?;
    }
}

/// The value of a header that tells user and password: <https://www.rfc-editor.org/rfc/rfc7617>.
pub(super) fn basic(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("Basic ");
    for three in format!("{user}:{password}").as_bytes().chunks(3) {
        let number = (0..3).fold(0, |sum, at| sum << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let digit = number >> (18 - 6 * at) & 63;
            text.push(if at <= three.len() { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A server that says something, whatever it is asked.
    struct Says<'a>(&'a [u8]);

    impl Read for Says<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Says<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn body(reply: &str) -> Result<Option<String>, Trouble> {
        let request = Request {
            method: "GET",
            host: "h".into(),
            path: "/".into(),
            headers: Vec::new(),
            body: &[],
        };
        let body = exchange(Says(reply.as_bytes()), &request, 10)?;
        Ok(body.map(|bytes| String::from_utf8(bytes).unwrap()))
    }

    #[test]
    fn bodies_come_in_three_forms() {
        for reply in [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody and more",
            "HTTP/1.0 200 OK\r\n\r\nbody",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nbod\r\n1;x\r\ny\r\n0\r\n\r\n",
        ] {
            assert_eq!(body(reply).unwrap().as_deref(), Some("body"));
        }
        assert_eq!(body("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nbody").unwrap(), None);
    }

    #[test]
    fn what_is_no_body_is_trouble() {
        for (reply, trouble) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nbody and mo", "large"),
            ("HTTP/1.1 200 OK\r\n\r\nbody and mo", "large"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n", "large"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody", "ends"),
            ("HTTP/1.1 200 OK\r\nContent-Le", "ends"),
            ("HTTP/1.1 401 No\r\n\r\n", "401"),
            ("HTTP/1.1 500 No\r\n\r\n", "500"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "understood"),
            ("", "ends"),
        ] {
            let found = body(reply).unwrap_err().to_string();
            assert!(found.contains(trouble), "{reply}: {found}");
        }
    }

    #[test]
    fn users_and_passwords_are_encoded() {
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("a", ""), "Basic YTo=");
        assert_eq!(basic("ab", "cde"), "Basic YWI6Y2Rl");
    }
}
