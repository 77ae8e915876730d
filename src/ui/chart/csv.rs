//! A chart as a file.

use super::data::ChartData;
use std::fmt::Write;

/// The figures as CSV: a row a span, its beginning first. `moment` writes a moment.
pub(super) fn csv(data: &ChartData, moment: impl Fn(f64) -> String) -> String {
    let mut out = String::from("from");
    for series in &data.series {
        out.push(',');
        out.push_str(&cell(&format!("{}{}", series.name, data.unit.in_head())));
    }
    for i in 0..data.spans.count {
        out.push_str("\r\n");
        out.push_str(&moment(data.spans.begin(i)));
        for series in &data.series {
            out.push(',');
            if let Some(value) = series.values.get(i).copied().flatten() {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "{value}");
            }
        }
    }
    out.push_str("\r\n");
    out
}

/// A text as a cell: quoted where it must be, and never a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::chart::{Hue, Series, Spans, Unit};

    #[test]
    fn the_file_holds_every_figure_and_leaves_gaps_empty() {
        let series = |name: &str, values: [Option<f64>; 2]| Series {
            name: name.into(),
            hue: Hue::C1,
            values: values.to_vec(),
            dashed: false,
        };
        let data = ChartData {
            spans: Spans { from: 0.0, span: 60.0, count: 2 },
            series: vec![series("p50", [Some(1.5), None]), series("a, \"b\"", [None, Some(2.0)])],
            unit: Unit::Millis,
            limit: None,
        };
        let file = csv(&data, |moment| format!("t{moment}"));
        assert_eq!(file, "from,p50 (ms),\"a, \"\"b\"\" (ms)\"\r\nt0,1.5,\r\nt60,,2\r\n");
    }

    #[test]
    fn a_name_is_never_a_formula() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("@x,y"), "\"'@x,y\"");
        assert_eq!(cell("qwen-plus"), "qwen-plus");
    }
}
