//! Prometheus' text format 0.0.4 and OpenMetrics 1.0.

use std::fmt::Write as _;

/// A format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The format that a scraper wants most, by its `Accept` header: OpenMetrics only if it asks for it.
    pub(crate) fn accepted(accept: &str) -> Self {
        let mut best = (0.0, Self::Text);
        for range in accept.split(',') {
            let mut words = range.split(';').map(str::trim);
            let format = match words.next().unwrap_or_default() {
                "application/openmetrics-text" => Self::OpenMetrics,
                "text/plain" | "text/*" | "*/*" => Self::Text,
                _ => continue,
            };
            let mut quality = 1.0;
            let mut is_known = true;
            for word in words {
                match word.split_once('=') {
                    Some(("q", value)) => quality = value.parse().unwrap_or(0.0),
                    Some(("version", version)) => {
                        is_known = match format {
                            Self::OpenMetrics => matches!(version, "1.0.0" | "0.0.1"),
                            Self::Text => version == "0.0.4",
                        }
                    }
                    _ => {}
                }
            }
            if is_known && quality > best.0 {
                best = (quality, format);
            }
        }
        best.1
    }

    /// The `Content-Type` of an answer in it.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a metric's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number that rises and falls.
    Gauge,
    /// A number that only grows, until the process restarts. Its name ends with `_total`.
    Counter,
    /// Labels, with the value 1. Its name ends with `_info`.
    Info,
}

/// What is said of a metric in front of its samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// The name of its samples.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
}

impl Head {
    /// The unit, which its name ends with.
    pub(crate) fn unit(&self) -> Option<&'static str> {
        let units = [
            "bytes_per_second",
            "seconds",
            "bytes",
            "hertz",
            "ratio",
            "watts",
        ];
        let family = self.family();
        units.into_iter().find(|unit| family.ends_with(unit))
    }

    /// The name without the ending of its kind.
    fn family(&self) -> &'static str {
        let ending = match self.kind {
            Kind::Gauge => "",
            Kind::Counter => "_total",
            Kind::Info => "_info",
        };
        self.name.strip_suffix(ending).unwrap_or(self.name)
    }
}

/// A value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

macro_rules! number {
    ($($ty:ty)*) => {
        $(impl From<$ty> for Number {
            fn from(value: $ty) -> Self {
                Self::Integer(i64::from(value))
            }
        })*
    };
}

number!(bool i64 u32);

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Float(value as f64), Self::Integer)
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

/// Writes metrics in a format, one family after the other.
pub(crate) struct Writer {
    out: String,
    format: Format,
}

impl Writer {
    pub(crate) fn new(format: Format, capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            format,
        }
    }

    /// Writes what is said of a metric.
    pub(crate) fn head(&mut self, head: &Head) {
        let (name, kind) = match (self.format, head.kind) {
            (Format::Text, Kind::Gauge | Kind::Info) => (head.name, "gauge"),
            (Format::Text, Kind::Counter) => (head.name, "counter"),
            (Format::OpenMetrics, Kind::Gauge) => (head.family(), "gauge"),
            (Format::OpenMetrics, Kind::Counter) => (head.family(), "counter"),
            (Format::OpenMetrics, Kind::Info) => (head.family(), "info"),
        };
        let help = head.help;
        // Writing to a string cannot fail.
        let _ = match self.format {
            Format::Text => writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}"),
            Format::OpenMetrics => {
                let _ = writeln!(self.out, "# TYPE {name} {kind}");
                if let Some(unit) = head.unit() {
                    let _ = writeln!(self.out, "# UNIT {name} {unit}");
                }
                writeln!(self.out, "# HELP {name} {help}")
            }
        };
    }

    /// Writes a sample. `labels` are [written](Labels), without braces.
    pub(crate) fn sample(&mut self, name: &str, labels: &str, more: &str, value: Number) {
        let out = &mut self.out;
        out.push_str(name);
        if !labels.is_empty() || !more.is_empty() {
            out.push('{');
            out.push_str(labels);
            if !labels.is_empty() && !more.is_empty() {
                out.push(',');
            }
            out.push_str(more);
            out.push('}');
        }
        out.push(' ');
        let _ = match value {
            Number::Integer(value) => writeln!(out, "{value}"),
            Number::Float(value) if value.is_nan() => writeln!(out, "NaN"),
            Number::Float(value) if value.is_infinite() => {
                writeln!(out, "{}Inf", if value > 0.0 { '+' } else { '-' })
            }
            Number::Float(value) => writeln!(out, "{value}"),
        };
    }

    /// The document.
    pub(crate) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }
}

/// Labels as they are written: `name="value",name="value"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Labels(String);

impl Labels {
    pub(crate) fn new(labels: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (name, value) in labels {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            text.push_str("=\"");
            escape(value, &mut text);
            text.push('"');
        }
        Self(text)
    }

    /// These labels and others behind them.
    pub(crate) fn and(&self, others: &Self) -> Self {
        Self(format!("{},{}", self.0, others.0))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes a label's value. Both formats escape the same three characters.
fn escape(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '"', '\n']) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('\n') => out.push_str("\\n"),
            Some(special) => out.extend(['\\', special]),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_scrapers_header_chooses_the_format() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,*/*;q=0.8", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "application/openmetrics-text;version=2.0.0,*/*;q=0.1",
                Format::Text,
            ),
            (
                "application/openmetrics-text;q=0.1,text/plain;version=0.0.4;q=0.9",
                Format::Text,
            ),
            // Prometheus 2.42 and 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.5,\
                 text/plain;version=0.0.4;q=0.4,*/*;q=0.2",
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn numbers_are_written_as_both_formats_want_them() {
        for (number, text) in [
            (Number::from(true), "1"),
            (Number::from(-5_i64), "-5"),
            (Number::from(u64::MAX), "18446744073709552000"),
            (Number::from(0.25), "0.25"),
            (Number::from(f64::NAN), "NaN"),
            (Number::from(f64::NEG_INFINITY), "-Inf"),
        ] {
            let mut writer = Writer::new(Format::Text, 0);
            writer.sample("a", "", "", number);
            assert_eq!(writer.finish(), format!("a {text}\n"));
        }
    }

    /// The value that a reader of either format finds, by their grammar.
    fn unescaped(text: &str) -> Option<String> {
        let inner = text.strip_prefix("l=\"")?.strip_suffix('"')?;
        let mut value = String::new();
        let mut chars = inner.chars();
        while let Some(char) = chars.next() {
            match char {
                '"' | '\n' => return None,
                '\\' => match chars.next()? {
                    'n' => value.push('\n'),
                    plain @ ('\\' | '"') => value.push(plain),
                    _ => return None,
                },
                plain => value.push(plain),
            }
        }
        Some(value)
    }

    proptest! {
        #[test]
        fn labels_are_escaped(value in r#"([\\"\n]|\PC|.)*"#) {
            let labels = Labels::new(&[("l", &value)]);
            prop_assert_eq!(unescaped(labels.as_str()), Some(value));
        }
    }
}
