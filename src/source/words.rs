//! The words of C in a text, and lines that refuse those that are macros of a header: a macro may
//! hold anything, such as the end of what stands around it, or a pragma.

/// All words of a text: names, keywords and numbers.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Those that are no numbers.
pub fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    words(text).filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
}

/// Lines that do not compile if any of these names is a macro; none for no names.
pub fn no_macros<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let defined: Vec<_> = names.into_iter().map(|name| format!("defined {name}")).collect();
    if defined.is_empty() {
        return String::new();
    }
    format!("#if {}\n#error \"a word of this source is a macro\"\n#endif\n", defined.join(" || "))
}
