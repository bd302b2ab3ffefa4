//! How a parameter is declared, in the header of a saved query and in a manifest alike.

use schemars::JsonSchema;
use serde::Deserialize;

/// A parameter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterSection {
    /// `text`, `int`, `float`, `decimal(p,s)`, `bool`, `date`, `month`, `quarter`, `timestamp`, or `list<…>` of one.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it does, for people.
    pub description: Option<String>,
    /// The value when none is given; `"all"` for a list stands for every allowed value.
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: Option<toml::Value>,
    /// A value for checks and documentation, where there is no default.
    #[schemars(with = "Option<serde_json::Value>")]
    pub example: Option<toml::Value>,
    /// Smallest value.
    #[schemars(with = "Option<serde_json::Value>")]
    pub min: Option<toml::Value>,
    /// Largest value.
    #[schemars(with = "Option<serde_json::Value>")]
    pub max: Option<toml::Value>,
    /// Allowed values.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub values: Option<Vec<toml::Value>>,
    /// A query for the allowed values: the value, and optionally a label that is accepted for it.
    pub values_sql: Option<String>,
}
