//! Runs Meson's compiler methods (`cc.has_function()` and so on) as one batch, with the sources and
//! arguments that Meson itself uses. The wrapper in `meson/tryall/` passes what Meson knows (the
//! compiler, its options, the project's lists) as words on the command line. This module turns the
//! words into checks of raw sources, and the results into Meson's answers.
//!
//! [`words`] → [`rounds`] of: [`grouped`], [`compose`] (with [`arguments`] and [`source`]) → plan
//! and run by the engine → [`reading`] → [`answers`]
//!
//! The rules are those of Meson 1.0.1 to 1.12; [`version`] lists the differences between releases.
//! `docs/design/meson.md` explains why Meson's items do not use the engine's unity sources.

pub(crate) mod answers;
pub(crate) mod arguments;
pub(crate) mod compose;
pub(crate) mod grouped;
pub(crate) mod reading;
pub(crate) mod requests;
pub(crate) mod rounds;
pub(crate) mod source;
pub(crate) mod version;
pub(crate) mod words;
