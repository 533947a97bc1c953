//! The run table: CSV, JSONL and Parquet, in and out.
