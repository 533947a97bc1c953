//! A trainer of the user's own: a command line with settings of the run in it.

use crate::error::{ExperimentError, Place};
use crate::fields;
use crate::node::Entry;
use scalelaw_core::RunSpec;
use scalelaw_core::units::ParamConvention;
use std::path::Path;
use toml::Value;

/// A trainer of the user's own.
#[derive(Clone, Debug)]
pub struct Trainer {
    /// Its name and version, a part of every run's identity.
    pub name: String,
    /// What a shell runs, with `{field}` for a setting of the run.
    pub command: String,
    place: Place,
}

/// Names that a command may use beside the fields of a spec.
const EXTRA: [&str; 8] =
    ["run_dir", "run_id", "spec", "threads", "tokens", "batch_tokens", "n_nonembed", "n_total"];

impl Trainer {
    pub(crate) fn read(entries: &[Entry]) -> Result<Self, ExperimentError> {
        let find = |key: &str| match (entries.iter().find(|e| e.key == key), entries.first()) {
            (Some(entry), _) => Ok((entry.node.text(key)?.to_owned(), entry.node.place.clone())),
            (None, Some(first)) => Err(ExperimentError::at(&first.place, format!("[trainer] has no {key}"))),
            (None, None) => Ok((String::new(), Place::nowhere())),
        };
        if let Some(other) = entries.iter().find(|e| e.key != "name" && e.key != "command") {
            let unknown = format!("unknown key `{}` in [trainer]", other.key);
            return Err(ExperimentError::at(&other.place, unknown).expected(&other.key, &["name", "command"]));
        }
        let ((name, _), (command, place)) = (find("name")?, find("command")?);
        Ok(Self { name, command, place })
    }

    /// The line for a shell that trains the run of `spec` in `dir` on `threads` threads.
    ///
    /// `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// A name in braces that is no setting.
    pub fn shell_line(&self, spec: &RunSpec, dir: &Path, threads: usize) -> Result<String, ExperimentError> {
        let fields = Value::try_from(spec).map_err(|e| ExperimentError::at(&self.place, e.to_string()))?;
        let value = |name: &str| match name {
            "run_dir" => Some(quoted(&dir.display().to_string())),
            "spec" => Some(quoted(&dir.join("spec.toml").display().to_string())),
            "run_id" => Some(spec.key()),
            "threads" => Some(threads.to_string()),
            "tokens" => Some(spec.tokens().to_string()),
            "batch_tokens" => Some(spec.batch_tokens().to_string()),
            "n_nonembed" => Some(spec.model.n_params(ParamConvention::NonEmbedding).to_string()),
            "n_total" => Some(spec.model.n_params(ParamConvention::Total).to_string()),
            _ => {
                let path = fields::path_of(name)?;
                let found = path.split('.').try_fold(&fields, |value, part| value.get(part))?;
                Some(match found {
                    Value::String(text) => quoted(text),
                    other => other.to_string(),
                })
            }
        };
        let mut line = String::with_capacity(self.command.len());
        let mut rest = self.command.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let brace = &rest[at..at + 1];
            line += &rest[..at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                line += brace;
                rest = after;
                continue;
            }
            let name = if brace == "{" { rest.split_once('}') } else { None };
            let Some((name, after)) = name else {
                return Err(ExperimentError::at(&self.place, "a lone brace").hint("{{ or }} for a plain one"));
            };
            line += &value(name).ok_or_else(|| {
                ExperimentError::at(&self.place, format!("{{{name}}} is no setting of a run"))
                    .meant(name, fields::names().chain(EXTRA))
            })?;
            rest = after;
        }
        Ok(line + rest)
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
