//! Meson's own methods as a batch: `cc.has_function()` and its siblings, asked as Meson would ask
//! them. The wrapper in `meson/tryall/` tells what Meson knows (the compiler, its options, the
//! lists of the project) as words on the command line; here they become checks of raw sources
//! with all of Meson's arguments, and the outcomes become Meson's answers.
//!
//! [`words`] → [`rounds`] of: [`fuse`], [`compose`] (with [`arguments`] and [`source`]) → plan and
//! run as ever → [`reading`] → [`answers`]
//!
//! The rules are Meson's: facts of its releases 1.0.1 to 1.12, which differ where [`version`] says.

pub(crate) mod answers;
pub(crate) mod arguments;
pub(crate) mod compose;
pub(crate) mod fuse;
pub(crate) mod reading;
pub(crate) mod requests;
pub(crate) mod rounds;
pub(crate) mod source;
pub(crate) mod version;
pub(crate) mod words;
