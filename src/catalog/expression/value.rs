//! Values while an expression runs: JSON texts in, JSON text out.
//!
//! A bound member stays the text it came as until an expression looks at it.

use std::borrow::Cow;
use std::collections::HashMap;

use cel::common::traits::{Container, Indexer};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt, MAP_TYPE,
    Type,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, ExecutionError};

use crate::document::{Kind, Node};

/// Largest whole number up to which every whole number has its own `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The values of the variables of an expression.
#[derive(Debug, Clone, Default)]
pub struct Bindings<'v> {
    /// What holds for variables that are not bound here.
    outer: Option<&'v Bindings<'v>>,
    variables: Vec<(&'v str, Bound<'v>)>,
}

impl<'v> Bindings<'v> {
    /// Bindings without variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bindings on top of others: nothing of those is copied, and what is bound here hides what
    /// is bound there.
    #[must_use]
    pub fn over(outer: &'v Bindings<'v>) -> Self {
        Self {
            outer: Some(outer),
            variables: Vec::new(),
        }
    }

    /// Like [`Bindings::over`], with room for so many variables.
    #[must_use]
    pub fn over_with(outer: &'v Bindings<'v>, capacity: usize) -> Self {
        Self {
            outer: Some(outer),
            variables: Vec::with_capacity(capacity),
        }
    }

    /// Binds `name` to an object of members, each a name and the JSON text of
    /// its value. A second binding of the same name replaces the first.
    ///
    /// A text that is not JSON is reported when an expression looks at it.
    pub fn bind_object(
        &mut self,
        name: &'v str,
        members: impl IntoIterator<Item = (&'v str, &'v str)>,
    ) {
        self.bind(name, Bound::Members(members.into_iter().collect()));
    }

    /// Binds `name` to a value of a document. Members that are `null` count as absent.
    pub fn bind_node(&mut self, name: &'v str, node: Node<'v>) {
        self.bind(name, Bound::Node(node));
    }

    /// Binds `name` to a JSON text.
    pub fn bind_text(&mut self, name: &'v str, text: &'v str) {
        self.bind(name, Bound::Text(text));
    }

    fn bind(&mut self, name: &'v str, value: Bound<'v>) {
        match self.variables.iter_mut().find(|(bound, _)| *bound == name) {
            Some((_, before)) => *before = value,
            None => self.variables.push((name, value)),
        }
    }

    fn bound(&self, name: &str) -> Option<&Bound<'v>> {
        let own = self.variables.iter().find(|(bound, _)| *bound == name);
        match own {
            Some((_, value)) => Some(value),
            None => self.outer?.bound(name),
        }
    }

    /// JSON text of a member, as it was bound.
    pub(super) fn member(&self, variable: &str, member: &str) -> Option<&'v str> {
        self.bound(variable)?.text(member)
    }

    /// JSON text of a variable that is bound to one value.
    pub(super) fn whole(&self, variable: &str) -> Option<&'v str> {
        match self.bound(variable)? {
            Bound::Members(_) => None,
            Bound::Node(node) => Some(node.raw()),
            Bound::Text(text) => Some(text),
        }
    }

    /// JSON text of a variable, or of a member of it, as it was bound.
    #[must_use]
    pub fn text_of(&self, variable: &str, member: Option<&str>) -> Option<&'v str> {
        match member {
            Some(member) => self.member(variable, member),
            None => self.whole(variable),
        }
    }

    /// Value of a variable that is bound to one value; `None` for objects bound by members.
    #[must_use]
    pub fn value(&self, variable: &str) -> Option<Found<'v>> {
        match self.bound(variable)? {
            Bound::Members(_) => None,
            Bound::Node(node) => Some(Found::Node(*node)),
            Bound::Text(text) => Some(Found::Text(text)),
        }
    }

    /// What the names on the way to a value lead to without evaluation, and the names that are
    /// left from there.
    pub(super) fn find<'p>(&self, path: &'p [String]) -> Option<(Found<'v>, &'p [String])> {
        let (variable, members) = path.split_first()?;
        let bound = self.bound(variable)?;
        match (bound, members) {
            (Bound::Node(node), members) => members
                .iter()
                .try_fold(*node, |node, name| node.get(name))
                .map(|node| (Found::Node(node), &members[members.len()..])),
            (Bound::Text(text), members) => Some((Found::Text(text), members)),
            (Bound::Members(_), [member, rest @ ..]) => {
                bound.text(member).map(|text| (Found::Text(text), rest))
            }
            (Bound::Members(_), []) => None,
        }
    }

    /// All values, kept for when the bindings are gone.
    #[must_use]
    pub fn keep_all(&self) -> Kept {
        let mut names: Vec<Vec<String>> = Vec::new();
        let mut layer = Some(self);
        while let Some(bindings) = layer {
            for (name, _) in &bindings.variables {
                let path = vec![(*name).to_owned()];
                if !names.contains(&path) {
                    names.push(path);
                }
            }
            layer = bindings.outer;
        }
        Kept::of(&names, self, "")
    }

    /// Adds the named variables as whole values, for expressions that use one
    /// in another way than through its members.
    pub(super) fn add_whole(
        &self,
        names: &[String],
        context: &mut Context<'_, 'v>,
    ) -> Result<(), ExecutionError> {
        for name in names {
            if let Some(bound) = self.bound(name) {
                context.add_variable_as_val(name.as_str(), bound.to_value(name)?);
            }
        }
        Ok(())
    }
}

/// The values that an expression looks at, kept for when the bindings are gone.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    objects: Vec<(String, Vec<(String, String)>)>,
    others: Vec<(String, String)>,
}

impl Kept {
    /// Keeps the values that paths lead to, but for those of one variable.
    pub(super) fn of(paths: &[Vec<String>], bindings: &Bindings<'_>, except: &str) -> Kept {
        let mut kept = Kept::default();
        for path in paths.iter().filter(|path| path[0] != except) {
            match (bindings.bound(&path[0]), path.get(1)) {
                (None, _) => {}
                (Some(bound), Some(member)) => {
                    let text = bound.text(member).map(|text| (member.as_str(), text));
                    kept.members(&path[0], text);
                }
                (Some(Bound::Members(members)), None) => {
                    kept.members(&path[0], members.iter().copied());
                }
                (Some(Bound::Node(node)), None) if node.kind() == Kind::Object => {
                    for (key, value) in node.members() {
                        let key = key.as_str().unwrap_or_default();
                        kept.members(&path[0], [(&*key, value.raw())]);
                    }
                }
                (Some(Bound::Node(node)), None) => {
                    kept.others.push((path[0].clone(), node.raw().to_owned()));
                }
                (Some(Bound::Text(text)), None) => {
                    kept.others.push((path[0].clone(), (*text).to_owned()));
                }
            }
        }
        kept
    }

    fn members<'m>(
        &mut self,
        variable: &str,
        members: impl IntoIterator<Item = (&'m str, &'m str)>,
    ) {
        let known = self.objects.iter().position(|(name, _)| name == variable);
        let position = known.unwrap_or_else(|| {
            self.objects.push((variable.to_owned(), Vec::new()));
            self.objects.len() - 1
        });
        let object = &mut self.objects[position].1;
        for (name, text) in members {
            if !object.iter().any(|(known, _)| known == name) {
                object.push((name.to_owned(), text.to_owned()));
            }
        }
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.others.is_empty()
    }

    /// The values as bindings.
    #[must_use]
    pub fn bindings(&self) -> Bindings<'_> {
        let mut bindings = Bindings::new();
        for (name, members) in &self.objects {
            let members = members.iter();
            bindings.bind_object(name, members.map(|(name, text)| (&**name, &**text)));
        }
        for (name, text) in &self.others {
            bindings.bind_text(name, text);
        }
        bindings
    }
}

/// A value that bindings lead to.
#[derive(Debug, Clone, Copy)]
pub enum Found<'v> {
    /// In a document.
    Node(Node<'v>),
    /// As JSON text.
    Text(&'v str),
}

impl VariableResolver for Bindings<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        self.bound(variable)
            .map(|bound| CowVal::Borrowed(bound as &dyn Val))
    }
}

/// Like [`Bindings`], without the variables named: those are found whole in
/// the context.
pub(super) struct Except<'c> {
    pub(super) bindings: &'c Bindings<'c>,
    pub(super) names: &'c [String],
}

impl VariableResolver for Except<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if self.names.iter().any(|name| name == variable) {
            return None;
        }
        self.bindings.resolve(variable)
    }
}

/// Value of a variable.
#[derive(Debug, Clone)]
enum Bound<'v> {
    /// An object, by names and JSON texts of its members.
    Members(Vec<(&'v str, &'v str)>),
    /// A value of a document.
    Node(Node<'v>),
    /// A JSON text.
    Text(&'v str),
}

impl<'v> Bound<'v> {
    fn text(&self, member: &str) -> Option<&'v str> {
        match self {
            Bound::Members(members) => members
                .iter()
                .find(|(name, _)| *name == member)
                .map(|(_, text)| *text),
            Bound::Node(node) => node.get(member).map(Node::raw),
            Bound::Text(_) => None,
        }
    }

    fn is_object(&self) -> bool {
        match self {
            Bound::Members(_) => true,
            Bound::Node(node) => node.kind() == Kind::Object,
            Bound::Text(_) => false,
        }
    }

    fn to_value(&self, name: &str) -> Result<Box<dyn Val + 'v>, ExecutionError> {
        let members = match self {
            Bound::Members(members) => members,
            Bound::Node(node) => return parse(name, node.raw()),
            Bound::Text(text) => return parse(name, text),
        };
        let mut map: HashMap<CelMapKey<'v>, Box<dyn Val + 'v>> = HashMap::new();
        for (name, text) in members {
            map.insert(CelMapKey::from(*name), parse(name, text)?);
        }
        Ok(Box::new(CelMap::from(map)))
    }
}

/// Only objects are looked at this way, through their members.
impl Val for Bound<'_> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        self.is_object().then_some(self)
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        self.is_object().then_some(self)
    }

    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }
}

impl Container for Bound<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(value
            .downcast_ref::<CelString>()
            .is_some_and(|name| self.text(name.inner()).is_some()))
    }
}

impl Indexer for Bound<'_> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let Some(name) = key.downcast_ref::<CelString>() else {
            return Err(ExecutionError::no_such_key("a name that is not a string"));
        };
        let name = name.inner();
        let text = self
            .text(name)
            .ok_or_else(|| ExecutionError::no_such_key(name))?;
        parse(name, text).map(CowVal::Owned)
    }

    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

/// The value of a JSON text. Short cuts for plain strings, whole numbers and
/// literals; everything else takes the long way.
fn parse<'v>(name: &str, text: &'v str) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    let text = text.trim_ascii();
    let bytes = text.as_bytes();
    match text {
        "true" => return Ok(Box::new(CelBool::from(true))),
        "false" => return Ok(Box::new(CelBool::from(false))),
        "null" => return Ok(Box::new(CelNull)),
        _ => {}
    }
    if let [b'"', inner @ .., b'"'] = bytes {
        if inner.iter().all(|&b| b != b'\\' && b != b'"' && b >= b' ') {
            return Ok(Box::new(CelString::from(&text[1..text.len() - 1])));
        }
    } else if bytes.len() < 19
        && bytes.first().is_some_and(|b| (b'1'..=b'9').contains(b))
        && let Ok(number) = text.parse::<i64>()
    {
        return Ok(Box::new(CelInt::from(number)));
    }
    serde_json::from_str::<serde_json::Value>(text)
        .map(of_json)
        .map_err(|error| {
            ExecutionError::function_error(name, format!("its value is not JSON: {error}"))
        })
}

fn of_json<'v>(value: serde_json::Value) -> Box<dyn Val + 'v> {
    use serde_json::Value;
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(truth) => Box::new(CelBool::from(truth)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Box::new(CelInt::from(whole)),
            None => of_double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Box::new(CelString::from(text)),
        Value::Array(elements) => Box::new(CelList::from(
            elements.into_iter().map(of_json).collect::<Vec<_>>(),
        )),
        Value::Object(members) => {
            let map: HashMap<CelMapKey<'v>, Box<dyn Val + 'v>> = members
                .into_iter()
                .map(|(name, value)| (CelMapKey::from(name), of_json(value)))
                .collect();
            Box::new(CelMap::from(map))
        }
    }
}

/// `200.0` is the whole number 200 in JSON, whatever wrote it.
fn of_double<'v>(number: f64) -> Box<dyn Val + 'v> {
    match whole(number) {
        Some(whole) => Box::new(CelInt::from(whole)),
        None => Box::new(CelDouble::from(number)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole and within ±2^53")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// Appends `value` as compact JSON; members of objects in the order of their
/// names. `Err` names what has no JSON form.
pub(super) fn write(value: &dyn Val, out: &mut String) -> Result<(), String> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        write_string(text.inner(), out);
    } else if let Some(number) = value.downcast_ref::<CelInt>() {
        out.push_str(&number.inner().to_string());
    } else if let Some(number) = value.downcast_ref::<CelUInt>() {
        out.push_str(&number.inner().to_string());
    } else if let Some(truth) = value.downcast_ref::<CelBool>() {
        out.push_str(if *truth.inner() { "true" } else { "false" });
    } else if let Some(number) = value.downcast_ref::<CelDouble>() {
        match whole(*number.inner()) {
            Some(whole) => out.push_str(&whole.to_string()),
            None => match serde_json::Number::from_f64(*number.inner()) {
                Some(number) => out.push_str(&number.to_string()),
                None => return Err(format!("the number {}", number.inner())),
            },
        }
    } else if value.downcast_ref::<CelNull>().is_some() {
        out.push_str("null");
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        out.push('[');
        for (at, element) in list.inner().iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write(element.as_ref(), out)?;
        }
        out.push(']');
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        let mut members = Vec::with_capacity(map.inner().len());
        for (key, value) in map.inner() {
            match key {
                CelMapKey::String(name) => members.push((name.inner(), value)),
                _ => return Err("an object whose member names are not strings".to_owned()),
            }
        }
        members.sort_unstable_by_key(|(name, _)| *name);
        out.push('{');
        for (at, (name, value)) in members.into_iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_string(name, out);
            out.push(':');
            write(value.as_ref(), out)?;
        }
        out.push('}');
    } else {
        return Err(format!("a value of type {}", value.get_type().name()));
    }
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// A JSON text without the white space between its tokens.
pub(super) fn compact(text: &str) -> Cow<'_, str> {
    let text = text.trim_ascii();
    if !text.bytes().any(|b| b.is_ascii_whitespace()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    let mut escaped = false;
    for character in text.chars() {
        if quoted {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == '"' {
                quoted = false;
            }
        } else if character == '"' {
            quoted = true;
        } else if character.is_ascii_whitespace() {
            continue;
        }
        out.push(character);
    }
    Cow::Owned(out)
}
