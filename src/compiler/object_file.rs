//! What an object file wants from a link, what shared libraries export, and whether a compiler has
//! written such a file completely.
//!
//! A linker acts on more than names: on kinds of relocations, sections with a special meaning,
//! versions, and stack flags. [`Wants`] therefore exists only for object files that are as plain as
//! those of most checks. The lists of what is plain contain only what was examined: a section, flag
//! or relocation that is not on them makes the object file one that the linker itself must see.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{ElfFile64, ElfSection64, ElfSymbol64, FileHeader, SectionHeader};
use object::{
    Architecture, Endianness, Object, ObjectKind, ObjectSection, ObjectSymbol, ReadCache, ReadRef,
    Relocation, RelocationFlags, RelocationTarget, SectionFlags, SymbolFlags,
};

type Section<'data, 'file> = ElfSection64<'data, 'file, Endianness>;
type Symbol<'data, 'file> = ElfSymbol64<'data, 'file, Endianness>;

/// Everything that a plain object file brings to a link, and wants from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Names that the object file only calls.
    pub called: BTreeSet<String>,
    /// Names whose address it takes from the global offset table; functions or variables.
    pub addressed: BTreeSet<String>,
    /// Names that it uses in another way, about which nothing is known.
    pub otherwise: BTreeSet<String>,
    /// Global names that the object file defines.
    pub defines: BTreeSet<String>,
    /// Its `.note.gnu.property` section, which linkers merge.
    pub properties: Vec<u8>,
}

/// What a shared library exports under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Export {
    /// A function.
    Function,
    /// A variable that is not thread-local.
    Variable,
}

/// The largest plain object file, in bytes. The linker must place larger ones.
const LARGEST: u64 = 1 << 20;
const WIDEST_ALIGNMENT: u64 = 4096;

/// Sections that are loaded. Their names may continue after a dot.
const LOADED: [&str; 4] = [".text", ".data", ".bss", ".rodata"];
const NOT_LOADED: [&str; 6] = ["", ".symtab", ".strtab", ".shstrtab", ".comment", ".llvm_addrsig"];
/// Clang's list of addresses that matter, for linkers that fold functions. GNU ld ignores it.
const LLVM_ADDRSIG: elf::SectionType = elf::SectionType(0x6fff_4c03);
/// Assemblers mention this symbol wherever an address is taken from the table. Every linker defines
/// it.
const OFFSET_TABLE: &str = "_GLOBAL_OFFSET_TABLE_";
const STACK: &str = ".note.GNU-stack";
const PROPERTIES: &str = ".note.gnu.property";
const UNWIND: &str = ".eh_frame";

/// Parses an x86-64 ELF file of this kind.
fn parsed(file: &[u8], kind: ObjectKind) -> Option<ElfFile64<'_, Endianness>> {
    let file = ElfFile64::parse(file).ok()?;
    (file.kind() == kind && file.architecture() == Architecture::X86_64).then_some(file)
}

/// What a plain object file wants; `None` if the file is not a plain object file.
pub(crate) fn wants(file: &[u8]) -> Option<Wants> {
    let file = parsed(file, ObjectKind::Relocatable)?;
    let header = file.elf_header();
    if header.e_ident().os_abi != elf::ELFOSABI_SYSV || header.e_flags(file.endian()).0 != 0 {
        return None;
    }
    let mut wants = Wants::default();
    let mut says_stack = false;
    let mut size = 0;
    for section in file.sections() {
        let name = section.name().ok()?;
        says_stack |= name == STACK;
        let loaded = section_is_plain(name, section.flags())?;
        if section.align() > WIDEST_ALIGNMENT || !wants.take_contents(name, &section) {
            return None;
        }
        size += if loaded.is_some() { section.size() } else { 0 };
        for (_, relocation) in section.relocations() {
            wants.take_relocation(&file, loaded, &relocation)?;
        }
    }
    let is_plain = says_stack
        && size <= LARGEST
        && file.symbols().all(|symbol| wants.take_symbol(&symbol) == Some(true));
    is_plain.then_some(wants)
}

impl Wants {
    /// Records a section's contents if they matter. Returns whether they are well-formed.
    fn take_contents(&mut self, name: &str, section: &Section<'_, '_>) -> bool {
        match (name, section.data()) {
            (PROPERTIES, Ok(data)) => self.properties = data.to_vec(),
            (UNWIND, Ok(data)) => return is_sound_unwind(data),
            (PROPERTIES | UNWIND, Err(_)) => return false,
            _ => {}
        }
        true
    }

    /// Records a relocation in a section that is loaded like this. `None` if it is not plain.
    fn take_relocation(
        &mut self,
        file: &ElfFile64<'_, Endianness>,
        loaded: Option<Loaded>,
        relocation: &Relocation,
    ) -> Option<()> {
        use elf::{
            R_X86_64_32, R_X86_64_64, R_X86_64_GOTPCREL, R_X86_64_GOTPCRELX, R_X86_64_PC32,
            R_X86_64_PLT32, R_X86_64_REX_GOTPCRELX,
        };
        let RelocationFlags::Elf { r_type } = relocation.flags() else { return None };
        let RelocationTarget::Symbol(index) = relocation.target() else { return None };
        let symbol = file.symbol_by_index(index).ok()?;
        if relocation.addend().unsigned_abs() > LARGEST {
            return None;
        }
        let is_addressed =
            matches!(r_type, R_X86_64_GOTPCREL | R_X86_64_GOTPCRELX | R_X86_64_REX_GOTPCRELX);
        if !symbol.is_undefined() {
            let is_plain = match loaded {
                // Elsewhere the loader would have to change the program.
                Some(Loaded::Writable) if r_type == R_X86_64_64 => true,
                Some(_) => is_addressed || matches!(r_type, R_X86_64_PC32 | R_X86_64_PLT32),
                // Debug information.
                None => matches!(r_type, R_X86_64_32 | R_X86_64_64),
            };
            return is_plain.then_some(());
        }
        loaded?;
        let names = match r_type {
            R_X86_64_PLT32 => &mut self.called,
            _ if is_addressed => &mut self.addressed,
            _ => &mut self.otherwise,
        };
        names.insert(symbol.name().ok()?.into());
        Some(())
    }

    /// Records a symbol; to be called after all relocations. Returns whether it is plain.
    fn take_symbol(&mut self, symbol: &Symbol<'_, '_>) -> Option<bool> {
        let SymbolFlags::Elf { st_info, st_other } = symbol.flags() else { return None };
        let kind = st_info.st_type();
        let name = symbol.name().ok()?;
        let is_data = kind == elf::STT_FUNC || kind == elf::STT_OBJECT;
        Some(match st_info.st_bind() {
            elf::STB_LOCAL => {
                let is_known = [elf::STT_NOTYPE, elf::STT_SECTION, elf::STT_FILE].contains(&kind);
                !symbol.is_undefined() && (is_data || is_known)
            }
            elf::STB_GLOBAL if st_other.0 != 0 || symbol.is_common() || name.contains('@') => false,
            elf::STB_GLOBAL if symbol.is_undefined() => {
                // The linker may do what it likes with a name that nothing refers to.
                let mut wanted = [&self.called, &self.addressed, &self.otherwise].into_iter();
                let is_wanted = name == OFFSET_TABLE || wanted.any(|names| names.contains(name));
                kind == elf::STT_NOTYPE && is_wanted
            }
            elf::STB_GLOBAL => {
                self.defines.insert(name.into());
                symbol.section_index().is_some() && is_data
            }
            _ => false,
        })
    }
}

/// Whether an object file contains names that only it knows, other than those of its sections and its
/// source. `None` if it is not an object file.
pub(crate) fn has_local_names(file: &[u8]) -> Option<bool> {
    let file = parsed(file, ObjectKind::Relocatable)?;
    let is_name = |symbol: Symbol<'_, '_>| {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { return true };
        let kind = st_info.st_type();
        st_info.st_bind() == elf::STB_LOCAL
            && ![elf::STT_SECTION, elf::STT_FILE].contains(&kind)
            && symbol.name() != Ok("")
    };
    Some(file.symbols().any(is_name))
}

/// The bytes of a variable that an object file defines.
pub(crate) fn data<'a>(file: &'a [u8], name: &str) -> Option<&'a [u8]> {
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

/// How a section is loaded; `None` if linkers may treat it differently, `Some(None)` if it is not
/// loaded.
#[allow(clippy::option_option, reason = "not plain, or not loaded")]
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
    // Clang marks this section to be excluded from the output.
    let flags = if is_llvm { sh_flags.0 & !elf::SHF_EXCLUDE.0 } else { sh_flags.0 };
    if flags & !known_flags != 0 || !known_types.contains(&sh_type) {
        return None;
    }
    let is_set = |flag: elf::SectionFlags| flags & flag.0 != 0;
    if is_set(elf::SHF_ALLOC) {
        let is_note = sh_type == elf::SHT_NOTE && name == PROPERTIES;
        let is_known = LOADED.iter().any(|family| of(family)) || name == UNWIND || is_note;
        let writable = is_set(elf::SHF_WRITE);
        // Linkers warn about sections that are both writable and executable.
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

/// Whether the records of an `.eh_frame`, each of which starts with its length, fill it exactly.
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

/// The exports of a shared library, by name; `None` for what is neither function nor variable.
pub(crate) type Exports = HashMap<String, Option<Export>>;

/// The exports of a shared library under any version. A name with several meanings is `None`.
/// Returns `None` if the file is not a shared library for x86-64.
pub(crate) fn exports(file: &[u8]) -> Option<Exports> {
    let file = parsed(file, ObjectKind::Dynamic)?;
    let mut exports = Exports::new();
    for symbol in file.dynamic_symbols().filter(|symbol| !symbol.is_undefined()) {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { return None };
        let export = match st_info.st_type() {
            // The names of versions are variables without a section.
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

/// How much of an output file a compiler has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// All of it, as far as that can be told. It cannot for files that are not ELF.
    Whole,
    /// Less than its headers promise.
    Part,
    /// No regular file, or an empty one.
    Nothing,
}

/// How completely a compiler has written its output file. A compiler that reports success but did
/// not write everything leaves an object file that does not link, or a program that dies, and
/// either would pass for a no.
pub(crate) fn completeness(path: &Path) -> Completeness {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() > 0 => {}
        _ => return Completeness::Nothing,
    }
    // The file cannot be read, but the caller's program need not be readable.
    let Ok(file) = File::open(path) else { return Completeness::Whole };
    // Only headers are read.
    let file = &ReadCache::new(file);
    let is_whole = !is_elf(file)
        || is_whole::<FileHeader64<_>>(file) == Ok(true)
        || is_whole::<FileHeader32<_>>(file) == Ok(true);
    if is_whole { Completeness::Whole } else { Completeness::Part }
}

/// Whether a file starts as ELF files do, or is too short to tell.
fn is_elf(file: &ReadCache<File>) -> bool {
    let length = file.len().map_or(0, |length| length.min(4));
    file.read_bytes_at(0, length).is_ok_and(|start| elf::ELFMAG.starts_with(start))
}

/// Whether a file contains the tables and sections that its ELF header promises.
fn is_whole<H: FileHeader<Endian = Endianness>>(file: &ReadCache<File>) -> object::Result<bool> {
    let header = H::parse(file)?;
    let endian = header.endian()?;
    header.program_headers(endian, file)?;
    if header.e_shnum(endian) == 0 {
        return Ok(true);
    }
    let length = file.len().unwrap_or(0);
    let sections = header.section_headers(endian, file)?.iter();
    let mut ranges = sections.filter_map(|section| section.file_range(endian));
    Ok(ranges.all(|(start, size)| start.checked_add(size).is_some_and(|end| end <= length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_program_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(completeness(&path), Completeness::Nothing);
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(completeness(&path), Completeness::Whole);
        for length in [whole.len() - 1, whole.len() / 2, 1000, 64, 63, 20, 5, 4, 3, 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(completeness(&path), Completeness::Part, "{length}");
        }
        for (text, expected) in [
            ("", Completeness::Nothing),
            ("#!/bin/sh\n", Completeness::Whole),
            ("E", Completeness::Whole),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(completeness(&path), expected, "{text:?}");
        }
    }
}
