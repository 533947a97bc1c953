//! Text with superscripts and subscripts, the same in figures, tables and the page.

/// Where a run of characters sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// On the line.
    Normal,
    /// Raised, as an exponent.
    Super,
    /// Lowered, as an index.
    Sub,
}

/// Characters that sit alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where they sit.
    pub script: Script,
    /// The characters.
    pub text: String,
}

/// A line of text with superscripts and subscripts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RichText {
    /// The runs in reading order.
    pub runs: Vec<Run>,
}

impl RichText {
    /// Reads `^{…}` as a superscript and `_{…}` as a subscript: `"10^{−3}"`, `"N_{c}"`. They do not nest; a brace
    /// that never closes is ordinary text.
    pub fn markup(text: &str) -> Self {
        let mut rich = Self::default();
        let mut rest = text;
        while let Some((start, end)) = next_script(rest) {
            let script = if rest[start..].starts_with('^') { Script::Super } else { Script::Sub };
            rich.push(Script::Normal, &rest[..start]);
            rich.push(script, &rest[start + 2..end]);
            rest = &rest[end + 1..];
        }
        rich.push(Script::Normal, rest);
        rich
    }

    /// The characters as they are; for text that a user wrote.
    pub fn plain(text: &str) -> Self {
        let mut rich = Self::default();
        rich.push(Script::Normal, text);
        rich
    }

    /// This text and then markup.
    #[must_use]
    pub fn followed_by(mut self, markup: &str) -> Self {
        for run in Self::markup(markup).runs {
            self.push(run.script, &run.text);
        }
        self
    }

    /// The characters with scripts written `^` and `_`, for CSV and descriptions: `10^−3`.
    pub fn to_plain(&self) -> String {
        self.runs
            .iter()
            .map(|run| match run.script {
                Script::Normal => run.text.clone(),
                Script::Super => format!("^{}", run.text),
                Script::Sub => format!("_{}", run.text),
            })
            .collect()
    }

    /// The text as HTML, escaped.
    pub fn to_html(&self) -> String {
        self.runs
            .iter()
            .map(|run| {
                let text = escape(&run.text);
                match run.script {
                    Script::Normal => text,
                    Script::Super => format!("<sup>{text}</sup>"),
                    Script::Sub => format!("<sub>{text}</sub>"),
                }
            })
            .collect()
    }

    /// No characters at all.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Appends characters, joining runs that sit alike.
    pub fn push(&mut self, script: Script, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.runs.last_mut() {
            Some(last) if last.script == script => last.text.push_str(text),
            _ => self.runs.push(Run { script, text: text.to_owned() }),
        }
    }
}

impl From<&str> for RichText {
    fn from(text: &str) -> Self {
        Self::markup(text)
    }
}

impl From<String> for RichText {
    fn from(text: String) -> Self {
        Self::markup(&text)
    }
}

/// First `^{…}` or `_{…}`: where it starts and where its closing brace is.
fn next_script(text: &str) -> Option<(usize, usize)> {
    let start = [text.find("^{"), text.find("_{")].into_iter().flatten().min()?;
    let end = start + text[start..].find('}')?;
    Some((start, end))
}

/// Text for the inside of an XML or HTML element or of a quoted attribute. Control characters, which XML 1.0
/// does not allow, become spaces.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_scripts_become_runs() {
        let rich = RichText::markup("L = (N_{c}/N)^{α}!");
        assert_eq!(rich.to_plain(), "L = (N_c/N)^α!");
        assert_eq!(rich.to_html(), "L = (N<sub>c</sub>/N)<sup>α</sup>!");
    }

    #[test]
    fn markup_unclosed_brace_is_text() {
        assert_eq!(RichText::markup("a^{b").to_plain(), "a^{b");
        assert_eq!(RichText::plain("a^{b}").runs.len(), 1);
    }

    #[test]
    fn escape_markup_and_control_characters_are_harmless() {
        assert_eq!(escape("<a href=\"x\">&'\u{1}\u{ffff}"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;  ");
    }
}
