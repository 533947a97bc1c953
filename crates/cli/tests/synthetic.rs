//! A language whose entropy is known: training approaches it, and only from above.
#![allow(clippy::unwrap_used, reason = "a test")]

use scalelaw_core::observer::Silent;
use scalelaw_core::schedule::{Decay, Schedule};
use scalelaw_core::spec::{
    Batch, DataSpec, DeviceClass, Evaluation, Measure, NUMERICS, Optimizer, Precision, RunSpec, TRAINER,
    Training,
};
use scalelaw_core::{Head, ModelShape};
use scalelaw_corpus::{
    BuildOptions, Language, SyntheticText, TOKENIZER_FILE, Tokenizer, TokenizerChoice, build_dataset,
    true_floor,
};
use scalelaw_tokens::Split;
use scalelaw_train::{RunData, Trainer};

#[test]
fn loss_on_a_synthetic_language_approaches_its_entropy_from_above() {
    let language = Language::new(0);
    let dir = tempfile::tempdir().unwrap();
    let source = SyntheticText::new(language.clone(), 2_000_000);
    let choice = TokenizerChoice::Train { n_vocab: 512, sample_bytes: 1 << 18 };
    let (dataset, _) = build_dataset(&source, choice, &BuildOptions::default(), dir.path(), &Silent).unwrap();
    let n_ctx = 64;
    let spec = RunSpec {
        recipe: "test".into(),
        seed: 1,
        steps: 300,
        init_std: 0.09,
        trainer: TRAINER.into(),
        device: DeviceClass::Cpu,
        precision: Precision::F32,
        numerics: NUMERICS,
        model: ModelShape::standard(2, 32, 2, n_ctx, 512, Head::Untied),
        data: DataSpec {
            name: "language".into(),
            digest: dataset.digest(),
            train_tokens: dataset.manifest().splits.get(Split::Train).tokens,
            test_tokens: 10_000,
        },
        batch: Batch { sequences: 64, micro_sequences: 8 },
        schedule: Schedule {
            lr: 0.007,
            warmup_steps: 30,
            decay: Decay::Constant { cooldown_steps: 90, final_fraction: 0.0 },
        },
        optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8 },
        evaluation: Evaluation { first_step: 20, per_decade: 8, patience: 0 },
        training: Training::default(),
        measure: Measure::default(),
    };
    let data = RunData::open(&dataset, &spec).unwrap();
    let tokenizer = Tokenizer::from_file(&dir.path().join(TOKENIZER_FILE)).unwrap();
    let floor = true_floor(&language, &tokenizer, &data.test).unwrap();
    let nats_per_token = floor.nats / data.test.n_tokens() as f64;

    let mut trainer = Trainer::new(&*scalelaw_lab::device(spec.device), &spec, &data, 1).unwrap();
    let mut above = vec![trainer.evaluate().unwrap().loss - nats_per_token];
    for _ in 0..4 {
        for _ in 0..75 {
            trainer.step().unwrap();
        }
        above.push(trainer.evaluate().unwrap().loss - nats_per_token);
    }
    assert!(
        above.windows(2).all(|pair| 0.0 < pair[1] && pair[1] < pair[0]),
        "{nats_per_token}, then {above:?}"
    );
    assert!(above[4] < 0.3 * above[0], "{nats_per_token}, then {above:?}");
}
