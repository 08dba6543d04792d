//! Generates Rust types and SOAP serializers from a description of the VI API.
