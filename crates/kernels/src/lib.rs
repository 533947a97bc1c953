//! Arithmetic on one device: executes a plan; knows no model.
