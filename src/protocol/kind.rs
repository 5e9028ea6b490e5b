//! The kinds of checks and the fields of each. Validation, the JSON Schema and the error messages
//! all use this table.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::nearest::nearest;
use super::wording;
use crate::protocol::code::Code;

/// What a check asks. [`crate::source`] has the rules of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "RULES describes each kind")]
pub enum Kind {
    Header,
    Symbol,
    Function,
    Library,
    Type,
    Member,
    Sizeof,
    Alignment,
    ComputeInt,
    Define,
    Prototype,
    CompilerFlag,
    LinkerFlag,
    Endian,
    Preprocesses,
    Compiles,
    Links,
    Runs,
}

/// The fields of one kind. All other fields of a check are common to all kinds.
pub(crate) struct Rule {
    /// The kind.
    pub kind: Kind,
    /// Its name in a request.
    pub name: &'static str,
    /// What the kind asks, in a sentence.
    pub description: &'static str,
    /// Fields that the kind requires.
    pub required: &'static [&'static str],
    /// Fields that the kind allows.
    pub optional: &'static [&'static str],
    /// Whether the kind requires exactly one of `source` and `file`.
    pub takes_source: bool,
    /// Whether the kind exists in Fortran.
    pub in_fortran: bool,
}

const fn rule(
    kind: Kind,
    name: &'static str,
    description: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    in_fortran: bool,
) -> Rule {
    Rule { kind, name, description, required, optional, takes_source: false, in_fortran }
}

const fn source_rule(
    kind: Kind,
    name: &'static str,
    description: &'static str,
    optional: &'static [&'static str],
) -> Rule {
    Rule { kind, name, description, required: &[], optional, takes_source: true, in_fortran: true }
}

/// All kinds, in the order of the documentation.
pub(crate) static RULES: [Rule; 18] = [
    rule(
        Kind::Header,
        "header",
        "Does the header compile (`stage` `compile`, the default), or does it only exist (`preprocess`)?",
        &["header"],
        &["stage"],
        true,
    ),
    rule(
        Kind::Symbol,
        "symbol",
        "Do the headers provide this macro, function or variable, and does it link?",
        &["symbol"],
        &[],
        false,
    ),
    rule(
        Kind::Function,
        "function",
        "Does this function link? Uses its own prototype if `headers` are given.",
        &["function"],
        &[],
        true,
    ),
    rule(
        Kind::Library,
        "library",
        "Does a program link with this library, and does the library contain the function?",
        &["library"],
        &["function"],
        true,
    ),
    rule(Kind::Type, "type", "Is this a complete type?", &["type"], &[], true),
    rule(
        Kind::Member,
        "member",
        "Does this struct, union or class have that member?",
        &["type", "member"],
        &[],
        false,
    ),
    rule(Kind::Sizeof, "sizeof", "How large is this type, in bytes?", &["type"], &[], true),
    rule(
        Kind::Alignment,
        "alignment",
        "What is the alignment of this type in a struct, in bytes?",
        &["type"],
        &[],
        false,
    ),
    rule(
        Kind::ComputeInt,
        "compute_int",
        "What is the value of this integer constant expression?",
        &["expression"],
        &[],
        true,
    ),
    rule(Kind::Define, "define", "What does this macro expand to?", &["name"], &[], true),
    rule(
        Kind::Prototype,
        "prototype",
        "Do the headers declare this function with this return type and these arguments?",
        &["function", "return_type", "arguments"],
        &[],
        false,
    ),
    rule(
        Kind::CompilerFlag,
        "compiler_flag",
        "Does the compiler know these flags?",
        &["flags"],
        &[],
        true,
    ),
    rule(
        Kind::LinkerFlag,
        "linker_flag",
        "Does the linker know these flags?",
        &["flags"],
        &[],
        true,
    ),
    rule(Kind::Endian, "endian", "What is the byte order of the target machine?", &[], &[], false),
    source_rule(Kind::Preprocesses, "preprocesses", "Does this source preprocess?", &[]),
    source_rule(
        Kind::Compiles,
        "compiles",
        "Does this source compile?",
        &["definitions", "product"],
    ),
    source_rule(
        Kind::Links,
        "links",
        "Does this source compile and link?",
        &["definitions", "product", "product_is_data", "word", "own_names"],
    ),
    source_rule(
        Kind::Runs,
        "runs",
        "Does the program of this source exit with status 0?",
        &["run_args", "run_dir", "definitions", "product", "merge_output"],
    ),
];

/// Fields that only some kinds have.
pub(crate) static OWN_FIELDS: [&str; 23] = [
    "header",
    "stage",
    "symbol",
    "function",
    "library",
    "type",
    "member",
    "expression",
    "name",
    "return_type",
    "arguments",
    "flags",
    "source",
    "file",
    "run_args",
    "extension",
    "definitions",
    "product",
    "product_is_data",
    "word",
    "own_names",
    "merge_output",
    "run_dir",
];

impl Kind {
    /// The rule of this kind.
    pub(crate) fn rule(self) -> &'static Rule {
        RULES.iter().find(|rule| rule.kind == self).expect("every kind has a rule")
    }

    /// The name of this kind in a request.
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    fn from_name(name: &str) -> Option<Self> {
        RULES.iter().find(|rule| rule.name == name).map(|rule| rule.kind)
    }
}

impl Rule {
    /// Whether a check of this kind may have this field.
    pub(crate) fn takes(&self, field: &str) -> bool {
        self.required.contains(&field)
            || self.optional.contains(&field)
            || self.takes_source && ["source", "file", "extension"].contains(&field)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Kind::from_name(&name).ok_or_else(|| {
            let names = || RULES.iter().map(|rule| rule.name);
            let remedy = match nearest(&name, names()) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => format!("known: {}", names().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("unknown kind {:?}; {remedy}", &*name);
            wording::own_complaint(Code::UnknownKind, &message)
        })
    }
}

impl JsonSchema for Kind {
    fn schema_name() -> Cow<'static, str> {
        "Kind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        let kinds: Vec<_> = RULES
            .iter()
            .map(|rule| json!({"const": rule.name, "description": rule.description}))
            .collect();
        schemars::json_schema!({"description": "What the check description.", "oneOf": kinds})
    }
}

/// Adds to the schema of a check which fields each kind requires and forbids. A field that is null
/// counts as absent.
pub(crate) fn require_fields_of_kinds(schema: &mut Schema) {
    let rules = RULES.iter().map(|rule| {
        let stray = OWN_FIELDS.iter().filter(|field| !rule.takes(field));
        let mut properties: Map<String, Value> =
            stray.map(|field| ((*field).into(), json!({ "type": "null" }))).collect();
        let given = |field: &str| (field.to_string(), json!({ "not": { "type": "null" } }));
        properties.extend(rule.required.iter().map(|field| given(field)));
        let mut then = json!({ "required": rule.required, "properties": properties });
        if rule.takes_source {
            let one = |field| json!({ "required": [field], "properties": Map::from_iter([given(field)]) });
            then["oneOf"] = json!([one("source"), one("file")]);
        }
        json!({ "if": { "properties": { "kind": { "const": rule.name } } }, "then": then })
    });
    schema.insert("allOf".into(), rules.collect::<Vec<_>>().into());
}
