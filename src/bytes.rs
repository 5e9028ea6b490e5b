//! Texts that need not be in UTF-8.

use memchr::memmem;

/// Where a part, which is not empty, begins in a text for the first time.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memmem::find(text, part)
}

/// Whether a part, which is not empty, is in a text.
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    find(text, part).is_some()
}

/// Where a part, which is not empty and cannot overlap itself, begins in a text.
pub(crate) fn positions<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    memmem::find_iter(text, part)
}
