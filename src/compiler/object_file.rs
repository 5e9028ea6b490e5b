//! What an object file asks of a link, and what shared libraries offer to one.
//!
//! A linker looks at more than names: at the kinds of relocations, at sections with a meaning of
//! their own, at versions, at the stack's flags. [`Wants`] is therefore only read off object files
//! that are as plain as those of most checks, and anything else has none. The list of what is plain
//! is a list of what was looked at: a section, a flag or a relocation that is not on it makes the
//! file one that the linker itself must see.

use std::collections::{BTreeSet, HashMap};

use object::elf::{self, FileHeader64};
use object::read::elf::{ElfFile64, FileHeader};
use object::{
    Endianness, Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget,
    SectionFlags, SymbolFlags,
};

/// All that a plain object file brings to a link and wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wants {
    /// Names that are only called.
    pub called: BTreeSet<String>,
    /// Names whose address is taken from the global offset table: functions or variables.
    pub addressed: BTreeSet<String>,
    /// Names that it wants in yet another way, of which nothing is known.
    pub otherwise: BTreeSet<String>,
    /// Global names that it defines.
    pub defines: BTreeSet<String>,
    /// Its `.note.gnu.property`, which linkers merge.
    pub properties: Vec<u8>,
}

/// What a shared library has under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// A function.
    Function,
    /// A variable that is not of a thread.
    Variable,
}

/// Larger ones are for the linker to place.
const LARGEST: u64 = 1 << 20;
const WIDEST_ALIGNMENT: u64 = 4096;

/// Sections that are loaded, without what may follow behind a point.
const LOADED: [&str; 4] = [".text", ".data", ".bss", ".rodata"];
const NOT_LOADED: [&str; 6] = ["", ".symtab", ".strtab", ".shstrtab", ".comment", ".llvm_addrsig"];
/// Which addresses matter: Clang's, for a linker that folds functions. GNU ld ignores it.
const LLVM_ADDRSIG: elf::SectionType = elf::SectionType(0x6fff_4c03);
/// Mentioned by assemblers wherever an address is taken from it; each linker makes one.
const OFFSET_TABLE: &str = "_GLOBAL_OFFSET_TABLE_";
const STACK: &str = ".note.GNU-stack";
const PROPERTIES: &str = ".note.gnu.property";
const UNWIND: &str = ".eh_frame";

/// What a plain object file wants; `None` if it is none.
pub fn wants(file: &[u8]) -> Option<Wants> {
    let header = FileHeader64::<Endianness>::parse(file).ok()?;
    let endian = header.endian().ok()?;
    let is_plain = header.e_type(endian) == elf::ET_REL
        && header.e_machine(endian) == elf::EM_X86_64
        && header.e_ident().os_abi == elf::ELFOSABI_SYSV
        && header.e_flags(endian).0 == 0;
    if !is_plain {
        return None;
    }
    let file = ElfFile64::<Endianness>::parse(file).ok()?;
    let mut wants = Wants {
        called: BTreeSet::new(),
        addressed: BTreeSet::new(),
        otherwise: BTreeSet::new(),
        defines: BTreeSet::new(),
        properties: Vec::new(),
    };
    let mut says_stack = false;
    let mut size = 0;
    for section in file.sections() {
        let name = section.name().ok()?;
        says_stack |= name == STACK;
        if name == PROPERTIES {
            wants.properties = section.data().ok()?.to_vec();
        }
        if name == UNWIND && !is_sound_unwind(section.data().ok()?) {
            return None;
        }
        let loaded = section_is_plain(name, section.flags())?;
        if section.align() > WIDEST_ALIGNMENT {
            return None;
        }
        size += if loaded.is_some() { section.size() } else { 0 };
        for (_, relocation) in section.relocations() {
            let RelocationFlags::Elf { r_type } = relocation.flags() else { return None };
            let RelocationTarget::Symbol(index) = relocation.target() else { return None };
            let symbol = file.symbol_by_index(index).ok()?;
            if relocation.addend().unsigned_abs() > LARGEST {
                return None;
            }
            if symbol.is_undefined() {
                let names = match r_type {
                    _ if loaded.is_none() => return None,
                    elf::R_X86_64_PLT32 => &mut wants.called,
                    elf::R_X86_64_GOTPCREL
                    | elf::R_X86_64_GOTPCRELX
                    | elf::R_X86_64_REX_GOTPCRELX => &mut wants.addressed,
                    _ => &mut wants.otherwise,
                };
                names.insert(symbol.name().ok()?.into());
                continue;
            }
            match (loaded, r_type) {
                (
                    Some(_),
                    elf::R_X86_64_PC32
                    | elf::R_X86_64_PLT32
                    | elf::R_X86_64_GOTPCREL
                    | elf::R_X86_64_GOTPCRELX
                    | elf::R_X86_64_REX_GOTPCRELX,
                )
                // Elsewhere the program would have to be changed when it is loaded.
                | (Some(Loaded::Writable), elf::R_X86_64_64)
                // Debug information.
                | (None, elf::R_X86_64_32 | elf::R_X86_64_64) => {}
                _ => return None,
            }
        }
    }
    if !says_stack || size > LARGEST {
        return None;
    }
    for symbol in file.symbols() {
        let SymbolFlags::Elf { st_info, st_other } = symbol.flags() else { return None };
        let (binding, kind) = (st_info.st_bind(), st_info.st_type());
        let name = symbol.name().ok()?;
        let is_plain = match binding {
            elf::STB_LOCAL => {
                !symbol.is_undefined()
                    && [
                        elf::STT_NOTYPE,
                        elf::STT_OBJECT,
                        elf::STT_FUNC,
                        elf::STT_SECTION,
                        elf::STT_FILE,
                    ]
                    .contains(&kind)
            }
            elf::STB_GLOBAL if st_other.0 != 0 || symbol.is_common() || name.contains('@') => false,
            elf::STB_GLOBAL if symbol.is_undefined() => {
                // A name that nothing refers to is one that the linker may do as it likes with.
                kind == elf::STT_NOTYPE
                    && (wants.called.contains(name)
                        || wants.addressed.contains(name)
                        || wants.otherwise.contains(name)
                        || name == OFFSET_TABLE)
            }
            elf::STB_GLOBAL => {
                wants.defines.insert(name.into());
                symbol.section_index().is_some()
                    && (kind == elf::STT_FUNC || kind == elf::STT_OBJECT)
            }
            _ => false,
        };
        if !is_plain {
            return None;
        }
    }
    Some(wants)
}

/// The bytes of a variable that an object file defines.
pub fn data<'a>(file: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let file = ElfFile64::<Endianness>::parse(file).ok()?;
    let mut named = file.symbols().filter(|symbol| symbol.name() == Ok(name));
    let (symbol, None) = (named.next()?, named.next()) else { return None };
    let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { return None };
    let section = file.section_by_index(symbol.section_index()?).ok()?;
    let start = usize::try_from(symbol.address()).ok()?;
    let end = start.checked_add(usize::try_from(symbol.size()).ok()?)?;
    if st_info.st_type() != elf::STT_OBJECT {
        return None;
    }
    section.data().ok()?.get(start..end).filter(|data| !data.is_empty())
}

/// How a section is loaded.
#[derive(Debug, Clone, Copy)]
enum Loaded {
    ReadOnly,
    Writable,
}

/// Whether a section is one of those that every linker treats alike, and if so, how it is loaded.
#[allow(clippy::option_option, reason = "none of it, or not loaded")]
fn section_is_plain(name: &str, flags: SectionFlags) -> Option<Option<Loaded>> {
    let SectionFlags::Elf { sh_type, sh_flags } = flags else { return None };
    let of = |family: &str| {
        name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let known_flags = elf::SHF_WRITE.0
        | elf::SHF_ALLOC.0
        | elf::SHF_EXECINSTR.0
        | elf::SHF_MERGE.0
        | elf::SHF_STRINGS.0
        | elf::SHF_INFO_LINK.0;
    let known_types = [
        elf::SHT_NULL,
        elf::SHT_PROGBITS,
        elf::SHT_NOBITS,
        elf::SHT_SYMTAB,
        elf::SHT_STRTAB,
        elf::SHT_RELA,
        elf::SHT_NOTE,
        elf::SHT_X86_64_UNWIND,
        LLVM_ADDRSIG,
    ];
    let is_llvm = sh_type == LLVM_ADDRSIG;
    // Clang has the linker leave this one out.
    let flags = if is_llvm { sh_flags.0 & !elf::SHF_EXCLUDE.0 } else { sh_flags.0 };
    if flags & !known_flags != 0 || !known_types.contains(&sh_type) {
        return None;
    }
    let is_set = |flag: elf::SectionFlags| flags & flag.0 != 0;
    if is_set(elf::SHF_ALLOC) {
        let is_note = sh_type == elf::SHT_NOTE && name == PROPERTIES;
        let is_known = LOADED.iter().any(|family| of(family)) || name == UNWIND || is_note;
        let writable = is_set(elf::SHF_WRITE);
        // What is written to and run at once gets a warning.
        (is_known && !(writable && is_set(elf::SHF_EXECINSTR))).then_some(Some(if writable {
            Loaded::Writable
        } else {
            Loaded::ReadOnly
        }))
    } else {
        let is_known = NOT_LOADED.contains(&name)
            || name == STACK && !is_set(elf::SHF_EXECINSTR)
            || name.starts_with(".rela.")
            || name.starts_with(".debug_");
        is_known.then_some(None)
    }
}

/// Whether the records of an `.eh_frame`, each of which begins with its length, fill it exactly.
fn is_sound_unwind(mut data: &[u8]) -> bool {
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        if length < 8 || length > rest.len() {
            return false;
        }
        data = &rest[length..];
    }
    data.is_empty()
}

/// What a shared library has, by name; `None` of what is neither.
pub type Exports = HashMap<String, Option<Export>>;

/// What a shared library has for a link, under whatever versions; not names that it has twice, as
/// different things. `None` if the file is no such library.
pub fn exports(file: &[u8]) -> Option<Exports> {
    let header = FileHeader64::<Endianness>::parse(file).ok()?;
    let endian = header.endian().ok()?;
    if header.e_type(endian) != elf::ET_DYN || header.e_machine(endian) != elf::EM_X86_64 {
        return None;
    }
    let file = ElfFile64::<Endianness>::parse(file).ok()?;
    let mut exports = Exports::new();
    for symbol in file.dynamic_symbols().filter(|symbol| !symbol.is_undefined()) {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { return None };
        let export = match st_info.st_type() {
            // The names of versions are variables without a place.
            _ if symbol.section_index().is_none() => None,
            elf::STT_FUNC | elf::STT_GNU_IFUNC => Some(Export::Function),
            elf::STT_OBJECT => Some(Export::Variable),
            _ => None,
        };
        let known = exports.entry(symbol.name().ok()?.into()).or_insert(export);
        if *known != export {
            *known = None;
        }
    }
    Some(exports)
}
