//! The differences between Meson's releases.

/// A release of Meson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version(Vec<u32>);

impl Version {
    /// Parses `1.12.1` or `1.13.0.rc1`. A release candidate counts as its release.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u32> = text.split('.').map_while(|part| part.parse().ok()).collect();
        (numbers.len() >= 2).then_some(Version(numbers))
    }

    fn since(&self, wanted: [u32; 2]) -> bool {
        self.0.as_slice() >= wanted.as_slice()
    }

    /// Whether the prefix precedes the standard headers in sources that print numbers. In older
    /// releases it follows them.
    pub(crate) fn prefix_comes_first(&self) -> bool {
        self.since([1, 1])
    }

    /// Whether `<stddef.h>` is among these headers.
    pub(crate) fn includes_stddef(&self) -> bool {
        self.since([1, 3])
    }

    /// Whether expressions are cast to void, to avoid `-Wunused-value`.
    pub(crate) fn discards_values(&self) -> bool {
        self.since([1, 6])
    }

    /// Whether checks undefine `_FORTIFY_SOURCE`, which requires optimization.
    pub(crate) fn undefines_fortify(&self) -> bool {
        self.since([1, 11])
    }

    /// The positive flag that is tested together with `-Wno-x`, because GCC accepts any `-Wno-`.
    pub(crate) fn positive_form(&self, flag: &str) -> Option<String> {
        let warning = flag.strip_prefix("-Wno-")?;
        if self.since([1, 6]) && warning.starts_with("attributes=") {
            return None;
        }
        let takes_a_size = self.since([1, 9])
            && [
                "alloc-size-larger-than",
                "alloca-larger-than",
                "frame-larger-than",
                "stack-usage",
                "vla-larger-than",
            ]
            .contains(&warning);
        Some(format!("-W{warning}{}", if takes_a_size { "=1000" } else { "" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_differ() {
        let [old, new] = ["1.0.1", "1.12.0.rc1"].map(|text| Version::parse(text).unwrap());
        assert!(!old.prefix_comes_first() && new.prefix_comes_first());
        assert!(!old.includes_stddef() && new.includes_stddef());
        assert!(!old.discards_values() && new.discards_values());
        assert!(!old.undefines_fortify() && new.undefines_fortify());
        assert_eq!(old.positive_form("-Wno-attributes=x").as_deref(), Some("-Wattributes=x"));
        assert_eq!(new.positive_form("-Wno-attributes=x"), None);
        assert_eq!(old.positive_form("-Wno-stack-usage").as_deref(), Some("-Wstack-usage"));
        assert_eq!(new.positive_form("-Wno-stack-usage").as_deref(), Some("-Wstack-usage=1000"));
        assert_eq!(new.positive_form("-Wno-error").as_deref(), Some("-Werror"));
        assert_eq!(new.positive_form("-Wall"), None);
        assert_eq!(Version::parse("one"), None);
    }
}
