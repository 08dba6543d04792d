//! Which of the driver's methods a test calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, ItemFn, Local, Macro, Member, Pat, ReturnType, Token, Type};

use super::driver::{Driver, Function, item_of, name_of, unwrapped};
use super::{ParityError, Source};

/// The methods that each test calls, itself or by functions of the tests.
pub(super) struct Tests {
    /// Methods (`Domain::suspend`) by test (`tasks::lifecycle::suspends`).
    calls: BTreeMap<String, BTreeSet<String>>,
}

impl Tests {
    /// The tests that call a method, those that call the fewest other methods first.
    pub(super) fn of(&self, function: &Function) -> Vec<&str> {
        let method = function.method();
        let calls = self
            .calls
            .iter()
            .filter(|(_, called)| called.contains(&method));
        let mut found: Vec<_> = calls
            .map(|(test, called)| (called.len(), test.as_str()))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, test)| test).collect()
    }
}

/// What functions of the tests return, by module and name.
type Helpers = HashMap<(String, String), Type>;

/// The module of what all tests use.
const ROOT: &str = "main";

/// A function of the tests.
struct Body {
    test: Option<String>,
    methods: BTreeSet<String>,
    functions: BTreeSet<String>,
}

/// Reads the tests.
pub(super) fn read(sources: &[Source], driver: &Driver) -> Result<Tests, ParityError> {
    let mut helpers = Helpers::new();
    for source in sources {
        for function in functions(&source.file.items) {
            if let ReturnType::Type(_, returned) = &function.sig.output {
                let key = (module_of(&source.path), function.sig.ident.to_string());
                helpers.insert(key, (**returned).clone());
            }
        }
    }
    let mut bodies = BTreeMap::<String, Vec<Body>>::new();
    for source in sources {
        let module = module_of(&source.path);
        for function in functions(&source.file.items) {
            let name = function.sig.ident.to_string();
            let is_test = function.attrs.iter().any(|attribute| {
                let last = attribute.path().segments.last();
                last.is_some_and(|segment| segment.ident == "test")
            });
            let mut reader = Reader {
                driver,
                helpers: &helpers,
                module: &module,
                types: HashMap::new(),
                body: Body {
                    test: is_test.then(|| format!("{module}::{name}")),
                    methods: BTreeSet::new(),
                    functions: BTreeSet::new(),
                },
            };
            reader.visit_item_fn(function);
            bodies.entry(name).or_default().push(reader.body);
        }
    }
    let mut calls = BTreeMap::new();
    for body in bodies.values().flatten() {
        let Some(test) = &body.test else { continue };
        let mut methods = body.methods.clone();
        let mut seen = BTreeSet::new();
        let mut next: Vec<_> = body.functions.iter().collect();
        while let Some(name) = next.pop() {
            if !seen.insert(name) {
                continue;
            }
            for helper in bodies.get(name).into_iter().flatten() {
                if helper.test.is_none() {
                    methods.extend(helper.methods.iter().cloned());
                    next.extend(&helper.functions);
                }
            }
        }
        calls.insert(test.clone(), methods);
    }
    Ok(Tests { calls })
}

/// The functions of a file, with those of its modules.
fn functions(items: &[syn::Item]) -> Vec<&ItemFn> {
    let mut found = Vec::new();
    for item in items {
        match item {
            syn::Item::Fn(function) => found.push(function),
            syn::Item::Mod(module) => {
                let items = module.content.as_ref().map(|(_, items)| functions(items));
                found.extend(items.into_iter().flatten());
            }
            _ => {}
        }
    }
    found
}

/// `tasks::lifecycle` of `esx-driver/tests/it/tasks/lifecycle.rs`.
fn module_of(path: &str) -> String {
    let path = path.rsplit_once("/it/").map_or(path, |(_, path)| path);
    path.trim_end_matches(".rs").replace('/', "::")
}

/// Reads the body of a function. It infers the types of most expressions, since several types have a method `name`.
struct Reader<'a> {
    driver: &'a Driver,
    /// What functions of the tests return.
    helpers: &'a Helpers,
    /// The module of the function.
    module: &'a str,
    /// The types of variables.
    types: HashMap<String, Type>,
    body: Body,
}

impl Reader<'_> {
    fn type_of(&self, expr: &Expr) -> Option<Type> {
        match expr {
            Expr::Path(path) => self.types.get(&path.path.get_ident()?.to_string()).cloned(),
            Expr::Await(expr) => self.type_of(&expr.base),
            Expr::Try(expr) => self.type_of(&expr.expr),
            Expr::Paren(expr) => self.type_of(&expr.expr),
            Expr::Reference(expr) => self.type_of(&expr.expr),
            Expr::Unary(expr) => self.type_of(&expr.expr),
            Expr::Index(expr) => item_of(&self.type_of(&expr.expr)?).cloned(),
            Expr::Field(expr) => {
                let base = self.type_of(&expr.base)?;
                match (&expr.member, unwrapped(&base)) {
                    (Member::Unnamed(index), Type::Tuple(tuple)) => {
                        tuple.elems.get(usize::try_from(index.index).ok()?).cloned()
                    }
                    (Member::Named(name), _) => self
                        .driver
                        .field(&name_of(&base)?, &name.to_string())
                        .cloned(),
                    _ => None,
                }
            }
            Expr::MethodCall(call) => {
                let receiver = self.type_of(&call.receiver)?;
                let (owner, name) = (name_of(&receiver), call.method.to_string());
                let returned = owner.and_then(|owner| self.driver.returned(&owner, &name));
                match (returned, name.as_str()) {
                    (Some(returned), _) => Some(returned.clone()),
                    (None, "first" | "last" | "remove" | "swap_remove" | "pop") => {
                        item_of(&receiver).cloned()
                    }
                    // `unwrap`, `clone`, `on_progress` and so on.
                    (None, _) => Some(receiver),
                }
            }
            Expr::Call(call) => {
                let Expr::Path(path) = &*call.func else {
                    return None;
                };
                let mut segments = path.path.segments.iter().rev();
                let name = segments.next()?.ident.to_string();
                match segments.next() {
                    Some(owner) => self
                        .driver
                        .returned(&owner.ident.to_string(), &name)
                        .cloned(),
                    None => self.helper(&name).cloned(),
                }
            }
            _ => None,
        }
    }

    /// What a function of the tests returns: of this module, or else of one that it is in.
    fn helper(&self, name: &str) -> Option<&Type> {
        let mut module = self.module;
        loop {
            if let Some(found) = self.helpers.get(&(module.to_owned(), name.to_owned())) {
                return Some(found);
            }
            module = match module.rsplit_once("::") {
                Some((outer, _)) => outer,
                None if module == ROOT => return None,
                None => ROOT,
            };
        }
    }

    fn bind(&mut self, pattern: &Pat, ty: Option<&Type>) {
        match (pattern, ty) {
            (Pat::Type(pattern), _) => self.bind(&pattern.pat, Some(&pattern.ty)),
            (Pat::Reference(pattern), ty) => self.bind(&pattern.pat, ty),
            (Pat::Ident(pattern), Some(ty)) => {
                self.types.insert(pattern.ident.to_string(), ty.clone());
            }
            (Pat::Ident(pattern), None) => {
                self.types.remove(&pattern.ident.to_string());
            }
            (Pat::Tuple(pattern), ty) => {
                let types = match ty.map(unwrapped) {
                    Some(Type::Tuple(tuple)) => Some(tuple),
                    _ => None,
                };
                for (index, pattern) in pattern.elems.iter().enumerate() {
                    self.bind(pattern, types.and_then(|types| types.elems.get(index)));
                }
            }
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_pat_type(&mut self, pattern: &'ast syn::PatType) {
        self.bind(&pattern.pat, Some(&pattern.ty));
    }

    fn visit_local(&mut self, local: &'ast Local) {
        visit::visit_local(self, local);
        let ty = local
            .init
            .as_ref()
            .and_then(|init| self.type_of(&init.expr));
        self.bind(&local.pat, ty.as_ref());
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        let ty = self.type_of(&expr.expr);
        self.bind(&expr.pat, ty.as_ref().and_then(item_of));
        visit::visit_expr_for_loop(self, expr);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        // What a closure gets that an iterator's method calls: an item.
        let receiver = self.type_of(&call.receiver);
        if let Some(item) = receiver.as_ref().and_then(item_of) {
            for argument in &call.args {
                if let Expr::Closure(closure) = argument
                    && let Some(input) = closure.inputs.first()
                {
                    self.bind(input, Some(item));
                }
            }
        }
        visit::visit_expr_method_call(self, call);
        let name = call.method.to_string();
        let owner = receiver.as_ref().and_then(name_of);
        let owner = match &owner {
            Some(owner) if self.driver.has(owner, &name) => Some(owner.as_str()),
            Some(_) | None => self.driver.only_owner(&name),
        };
        if let Some(owner) = owner {
            self.body.methods.insert(format!("{owner}::{name}"));
        }
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        let mut segments = path.path.segments.iter().rev();
        if let Some(name) = segments.next().map(|segment| segment.ident.to_string()) {
            match segments.next().map(|segment| segment.ident.to_string()) {
                Some(owner) if self.driver.has(&owner, &name) => {
                    self.body.methods.insert(format!("{owner}::{name}"));
                }
                _ => {
                    self.body.functions.insert(name);
                }
            }
        }
    }

    /// Reads the arguments of `assert_eq!` and the like.
    fn visit_macro(&mut self, call: &'ast Macro) {
        let arguments = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        if let Ok(arguments) = arguments {
            // The visitor borrows what it visits for as long as the file lives, which these do not.
            let mut reader = Reader {
                driver: self.driver,
                helpers: self.helpers,
                module: self.module,
                types: self.types.clone(),
                body: Body {
                    test: None,
                    methods: BTreeSet::new(),
                    functions: BTreeSet::new(),
                },
            };
            for argument in &arguments {
                reader.visit_expr(argument);
            }
            self.body.methods.append(&mut reader.body.methods);
            self.body.functions.append(&mut reader.body.functions);
        }
    }
}
