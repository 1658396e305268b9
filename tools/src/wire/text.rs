//! The protocol as tables for people.

use std::io::{self, Write};

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::schema::{DefaultValue, FieldSchema, MessageSchema, StructSchema};

use super::json::{structure_of, type_name};
use super::retry_name;

/// A line for each API.
pub(super) fn apis(keys: &[ApiKey], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>3}  {:<28} {:>8} {:>8} {:>9}  {:>15} {:>16}",
        "key", "name", "versions", "stable", "flexible", "request headers", "response headers"
    )?;
    for api in keys.iter().map(|key| key.api()) {
        let (first, last) = (api.versions().first, api.versions().last);
        let headers = |version: fn(&strandline_protocol::apis::Api, i16) -> i16| match (
            version(api, first),
            version(api, last),
        ) {
            (oldest, newest) if oldest == newest => oldest.to_string(),
            (oldest, newest) => format!("{oldest}-{newest}"),
        };
        writeln!(
            out,
            "{:>3}  {:<28} {:>8} {:>8} {:>9}  {:>15} {:>16}",
            i16::from(api.key),
            api.name,
            api.versions().to_string(),
            api.stable_versions().to_string(),
            api.request.schema.flexible_versions.to_string(),
            headers(|api, version| api.request_header_version(version)),
            headers(|api, version| api.response_header_version(version)),
        )?;
    }
    Ok(())
}

/// A line for each error code.
pub(super) fn errors(codes: &[ErrorCode], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:>4}  {:<40} retry", "code", "name")?;
    for code in codes {
        writeln!(out, "{:>4}  {:<40} {}", code.0, code.to_string(), retry_name(code.retry()))?;
    }
    Ok(())
}

/// A message and its fields, those of structures behind the field that holds them.
pub(super) fn schema(schema: &MessageSchema, out: &mut impl Write) -> io::Result<()> {
    let unstable = if schema.latest_version_unstable { ", the last one unstable" } else { "" };
    let (versions, flexible) = (schema.versions, schema.flexible_versions);
    writeln!(out, "{}: versions {versions}{unstable}; flexible: {flexible}", schema.name)?;
    fields(schema.body, 2, out)?;
    writeln!(out)
}

fn fields(structure: &StructSchema, indentation: usize, out: &mut impl Write) -> io::Result<()> {
    for field in structure.fields {
        let name = format!("{:indentation$}{}", "", field.name);
        let (name_of_type, versions) = (type_name(field.field_type), field.versions.to_string());
        let line = format!("{name:<36} {name_of_type:<32} {versions:<6} {}", notes(field).join(", "));
        writeln!(out, "{}", line.trim_end())?;
        if let Some(structure) = structure_of(field.field_type) {
            fields(structure, indentation + 2, out)?;
        }
    }
    Ok(())
}

fn notes(field: &FieldSchema) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(tag) = field.tag {
        notes.push(format!("tag {tag}"));
    }
    if !field.nullable_versions.is_empty() {
        notes.push(format!("nullable {}", field.nullable_versions));
    }
    match field.default {
        DefaultValue::Zero => {}
        DefaultValue::Null => notes.push("default null".to_owned()),
        DefaultValue::Int(number) => notes.push(format!("default {number}")),
        DefaultValue::Bool(truth) => notes.push(format!("default {truth}")),
    }
    if field.ignorable {
        notes.push("ignorable".to_owned());
    }
    if field.never_flexible {
        notes.push("never flexible".to_owned());
    }
    notes
}
