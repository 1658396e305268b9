//! `#[derive(Wire)]`: an annotated struct becomes a versioned Kafka codec and a description of itself.
//!
//! On the struct, `#[message(versions = "0-4", flexible = "4+")]` makes it a whole message; `unstable` says
//! that Kafka still changes the last version; `name = "…"` gives Kafka's name where it is not the Rust name.
//! Without `#[message]` it is a structure inside one, for which `#[wire(name = "…")]` may give the name.
//!
//! Each field says in which versions it is there, and what else is to know:
//!
//! ```text
//! #[wire("3+", nullable = "3+", default = null, ignorable)]
//! pub group_instance_id: Option<Text>,
//! ```
//!
//! | word | meaning |
//! | --- | --- |
//! | `"3+"`, `"0-8"`, `"5"` | the versions that have the field |
//! | `nullable = "…"` | the versions in which it may be null; the type is then an `Option` |
//! | `default = …` | `null`, a number or a truth value; else zero, false or empty |
//! | `tag = 0` | it is a tagged field, in all of its versions |
//! | `ignorable` | a value that the version has no place for is dropped in silence |
//! | `never_flexible` | keeps the old encoding in flexible versions |
//! | `name = "…"` | Kafka's name, where it is not the field's name in camel case |
//!
//! The Rust type says the wire type. A field of type `TaggedFields` takes no annotation: it keeps the tagged
//! fields that the codec does not know. `Default` is implemented as the definitions have it.

use proc_macro::TokenStream;

mod attributes;
mod codec;
mod schema;

/// See the crate's documentation.
#[proc_macro_derive(Wire, attributes(wire, message))]
pub fn derive_wire(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    attributes::Structure::parse(&input)
        .map(|structure| {
            let schema = schema::generate(&structure);
            let codec = codec::generate(&structure);
            quote::quote! { #schema #codec }
        })
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
