//! Signs requests to S3 and its like:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.

use std::ffi::OsString;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::address::{Address, Scheme};

/// Who asks, and where.
#[derive(Clone)]
pub(super) struct Account {
    /// The key's name, the key, and the token of a session.
    key: Option<(String, String, Option<String>)>,
    region: String,
    /// The server, if it is not Amazon's.
    endpoint: Option<Address>,
}

impl Account {
    /// What the usual variables say. `get` looks up a variable.
    pub(super) fn of(get: &impl Fn(&str) -> Option<OsString>) -> Result<Account, String> {
        let first = |names: &[&str]| {
            let set = |name: &&str| get(name)?.into_string().ok().filter(|it| !it.is_empty());
            names.iter().find_map(set)
        };
        let key = match (first(&["AWS_ACCESS_KEY_ID"]), first(&["AWS_SECRET_ACCESS_KEY"])) {
            (Some(name), Some(key)) => Some((name, key, first(&["AWS_SESSION_TOKEN"]))),
            _ => None,
        };
        let region = first(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let endpoint = first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        let endpoint = endpoint.map(|url| Address::parse(&url)).transpose();
        Ok(Account {
            key,
            region: region.unwrap_or_else(|| "us-east-1".into()),
            endpoint: endpoint.map_err(|why| format!("AWS_ENDPOINT_URL: {why}"))?,
        })
    }

    /// Where an object is: the server, and the path there. An address of S3 has the bucket as its host.
    pub(super) fn place(&self, bucket: &Address, name: &str) -> (Address, String) {
        let parts = [bucket.path.as_str(), name];
        let object = parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("/");
        match &self.endpoint {
            Some(server) => {
                let path = format!("/{}/{}/{object}", server.path, bucket.host);
                (server.clone(), encoded(&path.replace("//", "/")))
            }
            None => {
                let host = format!("{}.s3.{}.amazonaws.com", bucket.host, self.region);
                let server = Address { scheme: Scheme::Https, host, ..bucket.clone() };
                (server, encoded(&format!("/{object}")))
            }
        }
    }

    /// The headers that sign a request. Without a key, it is not signed.
    pub(super) fn headers(
        &self,
        method: &str,
        host: &str,
        path: &str,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        self.headers_at(since.as_secs(), method, host, path, body)
    }

    fn headers_at(
        &self,
        seconds: u64,
        method: &str,
        host: &str,
        path: &str,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let Some((name, key, token)) = &self.key else { return Vec::new() };
        let (time, sum) = (time(seconds), hex(&Sha256::digest(body)));
        let mut headers = vec![("x-amz-content-sha256", sum.clone()), ("x-amz-date", time.clone())];
        headers.extend(token.iter().map(|token| ("x-amz-security-token", token.clone())));
        let all = || [("host", host)].into_iter().chain(headers.iter().map(|(n, v)| (*n, &**v)));
        let lines: String = all().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = all().map(|(name, _)| name).collect::<Vec<_>>().join(";");
        let asked = format!("{method}\n{path}\n\n{lines}\n{names}\n{sum}");

        let day = &time[..8];
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(asked)));
        let first = format!("AWS4{key}").into_bytes();
        let words = [day, &self.region, "s3", "aws4_request", &text];
        let signature = words.iter().fold(first, |key, word| mac(&key, word.as_bytes()));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={name}/{scope}, SignedHeaders={names}, Signature={}",
            hex(&signature)
        );
        headers.push(("Authorization", value));
        headers
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The characters of a path that S3 wants to be escaped.
fn encoded(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let one = |byte| if is_plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    path.bytes().map(one).collect()
}

/// Seconds since 1970 as `20130524T000000Z`.
fn time(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{:02}T{hours:02}{minutes:02}{seconds:02}Z", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_dates() {
        assert_eq!(time(0), "19700101T000000Z");
        assert_eq!(time(1_369_353_600), "20130524T000000Z");
        assert_eq!(time(1_709_251_199), "20240229T235959Z");
        assert_eq!(time(1_735_689_599), "20241231T235959Z");
    }

    /// From Amazon's documentation of PUT Object, less the headers that this program does not send.
    #[test]
    fn the_key_is_derived_as_documented() {
        let steps = ["20120215", "us-east-1", "iam", "aws4_request"];
        let first = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec();
        let key = steps.iter().fold(first, |key, word| mac(&key, word.as_bytes()));
        let documented = "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d";
        assert_eq!(hex(&key), documented);
    }

    #[test]
    fn objects_are_found_at_amazon_and_elsewhere() {
        let bucket = Address::parse("s3://bucket/pre fix".replace(' ', "+").as_str()).unwrap();
        let account = |endpoint: Option<&'static str>| {
            let get = move |name: &str| match name {
                "AWS_ENDPOINT_URL" => endpoint.map(Into::into),
                "AWS_REGION" => Some("eu-west-1".into()),
                _ => None,
            };
            Account::of(&get).unwrap()
        };
        let (server, path) = account(None).place(&bucket, "name");
        assert_eq!(server.place(), "bucket.s3.eu-west-1.amazonaws.com");
        assert_eq!(path, "/pre%2Bfix/name");
        let (server, path) = account(Some("http://minio:9000")).place(&bucket, "name");
        assert_eq!((server.place().as_str(), server.scheme), ("minio:9000", Scheme::Http));
        assert_eq!(path, "/bucket/pre%2Bfix/name");
    }
}
