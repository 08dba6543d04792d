//! The root module of the generated code.

use quote::quote;

use super::{Emission, File, Target};

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let doc = format!(
        " The part of the VI API that `{}` describes.",
        emission.source
    );
    let path = match emission.target {
        Target::Module => "mod.rs",
        Target::Crate { .. } => "lib.rs",
    };
    let sections = [
        quote! {
            #![doc = #doc]
            #![doc = ""]
            #![doc = " The names are those of the API, cased as Rust does it; the documentation of each item says how it is"]
            #![doc = " called on the wire."]
            #![allow(clippy::all, clippy::pedantic, unused_imports)]
        },
        quote! {
            #[rustfmt::skip]
            pub mod enums;
            #[cfg(doc)]
            #[rustfmt::skip]
            pub mod families;
            #[rustfmt::skip]
            pub mod methods;
            #[rustfmt::skip]
            pub mod objects;
            #[rustfmt::skip]
            pub mod properties;
            #[rustfmt::skip]
            pub mod references;
            #[rustfmt::skip]
            mod registry;
        },
        quote! { pub use registry::{Bindings, interface, registry}; },
    ];
    files.push(emission.file(path, sections));
}
