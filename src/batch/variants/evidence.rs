//! Which diagnostics of a shared file belong to which variant.
//!
//! Each variant's lines carry a file name of their own. Every diagnostic begins with the name of its
//! source, or with the stack of includes that ends at it.

/// The beginning of every stem.
pub(crate) const STEMS: &str = "confte";

/// The stem of the file name of the variant at this place. It is as long as [`STEM`].
pub(crate) fn stem(place: usize) -> String {
    format!("{STEMS}{place:02}")
}

/// Splits a compiler's output into blocks, each with the place of the file name that it is about. `None`
/// if a block names no file.
pub(crate) fn blocks(output: &str, names: &[String]) -> Option<Vec<(usize, String)>> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    // The first lines of a stack of includes, which names the source at its end.
    let mut pending = String::new();
    for line in output.lines() {
        let mentioned = names.iter().position(|name| line.contains(name.as_str()));
        pending.push_str(line);
        pending.push('\n');
        match mentioned {
            Some(place) if blocks.last().is_none_or(|(last, _)| *last != place) => {
                blocks.push((place, String::new()));
            }
            Some(_) => {}
            None if line.starts_with("In file included from") => continue,
            None if pending.starts_with("In file included from") && line.starts_with(' ') => {
                continue;
            }
            None => {}
        }
        blocks.last_mut()?.1.push_str(&std::mem::take(&mut pending));
    }
    pending.is_empty().then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_only_where_each_names_its_source() {
        let names = ["confte00.c".to_string(), "confte01.c".to_string()];
        let of = |output: &str| blocks(output, &names);
        let told = of("In file included from /x.h:1,\n                 from confte00.c:1:\n\
                       /y.h:3:2: error: no\nIn file included from confte01.c:2:\n/z.h:1: error: x\n")
        .unwrap();
        let places: Vec<_> = told.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [0, 1]);
        assert!(told[0].1.contains("/y.h") && !told[0].1.contains("/z.h"), "{told:?}");
        assert!(told[1].1.contains("/z.h"), "{told:?}");
        assert_eq!(of("").unwrap(), []);
        for odd in
            ["cc1: error: unknown\n", "confte00.c:1: error: x\nIn file included from /x.h:1,\n"]
        {
            assert!(of(odd).is_none(), "{odd}");
        }
    }
}
