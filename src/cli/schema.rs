//! The JSON Schemas, generated from the types of the protocol.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use crate::bench::result::Report;
use crate::protocol::Request;
use crate::protocol::response::Response;

/// A schema to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Which {
    /// What tryall reads.
    Request,
    /// What tryall writes with --format json.
    Response,
    /// What tryall bench writes with --export-json.
    Bench,
}

/// The schema as text, with a newline at its end.
pub(crate) fn schema(which: Which) -> String {
    let settings = SchemaSettings::draft2020_12();
    let schema = match which {
        Which::Request => generate::<Request>(settings.for_deserialize(), "tryall request"),
        Which::Response => generate::<Response>(settings.for_serialize(), "tryall response"),
        Which::Bench => generate::<Report>(settings.for_serialize(), "tryall bench"),
    };
    serde_json::to_string_pretty(&schema).expect("a schema can be serialized") + "\n"
}

fn generate<T: JsonSchema>(settings: SchemaSettings, title: &str) -> Schema {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    schema
}
