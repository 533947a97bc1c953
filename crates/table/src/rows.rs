//! The rows that scalelaw itself writes: runs, learning curves, per-position losses.
//!
//! Column names are a contract: other people's notebooks read them. Losses are in nats per token.

use crate::cell::{Cell, Field, Kind};
use crate::error::TableError;
use std::collections::BTreeMap;
use std::path::Path;

/// A struct that is one row of a table with stable column names.
pub trait Row: Sized {
    /// Column names and types, in file order, when these evaluation sets are present.
    fn columns(evalsets: &[String]) -> Vec<(String, Kind)>;
    /// Names of the evaluation sets this row has a loss on.
    fn evalsets(&self) -> Vec<String>;
    /// The cells, in the order of [`Row::columns`].
    fn to_cells(&self, evalsets: &[String]) -> Vec<Cell>;
    /// Builds the row from the named cells of a file; unknown columns are ignored, `loss_<evalset>` columns kept.
    ///
    /// # Errors
    /// [`TableError::Cell`] names the file, `row` and the column of a cell that is required or of another type.
    fn from_cells(path: &Path, row: u64, cells: Vec<(String, Cell)>) -> Result<Self, TableError>;
    /// What rows are sorted by when written.
    fn sort_key(&self) -> (String, u64);
}

/// Declares a row struct whose columns are its fields; `losses` is where the `loss_<evalset>` columns go.
macro_rules! row_struct {
    (
        $(#[$meta:meta])* struct $Row:ident
        { $($(#[$before_doc:meta])* $before:ident: $Before:ty,)* }
        losses: $losses:literal
        { $($(#[$after_doc:meta])* $after:ident: $After:ty,)* }
        sort: $sort:expr
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $Row {
            $($(#[$before_doc])* pub $before: $Before,)*
            /// Loss in nats per token on each further evaluation set: columns `loss_<evalset>`.
            pub loss_evalsets: BTreeMap<String, f64>,
            $($(#[$after_doc])* pub $after: $After,)*
        }

        impl Row for $Row {
            fn columns(evalsets: &[String]) -> Vec<(String, Kind)> {
                let mut columns = vec![$((stringify!($before).to_string(), <$Before as Field>::KIND)),*];
                columns.extend(evalsets.iter().map(|set| (format!("loss_{set}"), Kind::Number)));
                columns.extend([$((stringify!($after).to_string(), <$After as Field>::KIND)),*]
                    as [(String, Kind); row_struct!(@count $($after)*)]);
                columns
            }

            fn evalsets(&self) -> Vec<String> {
                self.loss_evalsets.keys().cloned().collect()
            }

            fn to_cells(&self, evalsets: &[String]) -> Vec<Cell> {
                let mut cells = vec![$(self.$before.to_cell()),*];
                cells.extend(evalsets.iter().map(|set| self.loss_evalsets.get(set).copied().to_cell()));
                cells.extend([$(self.$after.to_cell()),*] as [Cell; row_struct!(@count $($after)*)]);
                cells
            }

            fn from_cells(path: &Path, row: u64, cells: Vec<(String, Cell)>) -> Result<Self, TableError> {
                let place = Place { path, row };
                let mut cells: BTreeMap<String, Cell> = cells.into_iter().collect();
                let mut built = Self {
                    $($before: take(&mut cells, place, stringify!($before))?,)*
                    loss_evalsets: BTreeMap::new(),
                    $($after: take(&mut cells, place, stringify!($after))?,)*
                };
                if $losses {
                    for (name, cell) in cells {
                        let Some(set) = name.strip_prefix("loss_") else { continue };
                        let loss: Option<f64> = parse(place, &name, cell)?;
                        if let Some(loss) = loss {
                            built.loss_evalsets.insert(set.to_string(), loss);
                        }
                    }
                }
                Ok(built)
            }

            fn sort_key(&self) -> (String, u64) {
                let key: fn(&$Row) -> u64 = $sort;
                (self.run_id.clone(), key(self))
            }
        }
    };
    (@count $($field:ident)*) => { <[&str]>::len(&[$(stringify!($field)),*]) };
}

/// Where a row stands, for messages.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path,
    row: u64,
}

fn take<T: Field>(cells: &mut BTreeMap<String, Cell>, place: Place<'_>, name: &str) -> Result<T, TableError> {
    parse(place, name, cells.remove(name).unwrap_or(Cell::Missing))
}

fn parse<T: Field>(place: Place<'_>, name: &str, cell: Cell) -> Result<T, TableError> {
    let got = match &cell {
        Cell::Missing => "nothing".to_string(),
        Cell::Integer(i) => i.to_string(),
        Cell::Number(x) => x.to_string(),
        Cell::Text(t) => format!("{t:?}"),
    };
    T::from_cell(cell).ok_or_else(|| TableError::Cell {
        path: place.path.to_path_buf(),
        row: place.row,
        column: name.to_string(),
        expected: T::EXPECTED,
        got,
    })
}

row_struct! {
    /// One finished run. Counts carry their convention in the name; a bare N, C or D does not exist.
    struct RunRow {
        /// Key of the run: its directory's name.
        run_id: String,
        /// Trunk that a cooldown branch grew from.
        parent_run: Option<String>,
        /// Named recipe.
        recipe: Option<String>,
        /// Architecture: `transformer`, `lstm`, `universal`…
        arch: Option<String>,
        /// Blocks.
        n_layer: Option<u32>,
        /// Width of the residual stream.
        d_model: Option<u32>,
        /// Width of the feed-forward layer.
        d_ff: Option<u32>,
        /// Width of all attention heads together.
        d_attn: Option<u32>,
        /// Attention heads.
        n_head: Option<u32>,
        /// Context in tokens.
        n_ctx: Option<u32>,
        /// Vocabulary.
        n_vocab: Option<u32>,
        /// How many times each block's weights are used (recurrent Transformers); 1 otherwise.
        reuse: Option<u32>,
        /// Dropout probability.
        dropout: Option<f64>,
        /// Non-embedding parameters (Kaplan et al. 2020, equation 2.1).
        n_nonembed: Option<u64>,
        /// All trained parameters.
        n_total: Option<u64>,
        /// Non-embedding parameters and the head.
        n_matmul: Option<u64>,
        /// Distinct training tokens.
        d_unique: Option<u64>,
        /// Tokens processed, repetitions included.
        tokens: Option<u64>,
        /// Updates.
        steps: Option<u64>,
        /// Tokens per update.
        batch_tokens: Option<u64>,
        /// Tokens per micro-batch.
        micro_batch_tokens: Option<u64>,
        /// Tokens of learning-rate warm-up.
        warmup_tokens: Option<u64>,
        /// Training FLOPs, 6·N non-embedding per token.
        flops_6n: Option<f64>,
        /// Training FLOPs with the head.
        flops_matmul: Option<f64>,
        /// Training FLOPs with head and attention.
        flops_full: Option<f64>,
        /// Peak learning rate.
        lr: Option<f64>,
        /// Learning-rate schedule by name.
        schedule: Option<String>,
        /// Seed of initialisation and data order.
        seed: Option<u64>,
        /// Name of the data set.
        dataset: Option<String>,
        /// Test loss at the end, nats per token.
        loss: Option<f64>,
        /// Standard error of `loss` over the test tokens.
        loss_se: Option<f64>,
        /// `loss` in bits per byte of text.
        loss_bits_per_byte: Option<f64>,
        /// Lowest logged test loss (early stopping).
        loss_min: Option<f64>,
        /// Step of `loss_min`.
        best_step: Option<u64>,
        /// Training loss at the end, nats per token.
        train_loss: Option<f64>,
    }
    losses: true
    {
        /// `completed`, `diverged` or `stopped`, with what the run says of it.
        status: Option<String>,
    }
    sort: |_| 0
}

row_struct! {
    /// One evaluation of one run during training.
    struct CurveRow {
        /// Key of the run.
        run_id: String,
        /// Updates done; absent where a log counts tokens alone.
        step: Option<u64>,
        /// Tokens processed so far.
        tokens: Option<u64>,
        /// Learning rate at this step.
        lr: Option<f64>,
        /// Training loss, nats per token.
        train_loss: Option<f64>,
        /// Test loss, nats per token.
        test_loss: Option<f64>,
    }
    losses: true
    {
        /// Mean squared gradient norm over micro-batches.
        grad_sq_small: Option<f64>,
        /// Squared gradient norm of the whole batch.
        grad_sq_big: Option<f64>,
        /// Gradient noise scale B_simple in tokens (McCandlish et al. 2018).
        noise_scale: Option<f64>,
    }
    sort: |row| row.step.or(row.tokens).unwrap_or(0)
}

row_struct! {
    /// Loss at one position of the context.
    struct PositionRow {
        /// Key of the run.
        run_id: String,
        /// Updates done.
        step: u64,
        /// Position in the context, from 1.
        position: u64,
        /// Mean loss at this position, nats per token.
        loss: f64,
    }
    losses: false
    {}
    sort: |row| row.step << 24 | (row.position & 0xff_ffff)
}

row_struct! {
    /// One session of a run: what depends on the clock and the host, kept apart from what must be reproducible.
    struct TimingRow {
        /// Key of the run.
        run_id: String,
        /// First step of the session.
        from_step: u64,
        /// Step reached.
        to_step: u64,
        /// Wall-clock seconds.
        wall_s: f64,
        /// Of which evaluation.
        eval_s: f64,
        /// Of which reading batches.
        load_s: f64,
        /// Threads.
        threads: u64,
        /// Achieved over the training steps, GFLOP/s with head and attention.
        gflops: f64,
    }
    losses: false
    {}
    sort: |row| row.from_step
}
