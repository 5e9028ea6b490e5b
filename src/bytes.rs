//! Texts that need not be in UTF-8.

/// Where a part, which is not empty, begins in a text for the first time.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    positions(text, part).next()
}

/// Whether a part, which is not empty, is in a text.
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    find(text, part).is_some()
}

/// Where a part, which is not empty, begins in a text.
pub(crate) fn positions<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = part[0];
    text.windows(part.len())
        .enumerate()
        .filter(move |(_, window)| window[0] == first && *window == part)
        .map(|(at, _)| at)
}
