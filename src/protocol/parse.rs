//! Parses a request, with errors that name the location.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::location::{BadRequest, Location, line_and_column, value_at};
use super::{Request, VERSION, wording};
use crate::protocol::code::{Code, Reason};

/// The most bytes that a request may have. A hundred thousand checks need a quarter of that; larger
/// input is most likely not a request.
pub(crate) const MOST_BYTES: usize = 64 << 20;

/// Parses a request. Also returns its text, for the location of later errors.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Request, &str), BadRequest> {
    if bytes.len() > MOST_BYTES {
        let message = format!(
            "the request is larger than {} MiB; split it into several batches",
            MOST_BYTES >> 20
        );
        return Err(BadRequest::whole(Code::RequestTooLarge, message));
    }
    // UTF-16 of ASCII is valid UTF-8, with a NUL in every character.
    if let [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] = bytes {
        let message = "the request is UTF-16, not UTF-8; save it as UTF-8";
        return Err(BadRequest::whole(Code::InvalidJson, message));
    }
    // Some editors on Windows start UTF-8 files with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if text.trim().is_empty() {
        return Err(BadRequest::whole(
            Code::InvalidJson,
            "the request is empty; expected JSON such as \
             {\"checks\": [{\"id\": \"HAVE_UNISTD_H\", \"kind\": \"header\", \"header\": \"unistd.h\"}]}",
        ));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let Object(request) = serde_path_to_error::deserialize::<_, Object<Request>>(&mut json)
        .map_err(|error| explain(text, &Location::from(error.path()), error.into_inner()))?;
    json.end().map_err(|error| explain(text, &Location::root(), error))?;
    if request.version != VERSION {
        return Err(BadRequest::at(
            Code::UnsupportedVersion,
            format!(
                "version {} is not supported; this tryall supports version {VERSION}",
                request.version
            ),
            &Location::root().key("version"),
            Some(text),
        ));
    }
    Ok((request, text))
}

fn not_utf8(bytes: &[u8], valid_up_to: usize) -> BadRequest {
    let valid = std::str::from_utf8(&bytes[..valid_up_to]).expect("this part is valid");
    let (line, column) = line_and_column(valid, valid_up_to);
    BadRequest {
        code: Code::InvalidJson,
        message: "the request is not UTF-8".into(),
        path: None,
        line: Some(line),
        column: Some(column),
    }
}

/// An error of serde, located like all errors of this program.
fn explain(text: &str, path: &Location, error: serde_json::Error) -> BadRequest {
    if error.is_data() {
        let Reason { code, text: message } =
            wording::of_data(&error, value_at(text, path).as_ref());
        return BadRequest::at(code, message, path, Some(text));
    }
    // serde_json counts the bytes of a line, up to the end of the offending character.
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let culprit = error.column().saturating_sub(1);
    let (_, column) = line_and_column(line, culprit);
    BadRequest {
        code: Code::InvalidJson,
        message: wording::of_syntax(&error, line.get(culprit..).unwrap_or_default()),
        path: Some(path.to_string()).filter(|path| !path.is_empty()),
        line: Some(error.line()),
        column: Some(column),
    }
}

/// A value that must be a JSON object. By default, serde would also accept an array with the fields
/// of a struct in order, which the protocol does not allow.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Only<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Only<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(access))
            }
        }

        deserializer.deserialize_map(Only(PhantomData)).map(Object)
    }
}

/// Deserializes a list of objects.
pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// Deserializes a map of objects. Fails if a key appears twice.
pub(super) fn unique_objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let objects = unique_map::<D, Object<T>>(deserializer)?;
    Ok(objects.into_iter().map(|(name, Object(value))| (name, value)).collect())
}

/// Deserializes a map. Fails if a key appears twice, whereas serde_json would silently keep the
/// last value.
pub(super) fn unique_map<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    struct Unique<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = access.next_entry::<String, V>()? {
                if map.contains_key(&key) {
                    let message = format!("{key:?} appears twice here");
                    return Err(wording::own_complaint(Code::DuplicateField, &message));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Unique(PhantomData))
}
