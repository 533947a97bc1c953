//! TensorBoard event files: length-framed records with checksums, each an `Event` protocol buffer.

use super::history::History;
use super::protobuf::{Fields, Malformed, Value};
use super::{Log, LogKind};
use crate::error::TableError;
use crc32c::crc32c;
use scalelaw_files::FileError;
use std::path::Path;

/// DT_FLOAT and DT_DOUBLE of TensorFlow's types.proto.
const DT_FLOAT: u64 = 1;
const DT_DOUBLE: u64 = 2;
/// SessionLog.START of TensorFlow's event.proto.
const SESSION_START: u64 = 1;

pub(super) fn read(path: &Path) -> Result<Log, TableError> {
    let bytes = std::fs::read(path).map_err(FileError::new(path, "read"))?;
    events(&bytes).map_err(|message| LogKind::TensorBoard.wrong(path, message))
}

/// The scalars of all whole records; `Err` says why there is none.
fn events(bytes: &[u8]) -> Result<Log, String> {
    let mut log = Log::new(LogKind::TensorBoard);
    log.notes.push(LogKind::TensorBoard.to_string());
    let mut history = History::default();
    let (mut rest, mut records) = (bytes, 0u64);
    let (mut damaged, mut n_damaged) = (None, 0u64);
    while !rest.is_empty() {
        let Some((payload, after)) = record(rest) else {
            if records == 0 {
                return Err("its first record is cut off, damaged, or no event".into());
            }
            // A writer that was killed leaves half a record; where the next begins after damage is not known.
            log.problems.push(format!(
                "{} bytes after record {records} are cut off or damaged, not used",
                rest.len()
            ));
            break;
        };
        records += 1;
        rest = after;
        let readable = payload.is_some_and(|event| scalars(event, &mut history).is_ok());
        if !readable {
            damaged.get_or_insert(records);
            n_damaged += 1;
        }
    }
    if let Some(first) = damaged {
        let more = if n_damaged > 1 { format!(", and {} more", n_damaged - 1) } else { String::new() };
        log.problems.push(format!("record {first} is damaged, not used{more}"));
    }
    if records == 0 {
        return Err("the file is empty".into());
    }
    if history.is_empty() {
        return Err(format!("none of its {records} records has a value"));
    }
    log.histories.insert(None, history);
    Ok(log)
}

/// The first record's payload (`None` when its checksum is wrong) and what follows it; `None` when its length is
/// not to be trusted or it is cut off.
fn record(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (head, rest) = bytes.split_at_checked(12)?;
    let length = u64::from_le_bytes(head[..8].try_into().ok()?);
    if masked(crc32c(&head[..8])) != u32::from_le_bytes(head[8..].try_into().ok()?) {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let (check, rest) = rest.split_at_checked(4)?;
    let whole = masked(crc32c(payload)) == u32::from_le_bytes(check.try_into().ok()?);
    Some((whole.then_some(payload), rest))
}

/// Event { 1: wall_time, 2: step, 5: Summary { 1: Value { 1: tag, 2: simple_value, 8: tensor } },
/// 7: SessionLog { 1: status } }. As in TensorBoard, a session that starts takes back what was logged from its step on.
fn scalars(event: &[u8], history: &mut History) -> Result<(), Malformed> {
    let (mut time, mut step, mut values, mut starts) = (None, 0, Vec::new(), false);
    for field in Fields(event) {
        match field? {
            (1, Value::Fixed64(bits)) => time = Some(f64::from_bits(bits)).filter(|t| t.is_finite()),
            (2, Value::Varint(s)) => step = s,
            (7, Value::Bytes(session)) => {
                for field in Fields(session) {
                    starts |= field? == (1, Value::Varint(SESSION_START));
                }
            }
            (5, Value::Bytes(summary)) => {
                for value in Fields(summary) {
                    if let (1, Value::Bytes(value)) = value? {
                        values.push(tagged(value)?);
                    }
                }
            }
            _ => {}
        }
    }
    history.began = history.began.or(time);
    if starts {
        history.restart(step);
    }
    for (tag, scalar) in values {
        match scalar {
            Some(scalar) => history.push(step, &tag, scalar),
            None => history.leave(step, &tag),
        }
    }
    Ok(())
}

/// A summary value's tag, and its number if it is one (rather than a picture, a text, a histogram).
fn tagged(value: &[u8]) -> Result<(String, Option<f64>), Malformed> {
    let (mut tag, mut scalar) = (String::new(), None);
    for field in Fields(value) {
        match field? {
            (1, Value::Bytes(name)) => tag = String::from_utf8_lossy(name).into_owned(),
            (2, Value::Fixed32(bits)) => scalar = Some(f64::from(f32::from_bits(bits))),
            (8, Value::Bytes(tensor)) => scalar = of_tensor(tensor)?.or(scalar),
            _ => {}
        }
    }
    Ok((tag, scalar))
}

/// TensorProto { 1: dtype, 4: tensor_content, 5: float_val, 6: double_val } of a single number.
fn of_tensor(tensor: &[u8]) -> Result<Option<f64>, Malformed> {
    let (mut dtype, mut content) = (0, Vec::new());
    for field in Fields(tensor) {
        match field? {
            (1, Value::Varint(kind)) => dtype = kind,
            (4..=6, Value::Bytes(bytes)) => content.extend_from_slice(bytes),
            (5, Value::Fixed32(bits)) => content.extend(bits.to_le_bytes()),
            (6, Value::Fixed64(bits)) => content.extend(bits.to_le_bytes()),
            _ => {}
        }
    }
    Ok(match dtype {
        DT_FLOAT => content.try_into().ok().map(|b| f64::from(f32::from_le_bytes(b))),
        DT_DOUBLE => content.try_into().ok().map(f64::from_le_bytes),
        _ => None,
    })
}

/// TFRecord's masking of a checksum.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(number: u8, wire: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | wire];
        if wire == 2 {
            out.extend(varint(content.len() as u64));
        }
        out.extend(content);
        out
    }

    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }

    fn framed(payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u64).to_le_bytes();
        let mut out = length.to_vec();
        out.extend(masked(crc32c(&length)).to_le_bytes());
        out.extend(payload);
        out.extend(masked(crc32c(payload)).to_le_bytes());
        out
    }

    fn written(values: &[(u64, String, f32)]) -> Vec<Vec<u8>> {
        let event = |(step, tag, value): &(u64, String, f32)| {
            let value = [field(1, 2, tag.as_bytes()), field(2, 5, &value.to_le_bytes())].concat();
            framed(&[field(2, 0, &varint(*step)), field(5, 2, &field(1, 2, &value))].concat())
        };
        let version = framed(&field(3, 2, b"brain.Event:2"));
        std::iter::once(version).chain(values.iter().map(event)).collect()
    }

    fn expected(values: &[(u64, String, f32)]) -> History {
        let mut history = History::default();
        for (step, tag, value) in values {
            history.push(*step, tag, f64::from(*value));
        }
        history
    }

    fn values() -> impl Strategy<Value = Vec<(u64, String, f32)>> {
        proptest::collection::vec((any::<u64>(), "[a-z/]{1,150}", any::<f32>()), 1..8)
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(events(&bytes).is_err());
        }

        #[test]
        fn any_payload_in_a_sound_frame_is_survived(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = events(&framed(&payload));
        }

        #[test]
        fn what_was_written_is_read(values in values()) {
            let log = events(&written(&values).concat());
            prop_assert!(log.is_ok());
            if let Ok(mut log) = log {
                prop_assert!(log.problems.is_empty());
                prop_assert_eq!(log.histories.remove(&None), Some(expected(&values)));
            }
        }

        #[test]
        fn a_file_cut_anywhere_gives_its_whole_records_and_says_so(values in values(), cut in any::<prop::sample::Index>()) {
            let records = written(&values);
            let bytes = records.concat();
            let cut = cut.index(bytes.len());
            let mut ends = records.iter().scan(0, |end, record| { *end += record.len(); Some(*end) });
            let whole = ends.by_ref().take_while(|end| *end <= cut).count();
            match events(&bytes[..cut]) {
                Ok(mut log) => {
                    prop_assert_eq!(log.histories.remove(&None), Some(expected(&values[..whole - 1])));
                    let at_a_boundary = records[..whole].concat().len() == cut;
                    prop_assert_eq!(log.problems.is_empty(), at_a_boundary);
                }
                Err(_) => prop_assert!(whole <= 1),
            }
        }

        #[test]
        fn a_damaged_byte_never_changes_a_value(values in values(), at in any::<prop::sample::Index>(), with in 1u8..) {
            let mut bytes = written(&values).concat();
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            if let Ok(log) = events(&bytes) {
                prop_assert!(!log.problems.is_empty());
            }
        }
    }
}
