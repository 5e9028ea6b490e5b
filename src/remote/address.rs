//! Where the remote store is, and who asks.

use std::fmt;

/// The address of a remote store, from `TRYALL_REMOTE`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub scheme: Scheme,
    pub host: String,
    pub port: u16,
    /// Between slashes, without the first and the last one.
    pub path: String,
    /// User and password.
    pub login: Option<(String, String)>,
    /// After how many seconds the server may forget what is sent to it.
    pub expiry: Option<u64>,
}

/// The kinds of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Redis,
    Http,
    Https,
    S3,
}

impl Scheme {
    const ALL: [(&str, Scheme, u16); 4] = [
        ("redis", Scheme::Redis, 6379),
        ("http", Scheme::Http, 80),
        ("https", Scheme::Https, 443),
        ("s3", Scheme::S3, 443),
    ];

    fn row(self) -> (&'static str, Scheme, u16) {
        Scheme::ALL.into_iter().find(|(_, scheme, _)| *scheme == self).expect("it is in the table")
    }
}

impl Address {
    /// Reads an address. What is wrong with it is told without it: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Address, String> {
        let (name, rest) = text.split_once("://").ok_or("it has no scheme such as http://")?;
        let known = Scheme::ALL.into_iter().find(|(known, ..)| name.eq_ignore_ascii_case(known));
        let Some((_, scheme, port)) = known else {
            return Err("its scheme is none of redis, http, https and s3".into());
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                (Some((decoded(user), decoded(password))), place)
            }
            None => (None, authority),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, digits)) if !digits.ends_with(']') => {
                (host, digits.parse().map_err(|_| "its port is not a number")?)
            }
            _ => (place, port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("it names no host".into());
        }
        let is_plain = |byte: u8| byte.is_ascii_graphic();
        if !text.bytes().all(is_plain) {
            return Err("it has blanks or characters outside of ASCII".into());
        }
        let expiry = match query.split_once('=') {
            Some(("expiry", seconds)) => {
                Some(seconds.parse().map_err(|_| "its expiry is not a number of seconds")?)
            }
            _ if query.is_empty() => None,
            _ => return Err("it has options other than ?expiry=SECONDS".into()),
        };
        let (host, path) = (host.to_owned(), path.trim_matches('/').to_owned());
        Ok(Address { scheme, host, port, path, login, expiry })
    }

    /// The host and port, as they stand in a URL.
    pub(super) fn place(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.row().2 { host } else { format!("{host}:{}", self.port) }
    }
}

/// For people, without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = if self.login.is_some() { "***@" } else { "" };
        let path = if self.path.is_empty() { String::new() } else { format!("/{}", self.path) };
        write!(f, "{}://{login}{}{path}", self.scheme.row().0, self.place())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without the percent signs of a URL.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        match digits.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The user and password for a host in the text of a `.netrc`.
pub(super) fn in_netrc(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = text.split_ascii_whitespace();
    let (mut is_here, mut user, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" if is_here => break,
            "machine" => is_here = words.next() == Some(host),
            "default" => is_here = true,
            "login" if is_here => user = words.next(),
            "password" if is_here => password = words.next(),
            "login" | "password" | "account" => drop(words.next()),
            _ => {}
        }
    }
    Some((user?.to_owned(), password.unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_secrets() {
        for (text, shown) in [
            ("redis://cache", "redis://cache"),
            ("redis://:s%40cret@cache:7000/2?expiry=60", "redis://***@cache:7000/2"),
            ("HTTP://u:p@[::1]:80/a/b/", "http://***@[::1]/a/b"),
            ("https://cache:8443/ac", "https://cache:8443/ac"),
            ("s3://bucket/some/prefix", "s3://bucket/some/prefix"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), shown);
        }
        let address = Address::parse("redis://u:s%40cret@cache/2?expiry=60").unwrap();
        assert_eq!(address.login, Some(("u".into(), "s@cret".into())));
        assert_eq!((address.port, address.expiry), (6379, Some(60)));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_address() {
        for text in [
            "cache:s3cret@host",
            "ftp://s3cret@host",
            "http://s3cret@",
            "http://s3cret@h:x",
            "http://h/s3cret\r\nHost: x",
            "redis://s3cret@h?a=b",
            "redis://s3cret@h?expiry=x",
        ] {
            let why = Address::parse(text).unwrap_err();
            assert!(!why.contains("s3cret"), "{why}");
        }
    }

    #[test]
    fn netrc_names_users_of_hosts() {
        let text = "machine a login ua password pa\n\
                    machine b\n login ub\n account x\n password pb\ndefault login ud password pd";
        let found = |host| in_netrc(text, host).unwrap();
        assert_eq!(found("a"), ("ua".into(), "pa".into()));
        assert_eq!(found("b"), ("ub".into(), "pb".into()));
        assert_eq!(found("c"), ("ud".into(), "pd".into()));
        assert_eq!(in_netrc("machine a password x", "a"), None);
    }
}
