//! Tables in Parquet, a document a row, through the row API (the arrow feature would triple the build).

use super::file::{Visit, WANTED_URL, left};
use super::found::{Found, RawBody, RawDocument, Reason};
use super::{ReadOptions, Unit};
use crate::document::Origin;
use crate::error::CorpusError;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use scalelaw_archive::Mismatch;
use scalelaw_files::{Panicked, guarded};
use std::fs::File;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls `visit` with the texts of one column, and the addresses and titles beside them.
pub(super) fn visit_parquet(
    unit: &Unit,
    options: &ReadOptions,
    place: &AtomicU64,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, CorpusError> {
    let (path, name) = (&*unit.path, &*unit.name);
    let fail = |source: ParquetError| CorpusError::Parquet { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(CorpusError::io(path, "open"))?;
    // The reader panics at some damaged files.
    let damaged = |panicked: Panicked| fail(ParquetError::General(panicked.to_string()));
    let file = guarded(|| SerializedFileReader::new(file)).map_err(damaged)?.map_err(fail)?;
    let schema = file.metadata().file_metadata().schema();
    let columns: Vec<&Arc<Type>> = schema
        .get_fields()
        .iter()
        .filter(|field| [&*options.text_key, "url", "title"].contains(&field.name()))
        .collect();
    if !columns.iter().any(|field| field.name() == options.text_key) {
        let columns = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
        let column = options.text_key.clone();
        return Err(CorpusError::NoColumn { path: path.to_path_buf(), column, columns });
    }
    let projection = Type::group_type_builder(schema.name())
        .with_fields(columns.into_iter().cloned().collect())
        .build()
        .map_err(fail)?;
    let n_rows = file.metadata().file_metadata().num_rows().max(1) as u64;
    let mut rows = guarded(|| file.get_row_iter(Some(projection))).map_err(damaged)?.map_err(fail)?;
    for record in 0u64.. {
        let Some(row) = guarded(|| rows.next()).map_err(damaged)? else { break };
        // Columns are read piece by piece; the share of the rows says how far they are.
        let done = u128::from(unit.bytes) * u128::from(record + 1) / u128::from(n_rows);
        place.store(done.min(u128::from(unit.bytes)) as u64, Ordering::Relaxed);
        let mut origin = Origin { file: name.to_owned(), record, ..Origin::default() };
        let mut text = None;
        for (column, field) in row.map_err(fail)?.into_columns() {
            let value = string(field);
            if column == options.text_key {
                text = value;
            } else if column == "url" {
                origin.url = value;
            } else {
                origin.title = value;
            }
        }
        let unwanted =
            |links: &Arc<scalelaw_links::Links>| !origin.url.as_deref().is_some_and(|url| links.wants(url));
        let found = if options.wanted.as_ref().is_some_and(unwanted) {
            left(name, record, Reason::NotLinked, Mismatch::missing(WANTED_URL))
        } else if let Some(text) = text {
            Found::Raw(RawDocument { origin, body: RawBody::Text(text) })
        } else {
            left(
                name,
                record,
                Reason::NoText,
                Mismatch::missing(format!("text in UTF-8 in the column `{}`", options.text_key)),
            )
        };
        if visit(found).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn string(field: Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text),
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec()).ok(),
        _ => None,
    }
}
