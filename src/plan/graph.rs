//! The graph of needs.

use super::PlannedCheck;
use super::ids::{CheckId, Table};

/// A circle of needs, with its first check again at the end; `None` if there is no circle.
///
/// Does not recurse, because a chain of needs may be as long as the request.
pub(super) fn cycle(checks: &Table<CheckId, PlannedCheck>) -> Option<Vec<CheckId>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnPath,
        Done,
    }

    let mut marks = checks.map(|_| Mark::New);
    // Each check on the path, with the number of its needs that were visited.
    let mut path: Vec<(CheckId, usize)> = Vec::new();
    for start in checks.ids() {
        if marks[start] == Mark::New {
            marks[start] = Mark::OnPath;
            path.push((start, 0));
        }
        while let Some((at, seen)) = path.last_mut() {
            let Some(&need) = checks[*at].needs.get(*seen) else {
                marks[*at] = Mark::Done;
                path.pop();
                continue;
            };
            *seen += 1;
            match marks[need] {
                Mark::Done => {}
                Mark::New => {
                    marks[need] = Mark::OnPath;
                    path.push((need, 0));
                }
                Mark::OnPath => {
                    let circle = path.iter().map(|(at, _)| *at).skip_while(|at| *at != need);
                    return Some(circle.chain([need]).collect());
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ids::{Id, QuestionId};
    use crate::protocol::Kind;

    fn checks(needs: &[&[usize]]) -> Table<CheckId, PlannedCheck> {
        let check = |needs: &&[usize]| PlannedCheck {
            id: String::new(),
            kind: Kind::Endian,
            question: QuestionId::at(0),
            needs: needs.iter().map(|&need| CheckId::at(need)).collect(),
            alternative_to: None,
            required: false,
        };
        needs.iter().map(check).collect()
    }

    fn circle(checks: &Table<CheckId, PlannedCheck>) -> Option<Vec<usize>> {
        Some(cycle(checks)?.into_iter().map(Id::place).collect())
    }

    #[test]
    fn finds_a_circle_only_if_there_is_one() {
        assert_eq!(circle(&checks(&[&[1, 2], &[2], &[], &[0]])), None);
        assert_eq!(circle(&checks(&[&[1], &[2], &[3], &[1]])), Some(vec![1, 2, 3, 1]));
        assert_eq!(circle(&checks(&[&[0]])), Some(vec![0, 0]));
    }

    #[test]
    fn long_chains_do_not_overflow_the_stack() {
        let chain: Vec<Vec<usize>> =
            (0..200_000).map(|i| if i + 1 < 200_000 { vec![i + 1] } else { vec![] }).collect();
        let chain: Vec<&[usize]> = chain.iter().map(Vec::as_slice).collect();
        assert_eq!(circle(&checks(&chain)), None);
    }
}
