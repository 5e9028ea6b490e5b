//! Prepares what the program embeds: CMake modules, Meson files, and a library to preload.

#[path = "build/modules.rs"]
mod modules;
#[path = "build/preload.rs"]
mod preload;

fn main() {
    modules::embed();
    preload::build();
}
