//! The recipes of a session: learned from CMake's output, and kept for later sessions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::ask::Ask;
use super::call::{Call, Version};
use super::insertions::Insertions;
use super::recipe::{self, Recipe};
use super::surroundings::{Description, Keys};
use crate::check::recall::Memory;

/// What is known of the CMake that a session serves.
#[derive(Debug, Clone)]
pub(crate) struct Cmake {
    /// Its path.
    pub program: PathBuf,
    /// The directory of its modules.
    pub root: PathBuf,
    /// Its whole version, such as `3.25.1`.
    pub version_text: String,
    /// The first two numbers of its version.
    pub version: Version,
    /// Its current directory.
    pub dir: PathBuf,
}

impl Cmake {
    /// What all recipes of this CMake have in common.
    pub(super) fn identity(&self) -> String {
        format!("{}\n{}", self.program.display(), self.version_text)
    }

    /// The files that decide about all recipes.
    fn files(&self) -> Vec<PathBuf> {
        let modules = self.root.join("Modules");
        let dirs = ["Platform", "Compiler", "Linker", "Internal"].map(|dir| modules.join(dir));
        [self.program.clone(), modules].into_iter().chain(dirs).collect()
    }
}

/// A call that CMake answers, and whose output shows the commands.
#[derive(Debug)]
pub(super) struct Lesson {
    /// The call as it was asked.
    pub ask: Ask,
    /// The same, read.
    pub call: Call,
    /// What may stand in places, from most to nothing, with the keys for each.
    pub ways: Vec<(Insertions, Keys)>,
}

/// The recipes of a session.
pub(super) struct Recipes {
    cmake: Rc<Cmake>,
    memory: Rc<Memory>,
    known: RefCell<HashMap<String, Recipe>>,
    descriptions: RefCell<HashMap<Vec<String>, Description>>,
}

impl Recipes {
    /// Those in a store.
    pub(super) fn new(cmake: Rc<Cmake>, memory: Rc<Memory>) -> Self {
        let (known, descriptions) = Default::default();
        Recipes { cmake, memory, known, descriptions }
    }

    /// The description of the system and of the compiler of a language. Its files are written once in a
    /// configure step.
    pub(super) fn description(&self, ask: &Ask, language: &str) -> Option<Description> {
        let overrides = format!("CMAKE_USER_MAKE_RULES_OVERRIDE_{language}");
        // The file becomes another one then.
        let is_examined = format!("CMAKE_{language}_ABI_COMPILED");
        let names = [
            &is_examined,
            "CMAKE_PLATFORM_INFO_DIR",
            "CMAKE_MODULE_PATH",
            "CMAKE_TRY_COMPILE_PLATFORM_VARIABLES",
            "CMAKE_USER_MAKE_RULES_OVERRIDE",
            &overrides,
        ];
        let mut key: Vec<_> = names.iter().map(|name| ask.variable(name).to_owned()).collect();
        key.push(language.to_owned());
        if let Some(description) = self.descriptions.borrow().get(&key) {
            return Some(description.clone());
        }
        let description = Description::read(ask, language, &self.cmake.root.join("Modules"))?;
        self.descriptions.borrow_mut().insert(key, description.clone());
        Some(description)
    }

    /// The command with a key.
    pub(super) fn get(&self, key: &str, lasting: bool) -> Option<Recipe> {
        if let Some(recipe) = self.known.borrow().get(key) {
            return Some(recipe.clone());
        }
        let recipe = lasting.then(|| self.memory.recipe(key)).flatten()?;
        self.known.borrow_mut().insert(key.to_owned(), recipe.clone());
        Some(recipe)
    }

    /// Learns the commands of a call from what CMake has written.
    pub(super) fn learn(&self, output: &str, lesson: Lesson) {
        let Lesson { ask, call, ways } = lesson;
        let is_library = ask.variable("CMAKE_TRY_COMPILE_TARGET_TYPE") == "STATIC_LIBRARY";
        if is_library && !recipe::archives(output) {
            // For all that is known, no library can be made.
            return;
        }
        for (insertions, keys) in ways {
            let Ok(compile) = recipe::compile(output, &ask, &call, &insertions) else { continue };
            let Ok(link) = recipe::link(output, &ask, &call, &insertions) else { continue };
            for (key, recipe) in [(keys.compile, Some(compile)), (keys.link, link)] {
                let Some(recipe) = recipe else { continue };
                if keys.lasting {
                    self.memory.keep_recipe(&key, &recipe, &self.cmake.files());
                }
                self.known.borrow_mut().insert(key, recipe);
            }
            return;
        }
    }
}
