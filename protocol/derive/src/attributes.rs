//! Reads the annotations of a struct, and refuses those that contradict each other.

use syn::parse::ParseStream;
use syn::{Attribute, Data, DeriveInput, Error, Ident, LitInt, LitStr, Result, Token, Type};

/// An annotated struct.
pub(crate) struct Structure {
    pub(crate) ident: Ident,
    /// Kafka's name for it.
    pub(crate) name: String,
    /// Set on whole messages only.
    pub(crate) message: Option<MessageAttributes>,
    pub(crate) fields: Vec<Field>,
    /// The field that keeps unknown tagged fields.
    pub(crate) unknown_tags: Option<Ident>,
}

/// What `#[message(…)]` says.
pub(crate) struct MessageAttributes {
    pub(crate) versions: Versions,
    pub(crate) flexible: Versions,
    pub(crate) unstable: bool,
}

/// An annotated field.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) field_type: Type,
    /// Kafka's name for it.
    pub(crate) name: String,
    pub(crate) versions: Versions,
    pub(crate) nullable: Option<Versions>,
    pub(crate) default: Option<Default>,
    pub(crate) tag: Option<u32>,
    pub(crate) ignorable: bool,
    pub(crate) never_flexible: bool,
}

/// A default that is not the type's zero.
pub(crate) enum Default {
    Null,
    Int(LitInt, bool),
    Bool(bool),
}

/// A range of versions; without a last one it is open above.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Versions {
    pub(crate) first: i16,
    pub(crate) last: Option<i16>,
}

impl Structure {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self> {
        let Data::Struct(data) = &input.data else {
            return Err(Error::new_spanned(input, "only structs have a layout on the wire"));
        };
        let mut name = input.ident.to_string();
        let mut message = None;
        for attribute in &input.attrs {
            if attribute.path().is_ident("message") {
                message = Some(MessageAttributes::parse(attribute, &mut name)?);
            } else if attribute.path().is_ident("wire") {
                attribute.parse_args_with(|input: ParseStream<'_>| parse_name(input, &mut name))?;
            }
        }
        let mut fields = Vec::new();
        let mut unknown_tags = None;
        for field in &data.fields {
            let Some(ident) = field.ident.clone() else {
                return Err(Error::new_spanned(field, "fields need names"));
            };
            if is_named(&field.ty, "TaggedFields") {
                unknown_tags = Some(ident);
            } else {
                fields.push(Field::parse(ident, field)?);
            }
        }
        let flexible = message.as_ref().is_some_and(|message| !message.flexible.is_empty());
        if flexible && unknown_tags.is_none() {
            return Err(Error::new_spanned(
                &input.ident,
                "a flexible message keeps its unknown tags: add TaggedFields",
            ));
        }
        Ok(Self { ident: input.ident.clone(), name, message, fields, unknown_tags })
    }
}

impl MessageAttributes {
    fn parse(attribute: &Attribute, name: &mut String) -> Result<Self> {
        let mut versions = None;
        let mut flexible = None;
        let mut unstable = false;
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("versions") {
                versions = Some(Versions::parse(&meta.value()?.parse()?)?);
            } else if meta.path.is_ident("flexible") {
                flexible = Some(Versions::parse(&meta.value()?.parse()?)?);
            } else if meta.path.is_ident("unstable") {
                unstable = true;
            } else if meta.path.is_ident("name") {
                *name = meta.value()?.parse::<LitStr>()?.value();
            } else {
                return Err(meta.error("one of: versions, flexible, unstable, name"));
            }
            Ok(())
        })?;
        let missing = |what| Error::new_spanned(attribute, format!("`{what} = \"…\"` is missing"));
        Ok(Self {
            versions: versions.ok_or_else(|| missing("versions"))?,
            flexible: flexible.ok_or_else(|| missing("flexible"))?,
            unstable,
        })
    }
}

fn parse_name(input: ParseStream<'_>, name: &mut String) -> Result<()> {
    let word: Ident = input.parse()?;
    if word != "name" {
        return Err(Error::new(word.span(), "only `name` goes here"));
    }
    input.parse::<Token![=]>()?;
    *name = input.parse::<LitStr>()?.value();
    Ok(())
}

impl Field {
    fn parse(ident: Ident, field: &syn::Field) -> Result<Self> {
        let mut attributes = field.attrs.iter().filter(|attribute| attribute.path().is_ident("wire"));
        let (Some(attribute), None) = (attributes.next(), attributes.next()) else {
            return Err(Error::new_spanned(field, "each field needs one `#[wire(\"versions\", …)]`"));
        };
        let parsed = attribute.parse_args_with(|input: ParseStream<'_>| {
            Self::parse_words(ident.clone(), field.ty.clone(), input)
        })?;
        let is_option = is_named(&field.ty, "Option");
        if is_option != parsed.nullable.is_some() {
            return Err(Error::new_spanned(field, "`nullable` and `Option` go together"));
        }
        if matches!(parsed.default, Some(Default::Null)) && !is_option {
            return Err(Error::new_spanned(field, "only an `Option` can be null"));
        }
        Ok(parsed)
    }

    fn parse_words(ident: Ident, field_type: Type, input: ParseStream<'_>) -> Result<Self> {
        let mut field = Self {
            name: camel_case(&ident.to_string()),
            versions: Versions::parse(&input.parse()?)?,
            ident,
            field_type,
            nullable: None,
            default: None,
            tag: None,
            ignorable: false,
            never_flexible: false,
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "ignorable" => field.ignorable = true,
                "never_flexible" => field.never_flexible = true,
                "nullable" => field.nullable = Some(Versions::parse(&value(input)?)?),
                "tag" => field.tag = Some(value::<LitInt>(input)?.base10_parse()?),
                "name" => field.name = value::<LitStr>(input)?.value(),
                "default" => field.default = Some(Default::parse(input)?),
                _ => return Err(Error::new(word.span(), "not a word that a field knows")),
            }
        }
        Ok(field)
    }

    /// The type inside the `Option` of a nullable field, else the type itself.
    pub(crate) fn inner_type(&self) -> &Type {
        if self.nullable.is_some()
            && let Type::Path(path) = &self.field_type
            && let Some(segment) = path.path.segments.last()
            && let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments
            && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
        {
            return inner;
        }
        &self.field_type
    }
}

fn value<T: syn::parse::Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

impl Default {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.parse::<Token![=]>()?;
        if input.peek(syn::LitBool) {
            return Ok(Self::Bool(input.parse::<syn::LitBool>()?.value));
        }
        if input.peek(Ident) {
            let word: Ident = input.parse()?;
            return if word == "null" {
                Ok(Self::Null)
            } else {
                Err(Error::new(word.span(), "`null`, a number or a truth value"))
            };
        }
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        Ok(Self::Int(input.parse()?, negative))
    }
}

impl Versions {
    /// Parses `none`, `3`, `3-13` or `3+`.
    fn parse(literal: &LitStr) -> Result<Self> {
        Self::parse_text(&literal.value())
            .ok_or_else(|| Error::new(literal.span(), "versions are `none`, `3`, `3-13` or `3+`"))
    }

    fn parse_text(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self { first: 0, last: Some(-1) });
        }
        if let Some(first) = text.strip_suffix('+') {
            return Some(Self { first: first.parse().ok()?, last: None });
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(Self { first, last: Some(last) })
    }

    pub(crate) fn is_empty(self) -> bool {
        self.last.is_some_and(|last| last < self.first)
    }

    /// Whether every version is in the range, so that nothing needs checking.
    pub(crate) fn is_all(self) -> bool {
        self.first == 0 && self.last.is_none()
    }

    /// Whether every version of `inner` is in this range.
    pub(crate) fn covers(self, inner: Self) -> bool {
        let last = |versions: Self| versions.last.unwrap_or(i16::MAX);
        self.first <= inner.first && last(inner) <= last(self)
    }
}

fn is_named(field_type: &Type, name: &str) -> bool {
    match field_type {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == name),
        _ => false,
    }
}

/// `group_instance_id` is `GroupInstanceId` to Kafka.
fn camel_case(snake: &str) -> String {
    let mut camel = String::new();
    for word in snake.trim_start_matches("r#").split('_') {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.extend(letters);
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(source: &str) -> String {
        let input: DeriveInput = syn::parse_str(source).unwrap();
        match Structure::parse(&input) {
            Ok(_) => panic!("accepted: {source}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn contradictions_are_refused_with_what_would_be_right() {
        for (source, refused) in [
            ("enum A {}", "only structs have a layout on the wire"),
            ("struct A(u8);", "fields need names"),
            ("struct A { a: u8 }", "each field needs one `#[wire(\"versions\", …)]`"),
            (
                "struct A { #[wire(\"0+\")] #[wire(\"0+\")] a: u8 }",
                "each field needs one `#[wire(\"versions\", …)]`",
            ),
            ("struct A { #[wire(\"3-1\")] a: u8 }", "versions are `none`, `3`, `3-13` or `3+`"),
            ("struct A { #[wire(\"0+\", ignorabel)] a: u8 }", "not a word that a field knows"),
            ("struct A { #[wire(\"0+\", nullable = \"1+\")] a: u8 }", "`nullable` and `Option` go together"),
            ("struct A { #[wire(\"0+\")] a: Option<u8> }", "`nullable` and `Option` go together"),
            ("struct A { #[wire(\"0+\", default = null)] a: u8 }", "only an `Option` can be null"),
            ("#[message(flexible = \"none\")] struct A {}", "`versions = \"…\"` is missing"),
            ("#[message(versions = \"0\")] struct A {}", "`flexible = \"…\"` is missing"),
            ("#[message(version = \"0\")] struct A {}", "one of: versions, flexible, unstable, name"),
            ("#[wire(nome = \"B\")] struct A {}", "only `name` goes here"),
            (
                "#[message(versions = \"0\", flexible = \"0+\")] struct A {}",
                "a flexible message keeps its unknown tags: add TaggedFields",
            ),
        ] {
            assert_eq!(refusal(source), refused, "{source}");
        }
    }

    #[test]
    fn names_are_kafkas_unless_said_otherwise() {
        let source = r#"struct A {
            #[wire("0+")] group_instance_id: u8,
            #[wire("1-3", name = "Type", default = -1, tag = 7)] kind: i8,
        }"#;
        let structure = Structure::parse(&syn::parse_str(source).unwrap()).unwrap();
        let names: Vec<_> = structure.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["GroupInstanceId", "Type"]);
        assert_eq!(structure.fields[1].tag, Some(7));
        assert!(structure.fields[1].versions == Versions { first: 1, last: Some(3) });
    }

    #[test]
    fn ranges_know_what_they_hold() {
        let versions = |text| Versions::parse_text(text).unwrap();
        assert!(versions("none").is_empty() && !versions("0").is_empty());
        assert!(versions("0+").is_all() && !versions("1+").is_all() && !versions("0-9").is_all());
        assert!(versions("1+").covers(versions("2-4")) && !versions("1-3").covers(versions("2+")));
    }
}
