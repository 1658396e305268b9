//! The description of a struct as data, and its `Default`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Lit;

use crate::attributes::{Default, Field, Structure, Versions};

pub(crate) fn generate(structure: &Structure) -> TokenStream {
    let ident = &structure.ident;
    let name = &structure.name;
    let fields = structure.fields.iter().map(field_schema);
    let message = structure.message.as_ref().map(|message| {
        let versions = range(message.versions);
        let flexible = range(message.flexible);
        let unstable = message.unstable;
        quote! {
            impl ::strandline_protocol::message::Message for #ident {
                const SCHEMA: &'static ::strandline_protocol::schema::MessageSchema = &::strandline_protocol::schema::MessageSchema {
                    name: #name,
                    versions: #versions,
                    flexible_versions: #flexible,
                    latest_version_unstable: #unstable,
                    body: &Self::STRUCT_SCHEMA,
                };
            }
        }
    });
    let defaults = structure.fields.iter().map(|field| {
        let (ident, value) = (&field.ident, default_value(field));
        quote! { #ident: #value }
    });
    let unknown_tags = structure
        .unknown_tags
        .iter()
        .map(|ident| quote! { #ident: ::strandline_protocol::tagged::TaggedFields::NONE });
    quote! {
        impl #ident {
            const STRUCT_SCHEMA: ::strandline_protocol::schema::StructSchema =
                ::strandline_protocol::schema::StructSchema { name: #name, fields: &[#(#fields),*] };
        }

        #message

        impl ::core::default::Default for #ident {
            fn default() -> Self {
                Self { #(#defaults,)* #(#unknown_tags,)* }
            }
        }
    }
}

/// The value of a field that nothing was said about.
pub(crate) fn default_value(field: &Field) -> TokenStream {
    let zero = match &field.default {
        Some(Default::Null) => return quote! { ::core::option::Option::None },
        Some(Default::Bool(value)) => quote! { #value },
        Some(Default::Int(value, negative)) => {
            let sign = negative.then(|| quote! { - });
            quote! { #sign #value }
        }
        None => quote! { ::core::default::Default::default() },
    };
    if field.nullable.is_some() {
        quote! { ::core::option::Option::Some(#zero) }
    } else {
        zero
    }
}

fn field_schema(field: &Field) -> TokenStream {
    let inner = field.inner_type();
    let Field { name, ignorable, never_flexible, .. } = field;
    let versions = range(field.versions);
    let nullable = range(field.nullable.unwrap_or(Versions { first: 0, last: Some(-1) }));
    let tag = match field.tag {
        Some(tag) => quote! { ::core::option::Option::Some(#tag) },
        None => quote! { ::core::option::Option::None },
    };
    let default = match &field.default {
        None => quote! { Zero },
        Some(Default::Null) => quote! { Null },
        Some(Default::Bool(value)) => quote! { Bool(#value) },
        Some(Default::Int(value, negative)) => {
            let value = Lit::Int(value.clone());
            let sign = negative.then(|| quote! { - });
            quote! { Int(#sign #value) }
        }
    };
    quote! {
        ::strandline_protocol::schema::FieldSchema {
            name: #name,
            field_type: <#inner as ::strandline_protocol::wire::Wire>::TYPE,
            versions: #versions,
            nullable_versions: #nullable,
            tag: #tag,
            default: ::strandline_protocol::schema::DefaultValue::#default,
            ignorable: #ignorable,
            never_flexible: #never_flexible,
        }
    }
}

fn range(versions: Versions) -> TokenStream {
    let Versions { first, last } = versions;
    let last = match last {
        Some(last) => quote! { #last },
        None => quote! { i16::MAX },
    };
    quote! { ::strandline_protocol::schema::VersionRange::new(#first, #last) }
}
