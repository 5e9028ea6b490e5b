//! What a call says with `CMAKE_FLAGS`, `LINK_LIBRARIES` and `LINK_OPTIONS`.
//!
//! CMake 3.20 to 4.4 writes it into the test project like this, behind all that it includes:
//!
//! ```cmake
//! set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} ${EXE_LINKER_FLAGS}")
//! include_directories(${INCLUDE_DIRECTORIES})
//! link_directories(${LINK_DIRECTORIES})
//! target_link_options(... PRIVATE <LINK_OPTIONS>)
//! target_link_libraries(... <LINK_LIBRARIES>)      # with the keyword, and without
//! target_link_libraries(... ${LINK_LIBRARIES})
//! ```
//!
//! No link command names a directory of headers. No compile command shows what the others say, of a
//! library that is not a target. To all of them an empty variable is as none. `CMAKE_SKIP_RPATH` is
//! asked only for link commands and only whether it is on.

use std::collections::BTreeMap;

use super::call::Call;

/// What a call says about directories, libraries and the linker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CmakeFlags {
    /// `INCLUDE_DIRECTORIES`.
    pub include_directories: Vec<String>,
    /// `LINK_DIRECTORIES`, as given.
    pub link_directories: String,
    /// The libraries, whichever way they are given.
    pub libraries: Vec<String>,
    /// `EXE_LINKER_FLAGS`, as given.
    pub linker_flags: String,
    /// Whether `CMAKE_SKIP_RPATH` is on.
    pub skips_rpath: bool,
    /// Whether that is all, and nothing is given twice.
    pub is_certain: bool,
}

impl CmakeFlags {
    /// Reads what a call says.
    pub(super) fn of(call: &Call) -> CmakeFlags {
        let mut given = BTreeMap::new();
        let mut is_certain = true;
        for flag in &call.cmake_flags {
            match named(flag) {
                Some(("COMPILE_DEFINITIONS", _)) => (),
                Some((
                    name @ ("INCLUDE_DIRECTORIES"
                    | "LINK_DIRECTORIES"
                    | "LINK_LIBRARIES"
                    | "CMAKE_SKIP_RPATH"
                    | "EXE_LINKER_FLAGS"),
                    value,
                )) => is_certain &= given.insert(name, value).is_none(),
                // An empty word is dropped.
                None if flag.is_empty() => (),
                _ => is_certain = false,
            }
        }
        let value = |name| given.get(name).copied().unwrap_or_default();
        let libraries = match &call.link_libraries {
            // CMake trims these.
            Some(libraries) => {
                is_certain &= !given.contains_key("LINK_LIBRARIES");
                elements(&libraries.iter().map(|it| it.trim()).collect::<Vec<_>>().join(";"))
            }
            None => elements(value("LINK_LIBRARIES")),
        };
        let skips = value("CMAKE_SKIP_RPATH").to_ascii_uppercase();
        CmakeFlags {
            include_directories: elements(value("INCLUDE_DIRECTORIES")),
            link_directories: value("LINK_DIRECTORIES").to_owned(),
            libraries,
            linker_flags: value("EXE_LINKER_FLAGS").to_owned(),
            skips_rpath: !matches!(&*skips, "" | "0" | "NO" | "OFF" | "FALSE" | "N"),
            is_certain,
        }
    }
}

/// The elements of a list, without empty ones.
fn elements(list: &str) -> Vec<String> {
    list.split(';').filter(|element| !element.is_empty()).map(str::to_owned).collect()
}

/// The value of a definition among the `CMAKE_FLAGS`, such as `-DNAME:STRING=value`.
pub(super) fn cmake_flag<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.cmake_flags.iter().find_map(|flag| named(flag).filter(|it| it.0 == name)).map(|it| it.1)
}

/// The name and the value of such a definition.
pub(super) fn named(flag: &str) -> Option<(&str, &str)> {
    let (name, value) = flag.strip_prefix("-D")?.split_once('=')?;
    Some((name.split_once(':').map_or(name, |(name, _)| name), value))
}
