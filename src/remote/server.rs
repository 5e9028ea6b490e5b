//! Gets things from a server by their names, and puts them there.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use super::address::{Address, Scheme, in_netrc};
use super::http::{self, Request};
use super::s3::Account;
use super::{Trouble, pack, redis, wire};

/// How long getting or putting one thing may take, in all, if nobody is more patient.
const TIME: Duration = Duration::from_secs(5);

/// A server, and who asks.
#[derive(Clone)]
pub(super) struct Server {
    address: Address,
    /// For addresses of S3.
    account: Option<Account>,
    /// How long one exchange may take, in all.
    time: Duration,
}

impl Server {
    /// The server at an address, for a process that is so patient. `get` looks up a variable.
    pub(super) fn new(
        address: &str,
        patience: Duration,
        get: &impl Fn(&str) -> Option<OsString>,
    ) -> Result<Server, String> {
        let mut address = Address::parse(address)?;
        let netrc = || {
            let file = get("NETRC")
                .or_else(|| Some([get("HOME")?, "/.netrc".into()].into_iter().collect()));
            in_netrc(&std::fs::read_to_string(file?).ok()?, &address.host)
        };
        if address.login.is_none() && matches!(address.scheme, Scheme::Http | Scheme::Https) {
            address.login = netrc();
        }
        let is_s3 = address.scheme == Scheme::S3;
        let account = is_s3.then(|| Account::of(get)).transpose()?;
        let server = Server { address, account, time: TIME.max(patience) };
        if !cfg!(feature = "tls") && server.place("").0.scheme == Scheme::Https {
            return Err(
                "this program was built without TLS; use http:// or redis://, or build it with \
                        cargo's feature `tls`"
                    .into(),
            );
        }
        Ok(server)
    }

    /// Where it is, for people.
    pub(super) fn shown(&self) -> String {
        self.address.to_string()
    }

    /// What has a name. Nothing, if the server has nothing.
    pub(super) fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let (server, path) = self.place(name);
        let wire = wire::connect(&server, Instant::now() + self.time)?;
        match server.scheme {
            Scheme::Redis => redis::get(wire, &server, &path, pack::MOST),
            _ => http::exchange(wire, &self.request("GET", &server, path, &[]), pack::MOST),
        }
    }

    /// Gives something a name.
    pub(super) fn put(&self, name: &str, body: &[u8]) -> Result<(), Trouble> {
        let (server, path) = self.place(name);
        let wire = wire::connect(&server, Instant::now() + self.time)?;
        match server.scheme {
            Scheme::Redis => redis::put(wire, &server, &path, body),
            _ => {
                let request = self.request("PUT", &server, path, body);
                http::exchange(wire, &request, pack::MOST).map(drop)
            }
        }
    }

    /// The server to ask, and what it calls a thing.
    fn place(&self, name: &str) -> (Address, String) {
        match (&self.account, self.address.scheme) {
            (Some(account), _) => account.place(&self.address, name),
            (None, Scheme::Redis) => (self.address.clone(), format!("tryall:{name}")),
            (None, _) if self.address.path.is_empty() => (self.address.clone(), format!("/{name}")),
            (None, _) => (self.address.clone(), format!("/{}/{name}", self.address.path)),
        }
    }

    fn request<'a>(
        &self,
        method: &'a str,
        server: &Address,
        path: String,
        body: &'a [u8],
    ) -> Request<'a> {
        let host = server.place();
        let headers = match (&self.account, &server.login) {
            (Some(account), _) => account.headers(method, &host, &path, body),
            (None, Some((user, password))) => {
                vec![("Authorization", http::basic(user, password))]
            }
            (None, None) => Vec::new(),
        };
        Request { method, host, path, headers, body }
    }
}
