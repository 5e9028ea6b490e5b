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

/// Adds to the schema of a check which fields its kind needs and which it must not have.
pub fn require_fields_of_kinds(schema: &mut Schema) {
    let rules = RULES.iter().map(|rule| {
        let stray = OWN_FIELDS.iter().filter(|field| !rule.takes(field));
        let properties: Map<String, Value> =
            stray.map(|field| ((*field).into(), json!(false))).collect();
        let mut then = json!({ "required": rule.required, "properties": properties });
        if rule.takes_source {
            then["oneOf"] = json!([{ "required": ["source"] }, { "required": ["file"] }]);
        }
        json!({ "if": { "properties": { "kind": { "const": rule.name } } }, "then": then })
    });
    schema.insert("allOf".into(), rules.collect::<Vec<_>>().into());
}
