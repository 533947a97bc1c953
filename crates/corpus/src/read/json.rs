//! A line of JSON: its text, and its address and title where it has them.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// What is read of an object; other keys are ignored.
#[derive(Debug, Default)]
pub(crate) struct JsonDocument<'t> {
    pub(crate) text: Option<Cow<'t, str>>,
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
}

/// Reads a [`JsonDocument`] whose text is in this key.
pub(crate) struct WithTextIn<'k>(pub(crate) &'k str);

impl<'de> DeserializeSeed<'de> for WithTextIn<'_> {
    type Value = JsonDocument<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WithTextIn<'_> {
    type Value = JsonDocument<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a string `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = JsonDocument::default();
        while let Some(Text(key)) = map.next_key()? {
            let key: Cow<'de, str> = key;
            if key == self.0 {
                found.text = map.next_value::<Option<Text<'de>>>()?.map(|Text(text)| text);
            } else if key == "url" {
                found.url = string(map.next_value()?);
            } else if key == "title" {
                found.title = string(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

fn string(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}
