//! Models as plans, the optimiser, schedules, the training loop and evaluation.
