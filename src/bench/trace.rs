//! When each process ran, as a trace that Chrome's and Perfetto's viewers open.

/// One process of one round.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// What it belongs to: compiler, width and strategy.
    pub row: String,
    /// The check.
    pub id: String,
    /// Seconds since the epoch.
    pub start: f64,
    /// Seconds since the epoch.
    pub end: f64,
}
