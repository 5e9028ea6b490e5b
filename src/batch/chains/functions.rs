//! Which functions a shared source declares before one `main` and defines behind it.
//!
//! Only at the end of a source does GCC warn of a function that is inline or static and not defined. A
//! later header may define it. GCC's list of all functions (`-aux-info`) shows that none does: a line
//! for each declaration and definition, in their order, such as
//! `/* a.h:1:NC */ static int f (int);` and `/* a.h:7:NF */ static int f (int a); /* (a) int a; */`.

use std::collections::HashSet;

use crate::source::words::identifiers;

/// Whether each function that is defined was declared behind the same `main`, if at all. `None` if the
/// list does not contain the definitions of exactly these functions, in this order, with all others
/// between them.
pub(super) fn are_defined_where_declared(list: &str, mut mains: Vec<String>) -> Option<bool> {
    mains.reverse();
    let mut before = HashSet::new();
    let mut here = HashSet::new();
    for line in list.lines().filter(|line| !line.starts_with("/* compiled from: ")) {
        let (place, rest) = line.strip_prefix("/* ")?.split_once(" */ ")?;
        let names = called(rest.split_once(';')?.0);
        match (place.ends_with('F'), mains.last()) {
            (true, Some(main)) if names.contains(&main.as_str()) => {
                mains.pop();
                before.extend(here.drain());
            }
            (true, _) if names.iter().any(|name| before.contains(name)) => return Some(false),
            (true, _) => {}
            (false, _) => here.extend(names),
        }
    }
    mains.is_empty().then_some(true)
}

/// The words of a declaration with an open bracket behind them; its name is one of them.
fn called(declaration: &str) -> Vec<&str> {
    const OF_TYPES: [&str; 9] =
        ["char", "double", "float", "int", "long", "short", "signed", "unsigned", "void"];
    let pieces: Vec<_> = declaration.split('(').collect();
    let before_brackets = pieces[..pieces.len() - 1].iter();
    before_brackets
        .filter(|piece| piece.ends_with(' '))
        .filter_map(|piece| {
            identifiers(piece).last().filter(|name| piece.trim_end().ends_with(name))
        })
        .filter(|name| !OF_TYPES.contains(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_definition_is_found() {
        let list = |lines: &[&str]| {
            let text = lines.join("\n");
            are_defined_where_declared(&text, vec!["tryall_1_main".into(), "main".into()])
        };
        let first = "/* c.c:9:NF */ extern int tryall_1_main (void); /* () */";
        let last = "/* c.c:19:NF */ extern int main (void); /* () */";
        let declared = "/* /a b.h:1:NC */ static int f (int (*) (void), char *);";
        let defined = "/* a.h:7:NF */ static int f (int (*) (void), char *a); /* (b, a) int (*b) (void); char *a; */";
        let other = "/* a.h:8:NF */ extern int (*f_2 (int a)) (void); /* (a) int a; */";
        let old = "/* a.h:8:OC */ extern int f_2 (/* ??? */);";
        assert_eq!(list(&["/* compiled from: . */", first, last]), Some(true));
        assert_eq!(list(&[declared, defined, first, last]), Some(true));
        assert_eq!(list(&[declared, first, other, last]), Some(true));
        assert_eq!(list(&[declared, first, defined, last]), Some(false));
        assert_eq!(list(&[old, first, other, last]), Some(false));
        assert_eq!(list(&[first]), None);
        assert_eq!(list(&[last, first]), None);
        assert_eq!(list(&["odd", first, last]), None);
    }
}
