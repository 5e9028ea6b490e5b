//! Meson's own methods as a batch: `cc.has_function()` and its siblings, asked as Meson would ask
//! them. The wrapper in `meson/tryall/` tells what Meson knows (the compiler, its options, the
//! lists of the project) as words on the command line; here they become checks of raw sources
//! with all of Meson's arguments, and the outcomes become Meson's answers.
//!
//! [`words`] → [`rounds`] of: [`fuse`], [`compose`] (with [`arguments`] and [`source`]) → plan and
//! run as ever → [`reading`] → [`answers`]
//!
//! The rules are Meson's: facts of its releases 1.0.1 to 1.12, which differ where [`version`] says.

pub mod answers;
pub mod arguments;
pub mod compose;
pub mod fuse;
pub mod reading;
pub mod requests;
pub mod rounds;
pub mod source;
pub mod version;
pub mod words;
