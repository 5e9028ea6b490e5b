//! Makes statements from the rules of statements.txt and words.txt, whose form the latter describes.

use std::collections::BTreeMap;

use crate::project::{Node, Project};
use crate::random::Random;

/// How deep blocks stand in blocks.
const DEPTH: usize = 3;

/// The rules by name.
pub struct Grammar(BTreeMap<&'static str, Vec<Alternative>>);

struct Alternative {
    weight: usize,
    /// Languages that must be enabled, or a version.
    conditions: Vec<&'static str>,
    text: String,
}

impl Grammar {
    pub fn new() -> Self {
        let mut rules = BTreeMap::<_, Vec<Alternative>>::new();
        let lines = [include_str!("statements.txt"), include_str!("words.txt")].map(str::lines);
        let (mut rule, mut is_list) = ("", false);
        for line in lines.into_iter().flatten().filter(|it| !it.is_empty() && !it.starts_with('#'))
        {
            let text = if let Some(more) = line.strip_prefix("    ") {
                let last = rules.get_mut(rule).and_then(|all| all.last_mut()).unwrap();
                last.text.push_str(&format!("\n{}", more.replace('¶', "\n")));
                continue;
            } else if let Some(text) = line.strip_prefix("  ") {
                text
            } else {
                let (name, text) = line.split_once(':').unwrap();
                (rule, is_list) = (name, !text.is_empty());
                text.trim_start()
            };
            let all = rules.entry(rule).or_default();
            let parts = if is_list { text.split(" | ").collect() } else { vec![text] };
            all.extend(parts.into_iter().filter(|it| !it.is_empty()).map(Alternative::new));
        }
        Grammar(rules)
    }
}

impl Alternative {
    fn new(text: &'static str) -> Self {
        let weighted = text.split_once("* ");
        let weighted = weighted.and_then(|(weight, rest)| Some((weight.parse().ok()?, rest)));
        let (weight, text) = weighted.unwrap_or((1, text));
        let conditional = text.strip_prefix('[').and_then(|text| text.split_once("] "));
        let (conditions, text) = conditional.unwrap_or(("", text));
        let conditions = conditions.split_whitespace().collect();
        Alternative { weight, conditions, text: text.replace('¶', "\n") }
    }
}

/// Makes the statements of one project.
pub struct Maker<'a> {
    pub grammar: &'a Grammar,
    pub random: Random,
    /// Of CMake.
    pub version: (u32, u32),
    pub languages: &'static str,
    /// How many statements there are.
    pub count: usize,
}

impl<'a> Maker<'a> {
    /// All statements of a project.
    pub fn project(&mut self) -> Project {
        let grammar = self.grammar;
        let all = grammar.0["project"].iter();
        Project(all.map(|it| self.node(&it.text, "project", 0)).collect())
    }

    /// A statement of a rule.
    pub fn statement(&mut self, rule: &str, depth: usize) -> Node {
        let rule = if depth > DEPTH && rule == "statement" { "check" } else { rule };
        self.node(&format!("<{rule}>"), rule, depth)
    }

    fn node(&mut self, text: &str, rule: &str, depth: usize) -> Node {
        self.count += 1;
        let text = self.expanded(text, self.count);
        let mut node = Node { rule: rule.into(), ..Node::default() };
        for line in text.lines() {
            let Some(body) = line.trim_start().strip_prefix("...") else {
                let part = if node.has_body() { &mut node.close } else { &mut node.open };
                part.push_str(&format!("{line}\n"));
                continue;
            };
            let words: Vec<_> = body.split_whitespace().collect();
            let (rule, min, max) = match words[..] {
                [rule, min, max, ..] => (rule, min.parse().unwrap(), max.parse().unwrap()),
                _ => ("statement", 1, 4),
            };
            node.body_rule = Some(rule.into());
            node.file = words.get(4).map(|file| (*file).to_owned());
            let count: usize = min + self.random.below(max - min + 1);
            node.body = (0..count).map(|_| self.statement(rule, depth + 1)).collect();
        }
        node
    }

    /// A text with everything filled in.
    fn expanded(&mut self, text: &str, number: usize) -> String {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            done.push_str(before);
            rest = after;
            let Some((name, after)) = rest.split_once('>') else {
                done.push('<');
                continue;
            };
            match name {
                "#" => done.push_str(&number.to_string()),
                "nothing" => (),
                "languages" => done.push_str(self.languages),
                _ if self.grammar.0.contains_key(name) => {
                    let chosen = self.chosen(name);
                    done.push_str(&self.expanded(chosen, number));
                }
                _ => {
                    done.push('<');
                    continue;
                }
            }
            rest = after;
        }
        done + rest
    }

    fn chosen(&mut self, rule: &str) -> &'a str {
        let grammar = self.grammar;
        let all = grammar.0[rule].iter().filter(|it| it.conditions.iter().all(|it| self.has(it)));
        let all: Vec<_> = all.collect();
        let mut at = self.random.below(all.iter().map(|it| it.weight).sum());
        let found = all.iter().find(|it| {
            let is_it = at < it.weight;
            at = at.wrapping_sub(it.weight);
            is_it
        });
        &found.unwrap().text
    }

    /// Whether a condition holds: a language, or the least version of CMake.
    fn has(&self, condition: &str) -> bool {
        match condition.split_once('.') {
            Some((major, minor)) => {
                self.version >= (major.parse().unwrap(), minor.parse().unwrap())
            }
            None => self.languages.split(' ').any(|language| language == condition),
        }
    }
}
