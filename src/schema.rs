//! The JSON Schemas, made from the types of the protocol.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::request::Request;
use crate::request::kind::{OWN_FIELDS, RULES};
use crate::response::Response;

/// Which schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// What tryall reads.
    Request,
    /// What tryall writes with --format json.
    Response,
}

/// The schema as text, with a newline at its end.
pub fn schema(which: Which) -> String {
    let schema = match which {
        Which::Request => generate::<Request>("tryall request"),
        Which::Response => generate::<Response>("tryall response"),
    };
    serde_json::to_string_pretty(&schema).expect("schemas are JSON") + "\n"
}

fn generate<T: JsonSchema>(title: &str) -> Schema {
    let settings = match title {
        "tryall request" => SchemaSettings::draft2020_12().for_deserialize(),
        _ => SchemaSettings::draft2020_12().for_serialize(),
    };
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    schema
}

/// Adds to the schema of a check which fields its kind needs and which it must not have. A
/// field that is null is as good as none.
pub fn require_fields_of_kinds(schema: &mut Schema) {
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
