//! A project as a tree of statements, from which some can be taken away.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::grammar::Maker;

/// The files of a project. `arguments` and `environment` are those of CMake, a line each.
pub type Files = BTreeMap<String, String>;

/// A project, before and after a change.
#[derive(Debug, Clone)]
pub struct Project(pub Vec<Node>);

/// A statement, which may hold others.
#[derive(Debug, Clone, Default)]
pub struct Node {
    pub rule: String,
    pub open: String,
    pub body: Vec<Node>,
    pub body_rule: Option<String>,
    /// Where the body stands, if not here.
    pub file: Option<String>,
    pub close: String,
    pub when: When,
}

/// When a statement is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    #[default]
    Always,
    Before,
    After,
}

impl Node {
    pub fn has_body(&self) -> bool {
        self.body_rule.is_some()
    }

    fn write(&self, gone: When, file: &str, files: &mut Files) {
        if self.when == gone {
            return;
        }
        files.entry(file.into()).or_default().push_str(&self.open);
        let inner = self.file.as_deref().unwrap_or(file);
        files.entry(inner.into()).or_default();
        self.body.iter().for_each(|node| node.write(gone, inner, files));
        files.entry(file.into()).or_default().push_str(&self.close);
    }

    fn count(&self) -> usize {
        1 + self.body.iter().map(Node::count).sum::<usize>()
    }
}

impl Project {
    /// The files before the change.
    pub fn before(&self) -> Files {
        self.files(When::After)
    }

    /// The files after the change.
    pub fn after(&self) -> Files {
        self.files(When::Before)
    }

    fn files(&self, gone: When) -> Files {
        let mut files = Files::new();
        self.0.iter().for_each(|node| node.write(gone, "CMakeLists.txt", &mut files));
        files
    }

    /// Changes a few statements somewhere: in the list files, in another file, or in the arguments.
    pub fn change(&mut self, maker: &mut Maker<'_>) {
        let parts: Vec<_> = (0..self.0.len()).filter(|part| self.0[*part].has_body()).collect();
        // The list files are the first part.
        let part = parts[maker.random.below(2 * parts.len()).saturating_sub(parts.len())];
        for _ in 0..=maker.random.below(3) {
            let mut node = &mut self.0[part];
            while let Some(inner) = node.body.iter().position(Node::has_body)
                && maker.random.below(2) == 0
            {
                node = &mut node.body[inner];
            }
            let mut new = maker.statement(&node.body_rule.clone().unwrap(), 2);
            new.when = When::After;
            let at = maker.random.below(node.body.len() + 1);
            if let Some(old) = node.body.get_mut(at).filter(|_| maker.random.below(3) > 0) {
                old.when = When::Before;
            }
            if maker.random.below(3) > 0 {
                node.body.insert(at, new);
            }
        }
    }

    /// As few statements as possible with which something still holds.
    pub fn reduced(mut self, holds: impl Fn(&Project) -> bool) -> Project {
        let count = |project: &Project| project.0.iter().map(Node::count).sum::<usize>();
        let mut size = count(&self).div_ceil(2);
        loop {
            let (before, mut at) = (count(&self), 0);
            while at < count(&self) {
                // All of a statement, or all but what it holds.
                let fewer =
                    [false, true].map(|keeps_inner| self.without(at..at + size, keeps_inner));
                let mut fewer = fewer.into_iter().filter(|it| count(it) < count(&self));
                match fewer.find(&holds) {
                    Some(fewer) => self = fewer,
                    None => at += size,
                }
            }
            if size == 1 && count(&self) == before {
                return self;
            }
            size = size.div_ceil(2);
        }
    }

    fn without(&self, gone: Range<usize>, keeps_inner: bool) -> Project {
        fn rest(nodes: &[Node], number: &mut usize, gone: &Range<usize>, keeps: bool) -> Vec<Node> {
            let mut left = Vec::new();
            for node in nodes {
                let is_gone = gone.contains(number);
                *number += 1;
                if is_gone && !keeps {
                    *number += node.count() - 1;
                    continue;
                }
                let body = rest(&node.body, number, gone, keeps);
                match is_gone && node.has_body() && node.rule != "project" {
                    true => left.extend(body),
                    false => left.push(Node { body, ..node.clone() }),
                }
            }
            left
        }
        Project(rest(&self.0, &mut 0, &gone, keeps_inner))
    }
}
