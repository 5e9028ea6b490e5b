//! The grain of a file system's times: a file that changes twice within it may keep its stamp.

use std::time::{Duration, SystemTime};

/// The grain of most file systems: the tick of the kernel's clock, and a reserve.
pub(super) const GRAIN: Duration = Duration::from_millis(25);

/// The same where file systems keep whole seconds, or every other one.
const COARSE_GRAIN: Duration = Duration::from_millis(2025);

/// How long it takes until every later change of a file that has changed at this time shows.
/// `None` if that is so now. A time in the future is of a clock that was wrong.
pub(super) fn rest(changed: SystemTime) -> Option<Duration> {
    let age = SystemTime::now().duration_since(changed).ok()?;
    let is_coarse = changed.duration_since(SystemTime::UNIX_EPOCH).ok()?.subsec_nanos() == 0;
    let grain = if is_coarse { COARSE_GRAIN } else { GRAIN };
    grain.checked_sub(age)
}

/// Whether every later change of a file that has changed at this time shows.
pub(super) fn is_over(changed: SystemTime) -> bool {
    changed <= SystemTime::now() && rest(changed).is_none()
}
