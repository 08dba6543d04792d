//! What a server is too old for, found before anything is sent.

use std::fmt;

use vi_types::objects::{PropertySpec, TraversalSpec};
use vi_types::{
    List, ManagedObjectReference, MethodInfo, Object, ObjectInfo, Occurrence, Registry, View,
};

use crate::version::ApiVersion;

/// Something that a call needs and that came to the API after the server's version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method}: {asked} since VI API {since}, but the server's is {server}; {}", .asked.instead())]
pub struct TooNew {
    /// The method called.
    pub method: &'static str,
    /// What the server doesn't have.
    pub asked: Asked,
    /// The first version of the API that has it.
    pub since: &'static str,
    /// The server's version of the API, its `about.apiVersion`.
    pub server: ApiVersion,
}

/// What a server may be too old for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// The method itself.
    Method {
        /// The type of the object it is called on.
        object: String,
    },
    /// A parameter, or a property of an object in one.
    Parameter {
        /// Its path, such as `spec.deviceChange[0].device`.
        path: String,
    },
    /// A type of data object that a parameter has somewhere.
    Type {
        /// Where, as in [`Parameter`](Self::Parameter).
        path: String,
        /// The type.
        name: &'static str,
    },
    /// A property of a managed object that is to be read, or to be followed to other objects.
    Property {
        /// The managed object's type.
        object: String,
        /// The property's path, as far as the server doesn't have it.
        path: String,
    },
    /// A type of managed object whose properties are to be read.
    ManagedObject {
        /// The type.
        name: String,
    },
}

impl Asked {
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

impl fmt::Display for Asked {
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

/// Compares everything that a request has with the server's version, `None` if that has no order.
///
/// The version counts that the server has, not the one that it was asked to speak. What is behind the declared type of
/// a property path is not looked at, nor are values of enumerations: those that came later than their type are all of
/// enumerations that the API has strings for (`EnumInfo::values` knows them).
///
/// # Errors
/// For the first thing that the server is too old for.
pub(crate) fn check(
    registry: &'static Registry,
    method: MethodInfo,
    request: &dyn Object,
    this: &ManagedObjectReference,
    server: Option<&ApiVersion>,
) -> Result<(), Box<TooNew>> {
    // Unreleased servers, with versions such as m5CA1EF4D, have everything, and so have the newest.
    let Some(server) = server.filter(|server| **server < ApiVersion::newest()) else {
        return Ok(());
    };
    let check = Check { registry, server };
    let found = check.method(method, request, this);
    found.map_err(|(asked, since)| {
        Box::new(TooNew {
            method: method.name,
            asked,
            since,
            server: server.clone(),
        })
    })
}

/// What the server is too old for, and since when it exists.
type Found = Result<(), (Asked, &'static str)>;

struct Check<'s> {
    registry: &'static Registry,
    server: &'s ApiVersion,
}

impl Check<'_> {
    fn method(
        &self,
        method: MethodInfo,
        request: &dyn Object,
        this: &ManagedObjectReference,
    ) -> Found {
        self.known(method.since, || Asked::Method {
            object: this.r#type.clone(),
        })?;
        self.properties(request, "")
    }

    fn known(&self, since: &'static str, asked: impl FnOnce() -> Asked) -> Found {
        match self.server.has(since) {
            true => Ok(()),
            false => Err((asked(), since)),
        }
    }

    /// The parameters of a request, or the properties of an object in one of them, at `path`.
    fn properties(&self, object: &dyn Object, path: &str) -> Found {
        let step = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        for (index, field) in object.info().all_fields().enumerate() {
            let view = object.get(index).view();
            if let View::Unset = view {
                continue;
            }
            // What must be there is written, whether it was given or not.
            if field.occurrence != Occurrence::Required {
                self.known(field.since, || Asked::Parameter {
                    path: step(field.name),
                })?;
            }
            match view {
                View::Object(value) => self.object(value, || step(field.name))?,
                View::List(list) => self.list(list, || step(field.name))?,
                View::Any(any) => {
                    if let Some(value) = any.as_object() {
                        self.object(value, || step(field.name))?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn list(&self, list: List<'_>, path: impl Fn() -> String) -> Found {
        for (at, item) in list.iter().enumerate() {
            // The items of a list are all of one kind.
            let View::Object(value) = item else { break };
            self.object(value, || format!("{}[{at}]", path()))?;
        }
        Ok(())
    }

    fn object(&self, object: &dyn Object, path: impl Fn() -> String) -> Found {
        let info = object.info();
        self.known(info.since(), || Asked::Type {
            path: path(),
            name: info.name,
        })?;
        if let Some(asked) = object.downcast_ref::<PropertySpec>() {
            let paths = asked.path_set.iter().map(String::as_str);
            self.paths(&asked.r#type, paths)?;
        }
        if let Some(followed) = object.downcast_ref::<TraversalSpec>() {
            self.paths(&followed.r#type, [followed.path.as_str()])?;
        }
        self.properties(object, &path())
    }

    /// Property paths of a type of managed object.
    fn paths<'p>(&self, object: &str, paths: impl IntoIterator<Item = &'p str>) -> Found {
        let Some(properties) = self.registry.managed_object(object) else {
            return Ok(());
        };
        self.known(properties.since(), || Asked::ManagedObject {
            name: object.to_owned(),
        })?;
        for path in paths {
            self.path(object, properties, path)?;
        }
        Ok(())
    }

    fn path(&self, object: &str, properties: &'static ObjectInfo, path: &str) -> Found {
        let (mut info, mut end) = (properties, 0);
        for step in path.split('.') {
            end += step.len();
            let name = step.split('[').next().unwrap_or_default();
            let field = info.all_fields().find(|field| field.name == name);
            // A property of a descendant of the declared type, or none: the server knows.
            let Some(field) = field else { break };
            self.known(field.since, || Asked::Property {
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
