//! Everything durable: run directories, logs, checkpoints, claims.
