//! Exports when each process ran as a trace for the viewers of Chrome and Perfetto.

use serde_json::{Value, json};

/// One process of one round.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    /// The row of the trace: compiler, width and strategy.
    pub row: String,
    /// The check, or the command.
    pub id: String,
    /// Seconds since the epoch.
    pub start: f64,
    /// Seconds since the epoch.
    pub end: f64,
}

/// The spans in Chrome's JSON object format. Each row becomes a process that starts at zero, so
/// that rows can be compared by eye. Spans that overlap in time go to different lanes.
pub(crate) fn chrome_trace(spans: &[Span]) -> Value {
    let mut rows: Vec<(&str, Vec<&Span>)> = Vec::new();
    for span in spans {
        match rows.iter_mut().find(|(name, _)| *name == span.row) {
            Some((_, of_row)) => of_row.push(span),
            None => rows.push((&span.row, vec![span])),
        }
    }

    let mut events = Vec::new();
    // Start at one: viewers show process zero as the idle process of the system.
    for (pid, (name, of_row)) in (1..).zip(rows) {
        events.push(metadata(pid, "process_name", json!({ "name": name })));
        events.push(metadata(pid, "process_sort_index", json!({ "sort_index": pid })));
        events.extend(complete_events(pid, of_row));
    }
    json!({ "traceEvents": events, "displayTimeUnit": "ms" })
}

fn metadata(pid: usize, name: &str, args: Value) -> Value {
    json!({ "ph": "M", "pid": pid, "name": name, "args": args })
}

/// The events of a row in order of their start, each in the first free lane.
fn complete_events(pid: usize, mut spans: Vec<&Span>) -> Vec<Value> {
    spans.sort_by(|one, other| one.start.total_cmp(&other.start));
    let origin = spans.first().map_or(0.0, |first| first.start);
    // Assign lanes by the whole microseconds that the file contains: spans that only touch in
    // seconds must not overlap after rounding.
    let microseconds = |time: f64| ((time - origin) * 1e6).round() as i64;
    let mut free_from: Vec<i64> = Vec::new();
    let mut events = Vec::new();
    for span in spans {
        let start = microseconds(span.start);
        let end = microseconds(span.end).max(start);
        let lane = match free_from.iter().position(|free| *free <= start) {
            Some(lane) => lane,
            None => {
                free_from.push(0);
                free_from.len() - 1
            }
        };
        free_from[lane] = end;
        events.push(json!({
            "ph": "X",
            "pid": pid,
            "tid": lane + 1,
            "name": span.id,
            "cat": "check",
            "ts": start,
            "dur": end - start,
        }));
    }
    events
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn span(row: &str, id: &str, start: f64, end: f64) -> Span {
        Span { row: row.into(), id: id.into(), start, end }
    }

    /// Start and end of every complete event, by process and lane.
    fn lanes(trace: &Value) -> BTreeMap<(u64, u64), Vec<(i64, i64)>> {
        let mut lanes = BTreeMap::<_, Vec<_>>::new();
        for event in trace["traceEvents"].as_array().unwrap() {
            if event["ph"] == "X" {
                let key = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
                let start = event["ts"].as_i64().unwrap();
                lanes.entry(key).or_default().push((start, start + event["dur"].as_i64().unwrap()));
            }
        }
        lanes
    }

    #[test]
    fn overlapping_spans_are_in_different_lanes() {
        // Unordered spans from a simple generator, at realistic times.
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let spans: Vec<_> = (0..300)
            .map(|number| {
                let start = 1.7e9 + next(1_000_000) as f64 / 1e6;
                let row = if number % 3 == 0 { "threads" } else { "async" };
                span(row, "check", start, start + next(50_000) as f64 / 1e6)
            })
            .collect();
        let lanes = lanes(&chrome_trace(&spans));
        assert_eq!(lanes.values().map(Vec::len).sum::<usize>(), spans.len());
        for (lane, mut events) in lanes {
            events.sort_unstable();
            for pair in events.windows(2) {
                assert!(pair[0].1 <= pair[1].0, "{pair:?} overlap in {lane:?}");
            }
        }
    }

    #[test]
    fn there_are_as_many_lanes_as_concurrent_spans() {
        let spans = [
            span("async", "a", 0.0, 2.0),
            span("async", "b", 1.0, 3.0),
            span("async", "c", 2.0, 4.0),
            span("async", "d", 3.5, 5.0),
        ];
        assert_eq!(lanes(&chrome_trace(&spans)).len(), 2);
    }

    #[test]
    fn consecutive_spans_share_a_lane() {
        // Each span starts exactly when the previous one ends.
        let times: Vec<_> = (0..50_u32).map(|turn| 1.7e9 + f64::from(turn) / 300.0).collect();
        let spans: Vec<_> =
            times.windows(2).map(|pair| span("serial", "check", pair[0], pair[1])).collect();
        let lanes = lanes(&chrome_trace(&spans));
        assert_eq!(lanes.keys().collect::<Vec<_>>(), [&(1, 1)]);
    }

    #[test]
    fn every_row_is_a_process_that_starts_at_zero() {
        let spans = [
            span("serial", "a", 100.0, 101.0),
            span("async", "a", 205.0, 206.0),
            span("serial", "b", 101.0, 102.5),
            span("async", "b", 204.0, 205.5),
        ];
        let trace = chrome_trace(&spans);
        let events = trace["traceEvents"].as_array().unwrap();
        let named: Vec<_> = events
            .iter()
            .filter(|event| event["name"] == "process_name")
            .map(|event| (event["pid"].as_u64(), event["args"]["name"].as_str()))
            .collect();
        assert_eq!(named, [(Some(1), Some("serial")), (Some(2), Some("async"))]);
        for pid in [1, 2] {
            let of_row = events.iter().filter(|event| event["ph"] == "X" && event["pid"] == pid);
            assert_eq!(of_row.map(|event| event["ts"].as_i64().unwrap()).min(), Some(0));
        }
        let last = &events.iter().filter(|event| event["name"] == "b").collect::<Vec<_>>()[0];
        assert_eq!((&last["ts"], &last["dur"]), (&json!(1_000_000), &json!(1_500_000)));
    }

    #[test]
    fn no_spans_make_an_empty_trace() {
        let trace = chrome_trace(&[]);
        assert_eq!(trace["traceEvents"], json!([]));
        assert_eq!(trace["displayTimeUnit"], "ms");
    }
}
