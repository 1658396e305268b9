//! `Wire` and `Nullable` for a struct: one branch per field, versions decided by comparing numbers.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attributes::{Field, Structure, Versions};
use crate::schema::default_value;

pub(crate) fn generate(structure: &Structure) -> TokenStream {
    let ident = &structure.ident;
    let decode = decode_body(structure);
    let encode = encode_body(structure);
    quote! {
        impl ::strandline_protocol::wire::Wire for #ident {
            const TYPE: ::strandline_protocol::schema::FieldType = ::strandline_protocol::schema::FieldType::Struct(&Self::STRUCT_SCHEMA);

            fn decode(
                reader: &mut ::strandline_protocol::reader::Reader,
                layout: ::strandline_protocol::wire::Layout,
            ) -> ::strandline_protocol::wire::DecodeResult<Self> {
                #decode
            }

            fn encode(
                &self,
                writer: &mut ::strandline_protocol::writer::Writer,
                layout: ::strandline_protocol::wire::Layout,
            ) -> ::strandline_protocol::wire::EncodeResult {
                #encode
            }
        }

        impl ::strandline_protocol::wire::Nullable for #ident {
            fn decode_nullable(
                reader: &mut ::strandline_protocol::reader::Reader,
                layout: ::strandline_protocol::wire::Layout,
            ) -> ::strandline_protocol::wire::DecodeResult<::core::option::Option<Self>> {
                ::strandline_protocol::wire::decode_nullable_struct(reader, layout)
            }

            fn encode_nullable(
                value: ::core::option::Option<&Self>,
                writer: &mut ::strandline_protocol::writer::Writer,
                layout: ::strandline_protocol::wire::Layout,
            ) -> ::strandline_protocol::wire::EncodeResult {
                ::strandline_protocol::wire::encode_nullable_struct(value, writer, layout)
            }

            fn decode_nullable_tagged(
                reader: &mut ::strandline_protocol::reader::Reader,
                layout: ::strandline_protocol::wire::Layout,
            ) -> ::strandline_protocol::wire::DecodeResult<::core::option::Option<Self>> {
                ::strandline_protocol::wire::decode_nullable_tagged_struct(reader, layout)
            }

            fn encode_nullable_tagged(
                value: ::core::option::Option<&Self>,
                writer: &mut ::strandline_protocol::writer::Writer,
                layout: ::strandline_protocol::wire::Layout,
            ) -> ::strandline_protocol::wire::EncodeResult {
                ::strandline_protocol::wire::encode_nullable_tagged_struct(value, writer, layout)
            }
        }
    }
}

fn decode_body(structure: &Structure) -> TokenStream {
    let names: Vec<_> = structure.fields.iter().map(|field| &field.ident).collect();
    let reads = structure.fields.iter().map(|field| {
        let (ident, default) = (&field.ident, default_value(field));
        let field_type = &field.field_type;
        if field.tag.is_some() {
            return quote! { let mut #ident: #field_type = #default; };
        }
        let read = decode_field(structure, field);
        match check(field.versions) {
            None => quote! { let #ident: #field_type = #read; },
            Some(check) => {
                quote! { let #ident: #field_type = if #check { #read } else { #default }; }
            }
        }
    });
    let (read_tags, unknown_tags) = decode_tags(structure);
    quote! {
        #(#reads)*
        #read_tags
        ::core::result::Result::Ok(Self { #(#names,)* #unknown_tags })
    }
}

fn decode_field(structure: &Structure, field: &Field) -> TokenStream {
    let path = path(structure, field);
    let inner = field.inner_type();
    let layout = layout(field);
    let decode = if field.tag.is_some() {
        quote! { decode_nullable_tagged }
    } else {
        quote! { decode_nullable }
    };
    let nullable = quote! { <#inner as ::strandline_protocol::wire::Nullable>::#decode(reader, #layout)? };
    let plain = quote! { <#inner as ::strandline_protocol::wire::Wire>::decode(reader, #layout)? };
    let read = match field.nullable {
        None => plain,
        Some(versions) if versions.covers(field.versions) => nullable,
        Some(versions) => {
            let check = check(versions);
            quote! { if #check { #nullable } else { ::core::option::Option::Some(#plain) } }
        }
    };
    quote! {{ reader.enter_field(#path); #read }}
}

fn decode_tags(structure: &Structure) -> (TokenStream, TokenStream) {
    let Some(unknown) = &structure.unknown_tags else { return Default::default() };
    let arms: Vec<_> = tagged(structure)
        .map(|(tag, field)| {
            let ident = &field.ident;
            let read = decode_field(structure, field);
            let check = check(field.versions).map(|check| quote! { if #check });
            quote! { #tag #check => #ident = #read, }
        })
        .collect();
    let known = if arms.is_empty() {
        quote! { |_, _| ::core::result::Result::Ok(false) }
    } else {
        quote! {
            |reader, tag| {
                match tag {
                    #(#arms)*
                    _ => return ::core::result::Result::Ok(false),
                }
                ::core::result::Result::Ok(true)
            }
        }
    };
    let path = format!("{}.tags", structure.name);
    let read = quote! {
        let #unknown = if layout.flexible {
            reader.enter_field(#path);
            reader.tagged_fields(#known)?
        } else {
            ::strandline_protocol::tagged::TaggedFields::NONE
        };
    };
    (read, quote! { #unknown, })
}

fn encode_body(structure: &Structure) -> TokenStream {
    let writes = structure.fields.iter().filter(|field| field.tag.is_none()).map(|field| {
        let write = encode_field(structure, field);
        match (check(field.versions), not_in_version(structure, field)) {
            (None, _) => write,
            (Some(check), None) => quote! { if #check { #write } },
            (Some(check), Some(refuse)) => quote! { if #check { #write } else #refuse },
        }
    });
    let tags = encode_tags(structure);
    quote! {
        #(#writes)*
        #tags
        ::core::result::Result::Ok(())
    }
}

fn encode_field(structure: &Structure, field: &Field) -> TokenStream {
    let (ident, path, inner, layout) =
        (&field.ident, path(structure, field), field.inner_type(), layout(field));
    let encode = if field.tag.is_some() {
        quote! { encode_nullable_tagged }
    } else {
        quote! { encode_nullable }
    };
    let nullable = quote! {
        <#inner as ::strandline_protocol::wire::Nullable>::#encode(self.#ident.as_ref(), writer, #layout)?;
    };
    let write = match field.nullable {
        None => quote! { ::strandline_protocol::wire::Wire::encode(&self.#ident, writer, #layout)?; },
        Some(versions) if versions.covers(field.versions) => nullable,
        Some(versions) => {
            let check = check(versions);
            quote! {
                if #check { #nullable } else {
                    ::strandline_protocol::wire::encode_not_null(self.#ident.as_ref(), writer, #layout)?;
                }
            }
        }
    };
    quote! { writer.enter_field(#path); #write }
}

/// What happens to a value that the version has no place for: an error, or nothing where it is ignorable.
fn not_in_version(structure: &Structure, field: &Field) -> Option<TokenStream> {
    let (path, differs) = (path(structure, field), differs_from_default(field));
    (!field.ignorable).then(|| {
        quote! {
            if #differs {
                writer.enter_field(#path);
                return ::core::result::Result::Err(
                    writer.error(::strandline_protocol::error::EncodeErrorKind::FieldNotInVersion)
                );
            }
        }
    })
}

fn encode_tags(structure: &Structure) -> TokenStream {
    let Some(unknown) = &structure.unknown_tags else { return TokenStream::new() };
    let present = |field: &Field| {
        let differs = differs_from_default(field);
        match check(field.versions) {
            Some(check) => quote! { (#check && #differs) },
            None => quote! { (#differs) },
        }
    };
    let counts = tagged(structure).map(|(_, field)| present(field));
    let writes = tagged(structure).map(|(tag, field)| {
        let (present, write) = (present(field), encode_field(structure, field));
        let in_version = check(field.versions).map(|check| quote! { if #check });
        quote! {
            if #present {
                section.known(writer, #tag, |writer| {
                    #write
                    ::core::result::Result::Ok(())
                })?;
            } else #in_version {
                section.absent(writer, #tag)?;
            }
        }
    });
    // Outside of a tagged field's versions its value is dropped or refused, as any other field's.
    let refusals = tagged(structure).filter_map(|(_, field)| {
        let refuse = not_in_version(structure, field)?;
        let check = check(field.versions)?;
        Some(quote! { if !(#check) { #refuse } })
    });
    let path = format!("{}.tags", structure.name);
    quote! {
        #(#refusals)*
        writer.enter_field(#path);
        if layout.flexible {
            let mut section = writer.tagged_fields(0 #(+ usize::from(#counts))*, &self.#unknown)?;
            #(#writes)*
            section.finish(writer)?;
        } else if !self.#unknown.is_empty() {
            return ::core::result::Result::Err(writer.error(::strandline_protocol::error::EncodeErrorKind::TagsNotInVersion));
        }
    }
}

/// Whether a field's value is not its default.
fn differs_from_default(field: &Field) -> TokenStream {
    let (ident, field_type, default) = (&field.ident, &field.field_type, default_value(field));
    quote! { self.#ident != { let default: #field_type = #default; default } }
}

/// Tagged fields with their numbers, rising.
fn tagged(structure: &Structure) -> impl Iterator<Item = (u32, &Field)> {
    let mut fields: Vec<_> =
        structure.fields.iter().filter_map(|field| field.tag.map(|tag| (tag, field))).collect();
    fields.sort_by_key(|&(tag, _)| tag);
    fields.into_iter()
}

/// The comparison that says whether the version is in the range; none where every version is.
fn check(versions: Versions) -> Option<TokenStream> {
    if versions.is_all() {
        return None;
    }
    let Versions { first, last } = versions;
    Some(match last {
        None => quote! { layout.version >= #first },
        Some(last) if first == last => quote! { layout.version == #first },
        Some(last) if first == 0 => quote! { layout.version <= #last },
        Some(last) => quote! { (#first..=#last).contains(&layout.version) },
    })
}

fn path(structure: &Structure, field: &Field) -> String {
    format!("{}.{}", structure.name, field.name)
}

fn layout(field: &Field) -> TokenStream {
    if field.never_flexible {
        quote! { layout.never_flexible() }
    } else {
        quote! { layout }
    }
}
