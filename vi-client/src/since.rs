//! Compares a request with the server's version before it is sent.

use std::fmt;

use vi_types::objects::{PropertySpec, TraversalSpec};
use vi_types::{
    List, ManagedObjectReference, MethodInfo, Object, ObjectInfo, Occurrence, Registry, View,
};

use crate::version::ApiVersion;

/// A call needs a feature that came to the API after the server's version.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method}: {feature} since VI API {since}, but the server's is {server}; {}", .feature.instead())]
pub struct TooNew {
    /// The method called.
    pub method: &'static str,
    /// The feature that the server lacks.
    pub feature: Feature,
    /// The first version of the API with the feature.
    pub since: &'static str,
    /// The server's version of the API, its `about.apiVersion`.
    pub server: ApiVersion,
}

/// A part of the API that older servers lack.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// The method itself.
    Method {
        /// The type of the object that the method is called on.
        object: String,
    },
    /// A parameter, or a property of an object in a parameter.
    Parameter {
        /// The path, such as `spec.deviceChange[0].device`.
        path: String,
    },
    /// The type of a data object in a parameter.
    Type {
        /// The path of the object, as in [`Parameter`](Self::Parameter).
        path: String,
        /// The type.
        name: &'static str,
    },
    /// A property of a managed object that the request reads, or follows to other objects.
    Property {
        /// The managed object's type.
        object: String,
        /// The property's path, up to the first step that the server lacks.
        path: String,
    },
    /// A type of managed object whose properties the request reads.
    ManagedObject {
        /// The type.
        name: String,
    },
}

impl Feature {
    fn instead(&self) -> &'static str {
        match self {
            Self::Method { .. } => "do without it, or ask about.apiVersion first",
            Self::Parameter { .. } => "leave it unset for this server",
            Self::Type { .. } => "use an older type for this server",
            Self::Property { .. } => "leave it out for this server",
            Self::ManagedObject { .. } => "leave its properties out for this server",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method { object } => write!(f, "{object} has this method"),
            Self::Parameter { path } => write!(f, "there is '{path}'"),
            Self::Type { path, name } => write!(f, "there is {name}, the type of '{path}',"),
            Self::Property { object, path } => write!(f, "{object} has the property '{path}'"),
            Self::ManagedObject { name } => write!(f, "there are objects of the type {name}"),
        }
    }
}

/// Compares a request with the version of the server; `None` if that is not a number.
///
/// The server's own version counts, not the negotiated one. A property path is checked up to its declared type, and
/// values of enumerations are not checked: the values that came later than their enumeration are those of strings
/// (`EnumInfo::values` knows them).
///
/// # Errors
/// For the first feature that the server lacks.
pub(crate) fn check(
    registry: &'static Registry,
    method: MethodInfo,
    request: &dyn Object,
    this: &ManagedObjectReference,
    server: Option<&ApiVersion>,
) -> Result<(), Box<TooNew>> {
    // Unreleased servers have versions such as m5CA1EF4D. They and the newest servers have all features.
    let Some(server) = server.filter(|server| **server < ApiVersion::newest()) else {
        return Ok(());
    };
    let check = Check { registry, server };
    let found = check.check_method(method, request, this);
    found.map_err(|(feature, since)| {
        Box::new(TooNew {
            method: method.name,
            feature,
            since,
            server: server.clone(),
        })
    })
}

/// The feature that the server lacks, and the version that introduced it.
type Checked = Result<(), (Feature, &'static str)>;

struct Check<'s> {
    registry: &'static Registry,
    server: &'s ApiVersion,
}

impl Check<'_> {
    fn check_method(
        &self,
        method: MethodInfo,
        request: &dyn Object,
        this: &ManagedObjectReference,
    ) -> Checked {
        self.check_since(method.since, || Feature::Method {
            object: this.r#type.clone(),
        })?;
        self.check_properties(request, "")
    }

    fn check_since(&self, since: &'static str, feature: impl FnOnce() -> Feature) -> Checked {
        match self.server.has(since) {
            true => Ok(()),
            false => Err((feature(), since)),
        }
    }

    /// The parameters of a request, or the properties of an object in one of them, at `path`.
    fn check_properties(&self, object: &dyn Object, path: &str) -> Checked {
        let step = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        for (index, field) in object.info().all_fields().enumerate() {
            let view = object.get(index).view();
            if let View::Unset = view {
                continue;
            }
            // A required property is always encoded, so its presence says nothing.
            if field.occurrence != Occurrence::Required {
                self.check_since(field.since, || Feature::Parameter {
                    path: step(field.name),
                })?;
            }
            match view {
                View::Object(value) => self.check_object(value, || step(field.name))?,
                View::List(list) => self.check_list(list, || step(field.name))?,
                View::Any(any) => {
                    if let Some(value) = any.as_object() {
                        self.check_object(value, || step(field.name))?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_list(&self, list: List<'_>, path: impl Fn() -> String) -> Checked {
        for (at, item) in list.iter().enumerate() {
            // The items of a list are all of one kind.
            let View::Object(value) = item else { break };
            self.check_object(value, || format!("{}[{at}]", path()))?;
        }
        Ok(())
    }

    fn check_object(&self, object: &dyn Object, path: impl Fn() -> String) -> Checked {
        let info = object.info();
        self.check_since(info.since(), || Feature::Type {
            path: path(),
            name: info.name,
        })?;
        if let Some(spec) = object.downcast_ref::<PropertySpec>() {
            let paths = spec.path_set.iter().map(String::as_str);
            self.check_paths(&spec.r#type, paths)?;
        }
        if let Some(traversal) = object.downcast_ref::<TraversalSpec>() {
            self.check_paths(&traversal.r#type, [traversal.path.as_str()])?;
        }
        self.check_properties(object, &path())
    }

    /// Property paths of a type of managed object.
    fn check_paths<'p>(&self, object: &str, paths: impl IntoIterator<Item = &'p str>) -> Checked {
        let Some(properties) = self.registry.managed_object(object) else {
            return Ok(());
        };
        self.check_since(properties.since(), || Feature::ManagedObject {
            name: object.to_owned(),
        })?;
        for path in paths {
            self.check_path(object, properties, path)?;
        }
        Ok(())
    }

    fn check_path(&self, object: &str, properties: &'static ObjectInfo, path: &str) -> Checked {
        let (mut info, mut end) = (properties, 0);
        for step in vi_types::path::steps(path) {
            end += step.len();
            let name = step.split('[').next().unwrap_or_default();
            let field = info.all_fields().find(|field| field.name == name);
            // Unknown here: a property of a descendant of the declared type, or a mistake. The server decides.
            let Some(field) = field else { break };
            self.check_since(field.since, || Feature::Property {
                object: object.to_owned(),
                path: path[..end].to_owned(),
            })?;
            let Some(next) = self.registry.object(field.ty) else {
                break;
            };
            info = next;
            end += 1;
        }
        Ok(())
    }
}
