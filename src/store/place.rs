//! Where the store is, and how large it may become.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The bound if nothing else is said, in bytes.
const DEFAULT_BOUND: u64 = 512 << 20;

/// The variable that names the directory of the store, or says `off`.
const STORE: &str = "TRYALL_STORE";

/// The variable for the size that the store may have.
const SIZE: &str = "TRYALL_STORE_SIZE";

/// Where a store is, and how large it may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The directory, absolute; or why there is none.
    pub dir: Result<PathBuf, NoPlace>,
    /// Whether the user chose this very directory, and so should know if it cannot be used.
    pub is_named: bool,
    /// How many bytes its files may have together.
    pub bound: u64,
}

/// Why there is no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPlace {
    /// The user does not want one.
    #[error("it is turned off")]
    Off,
    /// No variable says where it could be.
    #[error("neither TRYALL_STORE, XDG_CACHE_HOME nor HOME names a directory")]
    NoHome,
    /// The variable names a relative path.
    #[error("TRYALL_STORE is not an absolute path: {0}")]
    Relative(PathBuf),
}

impl Place {
    /// A directory, with the default bound.
    pub(crate) fn at(dir: PathBuf) -> Place {
        Place { dir: Ok(dir), is_named: true, bound: DEFAULT_BOUND }
    }

    /// The place that the variables of an environment choose: `TRYALL_STORE`, else
    /// `$XDG_CACHE_HOME/tryall`, else `$HOME/.cache/tryall`. `get` looks up a variable.
    pub(crate) fn chosen<T: AsRef<OsStr>>(get: impl Fn(&str) -> Option<T>) -> Place {
        let get = |name| {
            let value = get(name)?;
            (!value.as_ref().is_empty()).then(|| value.as_ref().to_owned())
        };
        let bound = get(SIZE).and_then(|size| parse_size(size.to_str()?)).unwrap_or(DEFAULT_BOUND);
        let store = get(STORE);
        let is_named = store.as_ref().is_some_and(|store| store != "off");
        let dir = match store {
            Some(store) if store == "off" => Err(NoPlace::Off),
            Some(store) if Path::new(&store).is_relative() => Err(NoPlace::Relative(store.into())),
            Some(store) => Ok(store.into()),
            None => {
                // The specification of XDG says to ignore relative paths.
                let absolute = |name| get(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
                let home = || absolute("HOME").map(|home| home.join(".cache"));
                let cache = absolute("XDG_CACHE_HOME").or_else(home);
                cache.map(|cache| cache.join("tryall")).ok_or(NoPlace::NoHome)
            }
        };
        Place { dir, is_named, bound }
    }
}

/// A size such as `512M`, in bytes: a whole number, then nothing, `K`, `M` or `G` (powers of 1024),
/// each also with `B` or `iB`. `None` if it is not written like that or too large.
pub(crate) fn parse_size(size: &str) -> Option<u64> {
    let size = size.trim();
    let digits = size.len() - size.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = size.split_at(digits);
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)]) -> Place {
        Place::chosen(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value))
    }

    fn dir(variables: &[(&str, &str)]) -> Result<String, NoPlace> {
        place(variables).dir.map(|dir| dir.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let home = ("HOME", "/h");
        let cache = ("XDG_CACHE_HOME", "/c");
        assert_eq!(dir(&[home]), Ok("/h/.cache/tryall".into()));
        assert_eq!(dir(&[home, cache]), Ok("/c/tryall".into()));
        assert_eq!(dir(&[home, ("XDG_CACHE_HOME", "c")]), Ok("/h/.cache/tryall".into()));
        assert_eq!(dir(&[home, cache, ("TRYALL_STORE", "/s")]), Ok("/s".into()));
        assert_eq!(dir(&[home, cache, ("TRYALL_STORE", "")]), Ok("/c/tryall".into()));
        assert_eq!(dir(&[home, ("TRYALL_STORE", "off")]), Err(NoPlace::Off));
        assert_eq!(dir(&[home, ("TRYALL_STORE", "s")]), Err(NoPlace::Relative("s".into())));
        assert_eq!(dir(&[]), Err(NoPlace::NoHome));
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [("512M", 512 << 20), ("7", 7), ("2 GiB", 2 << 30), ("1k", 1024), ("0", 0)];
        for (text, size) in sizes {
            assert_eq!(parse_size(text), Some(size), "{text}");
        }
        for text in ["", "M", "-1", "1.5G", "1T", "99999999999G", "1 2"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        assert_eq!(place(&[("TRYALL_STORE_SIZE", "1M")]).bound, 1 << 20);
        assert_eq!(place(&[("TRYALL_STORE_SIZE", "much")]).bound, DEFAULT_BOUND);
    }
}
